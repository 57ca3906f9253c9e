# METADATA
# title: Moved workload starts without pods
# description: |
#   Kubernetes moves no object to another namespace. The one in the new namespace starts without pods, and whatever
#   removes the old one (a GitOps tool that prunes, Helm, a person) does not wait until the new pods are ready. Clients
#   that name the Service with its old namespace find nothing any more.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
#   description: What a namespace separates
# - ref: https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automatic-pruning
#   description: What Argo CD does with an object that is gone from Git
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: text
#   exceptions:
#   - Whatever applies the manifests leaves the old workload running until somebody removes it.
#   before:
#   - {op: add, path: [metadata, namespace], value: shop}
#   - {op: add, document: 1, path: [metadata, namespace], value: shop}
#   - {op: add, document: 2, path: [metadata, namespace], value: shop}
#   example:
#   - {op: replace, path: [metadata, namespace], value: bank}
#   - {op: replace, document: 1, path: [metadata, namespace], value: bank}
#   - {op: replace, document: 2, path: [metadata, namespace], value: bank}
package gracegate.rules.change["namespace-moved"]

import data.gracegate.lib.before
import data.gracegate.lib.joins
import data.gracegate.lib.related_places
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _levels[user_traffic.certainty[at.document]]} if {
	some at, former in _moved
	message := text.format(
		concat(" ", [
			`Requests may fail until {} "{}" has ready pods in namespace "{}":`,
			`Kubernetes moves no object, and the one in namespace "{}" is removed with all its pods.`,
		]),
		[workloads.kind[at.document], workloads.name[at.document], joins.namespace[at.document], former],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, former in _moved
	advice := text.format(
		`Apply it in both namespaces, let the clients follow, and remove it from "{}" in another change.`,
		[former],
	)
}

steps contains {"at": at, "steps": [
	{
		"title": text.format(
			`{} "{}" runs in both namespaces, with all that goes with it.`,
			[workloads.kind[at.document], workloads.name[at.document]],
		),
		"restored": _restored(at.document, former),
	},
	{
		"title": text.format(`Nothing is left in namespace "{}".`, [former]),
		"by_hand": text.format(
			`Let all clients send to namespace "{}", and wait until nothing comes in at "{}" any more.`,
			[joins.namespace[at.document], former],
		),
	},
]} if {
	some at, former in _moved
	before.may_run_twice(at.document)
}

# Everything that leaves the namespace stays, once for all that leave it.
_restored(i, former) := sort([before.number[j] | some j in _leaving[former]]) if {
	i == _first_moved[former]
} else := [before.number[i]]

_first_moved := {former: min(found) | some former, found in _moved_from}

_moved_from := values.groups([[former, at.document] | some at, former in _moved])

_leaving := values.groups([[former, i] |
	some i, former in before.namespace
	_first_moved[former]
	former != joins.namespace[i]
])

related contains {"at": at, "places": places} if {
	some at, _ in _moved
	places := related_places.objects(services.first_by_workload[user_traffic.pod_source[at.document]])
}

possible contains at if {
	some at, _ in _moved
	user_traffic.is_assumed[at.document]
}

_levels := {"certain": "warning", "possible": "info"}

# The former namespace. What nothing said before is no move: it may always have been the one that is written now.
_moved := {at: namespace |
	some i, former in before.modified
	input.documents[i].subject
	user_traffic.certainty[i]
	namespace := before.namespace[i]
	not "" in [namespace, joins.namespace[i]]
	namespace != joins.namespace[i]
	not values.is_placeholder(concat("", [namespace, joins.namespace[i]]))
	[former.kind, former.metadata.name] == [workloads.kind[i], workloads.name[i]]
	values.integer(object.get(former, ["spec", "replicas"], null), 1) != 0
	at := {"document": i, "path": ["metadata", "namespace"]}
}
