# METADATA
# title: Two disruption budgets select the same pods
# description: |
#   The API server evicts a pod only if at most one PodDisruptionBudget selects it. For a pod with two, every eviction
#   fails with an error (500), so a drain of its node fails for as long as both exist.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/#how-api-initiated-eviction-works
#   description: How the API server responds to an eviction
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: text
#   example:
#   - {op: replace, path: [spec, replicas], value: 3}
#   - op: add
#     document: 3
#     path: []
#     value: |
#       apiVersion: policy/v1
#       kind: PodDisruptionBudget
#       metadata:
#         name: web-budget
#       spec:
#         minAvailable: 1
#         selector:
#           matchLabels:
#             app: web
package gracegate.rules.disruption["pdb-overlap"]

import data.gracegate.lib.budgets
import data.gracegate.lib.joins
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level} if {
	some at, overlap in _overlapping
	level := {true: "error", false: "info"}[overlap.is_certain]
	message := text.format(
		`A node drain fails at the pods of {} "{}": PodDisruptionBudgets "{}" and "{}" both select them.`,
		[
			workloads.kind[overlap.workload],
			workloads.name[overlap.workload],
			budgets.name[overlap.other],
			budgets.name[at.document],
		],
	)
}

fix[at] := {"class": "text", "advice": "Keep one of the two, or narrow a selector so that no pod matches both."} if {
	some at, _ in _overlapping
}

# Once for each budget, with the most certain pair.
_overlapping := {at: found |
	some b, pairs in _pairs
	[uncertainty, other, workload] := min(pairs)
	at := {"document": b, "path": ["spec", "selector"]}
	found := {"is_certain": uncertainty == 0, "other": other, "workload": workload}
}

_pairs := values.groups({[b, [uncertainty, other, i]] |
	some i, found in budgets.by_workload
	workloads.kind[i] != "DaemonSet"
	count(found) > 1
	some b in found
	input.documents[b].subject
	some other in found
	_is_reported_at(b, other)
	budgets.name[b] != budgets.name[other]
	joins.namespaces_agree(joins.namespace[b], joins.namespace[other])
	uncertainty := _uncertainty(b, other)
})

# Each pair is reported once: at the later of the two, or at the one that may be reported.
_is_reported_at(b, other) if other < b

_is_reported_at(b, other) if {
	other > b
	not input.documents[other].subject
}

# Without a namespace, another directory may be for another cluster.
_uncertainty(b, other) := 0 if {
	joins.namespace[b] != ""
	joins.namespace[b] == joins.namespace[other]
} else := 0 if {
	input.documents[b].directory == input.documents[other].directory
} else := 1
