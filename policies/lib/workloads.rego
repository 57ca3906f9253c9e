# METADATA
# title: Workloads
# description: Which documents run pods, and the pods they run.
# schemas:
# - input: schema.input
package gracegate.lib.workloads

import data.gracegate.lib.values

# METADATA
# title: Kind by document
# description: Only of documents that run pods.
kind := {i: document.object.kind |
	some i, document in input.documents
	_group(document.object.apiVersion) in _groups[document.object.kind]
}

# METADATA
# title: Name by document
name := {i: values.text(object.get(input.documents[i].object, ["metadata", "name"], "")) | some i, _ in kind}

# METADATA
# title: Pod by document
# description: The pod's spec, where it stands in the document, and the labels that a Service selects by.
pod := {i: found |
	some i, which in kind
	template := _template(i, which)
	is_object(template.spec)
	labels := {key: value | some key, value in template.metadata.labels; is_string(value)}
	found := {"path": _path(which), "spec": template.spec, "labels": labels}
}

# METADATA
# title: Workloads that roll
# description: Kinds whose pods are replaced by an update; batch kinds and bare pods are not among them.
rolling := {i | some i, _ in pod; not kind[i] in {"CronJob", "Job", "Pod"}}

# METADATA
# title: Workloads that can be judged for what they lack
# description: A fragment is a patch of an object, so what it does not say may stand in the object.
whole := {i | some i, _ in kind; input.documents[i].subject; not input.documents[i].fragment}

# METADATA
# title: Annotations by document
# description: Of the object and of its pod template, whose own win.
annotations := {i: found |
	some i, _ in pod
	found := object.union(
		values.texts(object.get(input.documents[i].object, ["metadata", "annotations"], {})),
		values.texts(object.get(input.documents[i].object, ["spec", "template", "metadata", "annotations"], {})),
	)
}

_groups := {
	"CloneSet": {"apps.kruise.io"},
	"CronJob": {"batch"},
	"DaemonSet": {"apps", "apps.kruise.io", "extensions"},
	"Deployment": {"apps", "extensions"},
	"DeploymentConfig": {"", "apps.openshift.io"},
	"Job": {"batch"},
	"Pod": {""},
	"ReplicaSet": {"apps", "extensions"},
	"ReplicationController": {""},
	"Rollout": {"argoproj.io"},
	"StatefulSet": {"apps", "apps.kruise.io"},
}

_group(version) := "" if {
	is_string(version)
	not contains(version, "/")
} else := split(version, "/")[0] if {
	is_string(version)
}

# The paths are written out, so that the schema of the input finds a misspelt one.
_template(i, which) := input.documents[i].object.spec.template if not which in {"CronJob", "Pod"}

_template(i, "CronJob") := input.documents[i].object.spec.jobTemplate.spec.template

_template(i, "Pod") := input.documents[i].object

_path("CronJob") := ["spec", "jobTemplate", "spec", "template", "spec"]

_path("Pod") := ["spec"]

_path(which) := ["spec", "template", "spec"] if not which in {"CronJob", "Pod"}
