# METADATA
# title: Drains may take all pods at once
# description: |
#   Without a PodDisruptionBudget nothing keeps a drain from evicting all pods of a workload at once. An upgrade of the
#   nodes drains several of them at a time, and then nobody answers until new pods have started elsewhere.
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
import data.gracegate.lib.places
import data.gracegate.lib.scaling
import data.gracegate.lib.texts
import data.gracegate.lib.traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads
import data.gracegate.lib.writing

violation contains {"at": at, "message": message, "level": _level(at.document)} if {
	some at, replicas in _unprotected
	message := texts.filled(`A drain may evict all {} pods of {} "{}" at once: no PodDisruptionBudget selects them.`, [
		replicas,
		workloads.kind[at.document],
		workloads.name[at.document],
	])
}

fix[at] := {"class": "text", "advice": concat("\n", lines)} if {
	some at, _ in _unprotected
	lines := array.concat(
		["Add a PodDisruptionBudget beside it, so that pods are evicted one by one:"],
		_budget(at.document),
	)
}

_unprotected := {at: replicas |
	some i in workloads.whole
	workloads.kind[i] in {"Deployment", "Rollout", "StatefulSet"}
	traffic.sent[i]
	replicas := scaling.replicas[i]
	replicas > 1
	count(budgets.of[traffic.pods[i]]) == 0
	at := {"document": i, "path": []}
}

# A budget elsewhere, or in a file that cannot be read, may be meant for it.
_level(i) := "warning" if {
	traffic.sent[i] == "sure"
	not places.doubtful[i]
	not budgets.perhaps[traffic.pods[i]]
} else := "info"

_budget(i) := array.concat(array.concat(_head(i), _policy), _selector(traffic.pods[i]))

_head(i) := array.concat(
	[
		"apiVersion: policy/v1",
		"kind: PodDisruptionBudget",
		"metadata:",
		concat("", ["  name: ", writing.scalar(workloads.name[i])]),
	],
	[line |
		places.namespace[i] != ""
		line := concat("", ["  namespace: ", writing.scalar(places.namespace[i])])
	],
)

_policy := array.concat(
	["spec:", "  maxUnavailable: 1"],
	["  unhealthyPodEvictionPolicy: AlwaysAllow" | input.cluster.min_minor >= 27],
)

# What the workload selects its pods by; their own labels where it does not say that.
_selector(i) := array.concat(
	["  selector:", "    matchLabels:"],
	writing.texts("      ", _labels(i)),
)

_labels(i) := labels if {
	labels := input.documents[i].object.spec.selector.matchLabels
	count(values.texts(labels)) > 0
	not input.documents[i].object.spec.selector.matchExpressions
} else := workloads.pod[i].labels
