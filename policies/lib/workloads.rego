# METADATA
# title: Workloads
# description: Which documents run pods, and the pods they run.
# schemas:
# - input: schema.input
package gracegate.lib.workloads

import data.gracegate.lib.values
import data.gracegate.lib.workload_kinds

# METADATA
# title: Kind by document
# description: Only of documents that run pods.
kind := {i: document.object.kind |
	some i, document in input.documents
	_group(document.object.apiVersion) in workload_kinds.api_groups[document.object.kind]
}

# METADATA
# title: Name by document
name := {i: values.text(object.get(input.documents[i].object, ["metadata", "name"], "")) | some i, _ in kind}

# METADATA
# title: Pod by document
# description: The pod's spec, where it stands in the document, and the labels that a Service selects by.
pod := {i: found |
	some i, which in kind
	template := workload_kinds.template(i, which)
	is_object(template.spec)
	labels := {key: value | some key, value in template.metadata.labels; is_string(value)}
	found := {"path": workload_kinds.pod_path[which], "spec": template.spec, "labels": labels}
}

# METADATA
# title: Workloads that roll
# description: Kinds whose pods are replaced by an update; batch kinds and bare pods are not among them.
rolling := {i | some i, _ in pod; workload_kinds.rolls[kind[i]]}

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

_group(version) := "" if {
	is_string(version)
	not contains(version, "/")
} else := split(version, "/")[0] if {
	is_string(version)
}
