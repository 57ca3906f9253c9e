# METADATA
# title: Before
# description: |
#   What the documents were before the change. Without a base nothing was, so that a rule which starts from these facts
#   is silent then.
# schemas:
# - input: schema.input
package gracegate.lib.before

import data.gracegate.lib.joins
import data.gracegate.lib.ports
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Former object by document
# description: |
#   Of documents that the change modified, under another name or in another namespace too; not of those that it left as
#   they are, nor of those that it added.
modified := {i: entry.object | some i, entry in _entry}

# METADATA
# title: Former object by document that is still the same object of the cluster
# description: As in `modified`, without those whose kind, name or namespace has changed.
same_object := {i: entry.object |
	some i, entry in _entry
	entry.namespace == joins.namespace[i]
	entry.object.kind == input.documents[i].object.kind
	_group(entry.object.apiVersion) == _group(input.documents[i].object.apiVersion)
	entry.object.metadata.name == input.documents[i].object.metadata.name
	not entry.fragment
	not input.documents[i].fragment
}

# METADATA
# title: Former namespace by document
# description: As in `modified`; empty where nothing says it.
namespace := {i: entry.namespace | some i, entry in _entry}

# METADATA
# title: Number in `input.before` by document
# description: As in `modified`.
number := {entry.document: n | some n, entry in input.before; is_number(entry.document)}

# METADATA
# title: Added documents
# description: A set of documents that the base lacks.
added := {i | some i in input.added}

# METADATA
# title: Removed documents
# description: Entries of `input.before` for documents that the change removed.
removed := [entry | some entry in input.before; not is_number(object.get(entry, "document", null))]

# METADATA
# title: Former Pod by document
# description: |
#   What the Pods of a rolling workload are made of until its rollout replaces them, where the change modified it: their
#   `spec` and `labels`. Not of workloads that were scaled to zero.
pod := {i: {"spec": template.spec, "labels": labels} |
	some i, former in same_object
	workloads.rolling[i]
	values.integer(object.get(former, ["spec", "replicas"], null), 1) != 0
	template := former.spec.template
	is_object(template.spec)
	labels := values.string_map(object.get(template, ["metadata", "labels"], {}))
}

# METADATA
# title: Former ports by document
# description: A list of the ports of all containers in `pod` that run beside each other, see the library ports.
container_ports := {i: found |
	some i, former in pod
	found := [port |
		some list in ["containers", "initContainers"]
		some container in values.list(object.get(former.spec, list, []))
		is_object(container)
		_runs_on(list, container)
		some port in ports.declared_by(container)
	]
}

# METADATA
# scope: document
# title: Does the workload in document i have Pods before its rollout?
# description: The base has it under the same name, and it was not scaled to zero there.
is_running(i) if pod[i]

is_running(i) if {
	workloads.rolling[i]
	not added[i]
	not _entry[i]
	values.integer(object.get(input.documents[i].object, ["spec", "replicas"], null), 1) != 0
}

# METADATA
# scope: document
# title: Does a Service with this selector send to pods with these labels?
# description: Never without a selector, as the endpoints of such a Service are made by hand.
selects(selector, labels) if {
	is_object(selector)
	count(selector) > 0
	every key, value in selector {
		labels[key] == value
	}
}

# METADATA
# scope: document
# title: May the workload in document i run beside what it was before?
# description: Not where each of its pods has a volume of its own, or where it has a claim, which may be for one node.
may_run_twice(i) if {
	workloads.kind[i] != "StatefulSet"
	every volume in values.list(object.get(workloads.pod[i].spec, "volumes", [])) {
		not volume.persistentVolumeClaim
	}
}

_entry := {entry.document: entry | some entry in input.before; is_number(entry.document)}

# Without the version; "" for the core group.
_group(version) := trim_suffix(regex.find_all_string_submatch_n(`^(.*/)?`, values.string(version), 1)[0][0], "/")

_runs_on("containers", _)

_runs_on("initContainers", container) if container.restartPolicy == "Always"
