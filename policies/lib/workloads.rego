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
# description: |
#   Only for documents that run pods, and not for what a controller made of another one of them, as in a dump of a
#   cluster.
kind := {i: document.object.kind |
	some i, document in input.documents
	not _is_owned(object.get(document.object, "metadata", {}))
	_group(document.object.apiVersion) in workload_kinds.api_groups[document.object.kind]
}

# METADATA
# title: Name by document
# description: Empty if the document has none.
name := {i: values.string(object.get(input.documents[i].object, ["metadata", "name"], "")) | some i, _ in kind}

# METADATA
# title: Pod by document
# description: |
#   The `spec` of the pod, its `path` from the document's root, and the `labels` that a Service selects by, with those
#   that the controller of a LeaderWorkerSet adds.
pod := {i: found |
	some i, which in kind
	template := workload_kinds.template(i, which)
	is_object(template.spec)
	written := {key: value | some key, value in template.metadata.labels; is_string(value)}
	labels := object.union(written, _given_labels(i, which))
	found := {"path": workload_kinds.pod_path[which], "spec": template.spec, "labels": labels}
}

# Those that its controller gives to each leader.
# https://lws.sigs.k8s.io/docs/reference/labels-annotations-and-environment-variables/
_given_labels(i, which) := {
	"leaderworkerset.sigs.k8s.io/name": name[i],
	"leaderworkerset.sigs.k8s.io/worker-index": "0",
} if {
	which == "LeaderWorkerSet"
} else := {}

# METADATA
# title: Rolling workloads
# description: A set of documents, of kinds whose pods an update replaces; batch kinds and bare pods are not among them.
rolling := {i | some i, _ in pod; workload_kinds.rolls[kind[i]]}

# METADATA
# title: Complete workloads
# description: |
#   Documents that may be reported and that are no patch: a field that a patch leaves out may be set in the object.
complete := {i | some i, _ in kind; input.documents[i].subject; not input.documents[i].fragment}

# METADATA
# title: Fragments by kind and name
# description: |
#   Patches of workloads, by [kind, name] of the workload that they name. Which of several workloads of that name they
#   patch is not known.
fragments := values.groups([[[which, name[i]], i] |
	some i, which in kind
	input.documents[i].fragment
])

# METADATA
# title: Patch that sets a field of a container
# description: |
#   The path of a file with a patch of the workload in document i that gives the container of that name the field, whose
#   path is from the container.
patched_in(i, container_name, field) := min(paths) if {
	paths := {input.documents[p].path |
		some p in object.get(fragments, [[kind[i], name[i]]], set())
		some container in pod[p].spec.containers
		container.name == container_name
		object.get(container, field, null) != null
	}
	count(paths) > 0
}

# METADATA
# title: Annotations by document
# description: Of the object and of its pod template; those of the template win.
annotations := {i: found |
	some i, _ in pod
	found := object.union(
		values.string_map(object.get(input.documents[i].object, ["metadata", "annotations"], {})),
		values.string_map(object.get(input.documents[i].object, ["spec", "template", "metadata", "annotations"], {})),
	)
}

_is_owned(metadata) if {
	some owner in metadata.ownerReferences
	_named[[owner.kind, owner.name]]
}

_named := {[document.object.kind, document.object.metadata.name] |
	some document in input.documents
	workload_kinds.api_groups[document.object.kind]
}

_group(version) := "" if {
	is_string(version)
	not contains(version, "/")
} else := split(version, "/")[0] if {
	is_string(version)
}
