# METADATA
# title: Node drain can evict all pods at once
# description: |
#   Without a PodDisruptionBudget nothing keeps a drain from evicting all pods of a workload at once. A node upgrade
#   drains several nodes at a time, and then no pod can serve until new ones have started elsewhere.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/run-application/configure-pdb/
#   description: How a PodDisruptionBudget is written
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: text
#   example:
#   - {op: remove, document: 2, path: []}
package gracegate.rules.disruption["pdb-missing"]

import data.gracegate.lib.budgets
import data.gracegate.lib.joins
import data.gracegate.lib.related_places
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document)} if {
	some at, replicas in _unprotected
	message := text.format(
		`A node drain can evict all {} pods of {} "{}" at once: no PodDisruptionBudget selects them{}.`,
		[
			replicas,
			workloads.kind[at.document],
			workloads.name[at.document],
			_not_even(at.document),
		],
	)
}

fix contains {"at": at, "class": "text", "advice": concat("\n", lines)} if {
	some at, _ in _unprotected
	not _meant_for(at.document)
	lines := array.concat(
		["Add a PodDisruptionBudget next to it, so that pods are evicted one by one:"],
		_budget(at.document),
	)
}

fix contains {"at": at, "class": "assumes", "assumption": assumption, "patch": [step]} if {
	some at, _ in _unprotected
	b := _meant_for(at.document)
	assumption := text.format(`PodDisruptionBudget "{}" is meant for it.`, [budgets.name[b]])
	labels := values.string_map(_labels(user_traffic.pod_source[at.document]))
	step := {"op": "replace", "document": b, "path": ["spec", "selector"], "value": {"matchLabels": labels}}
}

related contains {"at": at, "places": places} if {
	some at, _ in _unprotected
	senders := services.first_by_workload[user_traffic.pod_source[at.document]]
	budget := {b | b := _meant_for(at.document)}
	places := array.concat(related_places.objects(senders), related_places.objects(budget))
}

possible contains at if {
	some at, _ in _unprotected
	user_traffic.is_assumed[at.document]
}

_unprotected := {at: replicas |
	some i in workloads.complete
	workloads.kind[i] in _kinds
	user_traffic.certainty[i]
	replicas := scaling.replicas[i]
	replicas > 1
	count(budgets.by_workload[user_traffic.pod_source[i]]) == 0
	at := {"document": i, "path": []}
}

_meant_for(i) := budgets.meant_for[user_traffic.pod_source[i]]

_not_even(i) := text.format(`, not even "{}", which selects nothing`, [budgets.name[_meant_for(i)]]) if {
	_meant_for(i)
} else := ""

# A node drain leaves the pods of a DaemonSet alone.
_kinds := {
	"CloneSet",
	"Deployment",
	"DeploymentConfig",
	"ReplicaSet",
	"ReplicationController",
	"Rollout",
	"StatefulSet",
}

# A budget elsewhere, or in an unread file, may be meant for it.
_level(i) := "warning" if {
	user_traffic.certainty[i] == "certain"
	not joins.near_unread_files[i]
	not budgets.may_protect[user_traffic.pod_source[i]]
} else := "info"

_budget(i) := array.concat(array.concat(_head(i), _policy), _selector(user_traffic.pod_source[i]))

_head(i) := array.concat(
	[
		"apiVersion: policy/v1",
		"kind: PodDisruptionBudget",
		"metadata:",
		concat("", ["  name: ", text.yaml_scalar(workloads.name[i])]),
	],
	[line |
		declared := values.string(object.get(input.documents[i].object, ["metadata", "namespace"], ""))
		declared != ""
		line := concat("", ["  namespace: ", text.yaml_scalar(declared)])
	],
)

_policy := array.concat(
	["spec:", "  maxUnavailable: 1"],
	["  unhealthyPodEvictionPolicy: AlwaysAllow" | input.cluster.min_minor >= 27],
)

# The selector of the workload; the labels of its pods if it has no simple one.
_selector(i) := array.concat(
	["  selector:", "    matchLabels:"],
	text.yaml_lines("      ", _labels(i)),
)

_labels(i) := labels if {
	labels := input.documents[i].object.spec.selector.matchLabels
	count(values.string_map(labels)) > 0
	not input.documents[i].object.spec.selector.matchExpressions
} else := workloads.pod[i].labels
