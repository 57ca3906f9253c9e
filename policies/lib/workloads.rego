# METADATA
# title: Workloads
# description: Which documents run pods, and the pods they run.
# schemas:
# - input: schema.input
package gracegate.lib.workloads

import data.gracegate.lib.values

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

# METADATA
# title: Kind by document
# description: Only of documents that run pods.
kind[i] := document.object.kind if {
	some i, document in input.documents
	_group(document.object.apiVersion) in _groups[document.object.kind]
}

# METADATA
# title: Name by document
name[i] := values.text(object.get(input.documents[i].object, ["metadata", "name"], "")) if some i, _ in kind

# METADATA
# title: Pod by document
# description: The pod's spec, where it stands in the document, and the labels that a Service selects by.
pod[i] := {"path": ["spec", "template", "spec"], "spec": template.spec, "labels": _labels[i]} if {
	some i, which in kind
	not which in {"CronJob", "Pod"}
	template := input.documents[i].object.spec.template
	is_object(template.spec)
}

pod[i] := {
	"path": ["spec", "jobTemplate", "spec", "template", "spec"],
	"spec": template.spec,
	"labels": _labels[i],
} if {
	some i, "CronJob" in kind
	template := input.documents[i].object.spec.jobTemplate.spec.template
	is_object(template.spec)
}

pod[i] := {"path": ["spec"], "spec": manifest.spec, "labels": _labels[i]} if {
	some i, "Pod" in kind
	manifest := input.documents[i].object
	is_object(manifest.spec)
}

# METADATA
# title: Workloads that roll
# description: Kinds whose pods are replaced by an update; batch kinds and bare pods are not among them.
rolling contains i if {
	some i, _ in pod
	not kind[i] in {"CronJob", "Job", "Pod"}
}

# METADATA
# title: Workloads that can be judged for what they lack
# description: A fragment is a patch of an object, so what it does not say may stand in the object.
whole contains i if {
	some i, _ in pod
	input.documents[i].subject
	not input.documents[i].fragment
}

# METADATA
# title: Annotations by document
# description: Of the object and of its pod template; the template's win.
annotations[i] := object.union(
	values.texts(object.get(input.documents[i].object, ["metadata", "annotations"], {})),
	values.texts(object.get(input.documents[i].object, ["spec", "template", "metadata", "annotations"], {})),
) if {
	some i, _ in pod
}

_labels[i] := {key: value | some key, value in _metadata[i].labels; is_string(value)} if some i, _ in kind

_metadata[i] := input.documents[i].object.spec.template.metadata if {
	some i, which in kind
	not which in {"CronJob", "Pod"}
}

_metadata[i] := input.documents[i].object.spec.jobTemplate.spec.template.metadata if some i, "CronJob" in kind

_metadata[i] := input.documents[i].object.metadata if some i, "Pod" in kind

_group(version) := "" if {
	is_string(version)
	not contains(version, "/")
} else := split(version, "/")[0] if is_string(version)
