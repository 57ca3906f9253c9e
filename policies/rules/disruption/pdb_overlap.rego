# METADATA
# title: Two disruption budgets select the same pods
# description: |
#   The API server evicts a pod only where exactly one PodDisruptionBudget speaks for it, or none. For a pod with two it
#   answers every eviction with an error (500), so that a drain of its node fails for as long as both exist.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/#how-api-initiated-eviction-works
#   description: What an eviction answers
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
import data.gracegate.lib.places
import data.gracegate.lib.texts
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level} if {
	some at, overlap in _overlapping
	level := {true: "error", false: "info"}[overlap.sure]
	message := texts.filled(`A drain fails at the pods of {} "{}": PodDisruptionBudgets "{}" and "{}" both select them.`, [
		workloads.kind[overlap.workload],
		workloads.name[overlap.workload],
		budgets.name[overlap.other],
		budgets.name[at.document],
	])
}

fix[at] := {"class": "text", "advice": "Keep one of the two, or narrow a selector so that no pod meets both."} if {
	some at, _ in _overlapping
}

# Said once for each budget, of the pair that is the surest.
_overlapping := {at: found |
	some b, pairs in _pairs
	[unsure, other, workload] := min(pairs)
	at := {"document": b, "path": ["spec", "selector"]}
	found := {"sure": unsure == 0, "other": other, "workload": workload}
}

_pairs := values.grouped({[b, [unsure, other, i]] |
	some i, found in budgets.of
	workloads.kind[i] != "DaemonSet"
	count(found) > 1
	some b in found
	input.documents[b].subject
	some other in found
	_is_told_of(b, other)
	budgets.name[b] != budgets.name[other]
	places.agree(places.namespace[b], places.namespace[other])
	unsure := _unsure(b, other)
})

# Each pair is told of once: at the later of the two, or at the one that may be reported.
_is_told_of(b, other) if other < b

_is_told_of(b, other) if {
	other > b
	not input.documents[other].subject
}

# Where no namespace is said, another directory may be for another cluster.
_unsure(b, other) := 0 if {
	places.namespace[b] != ""
	places.namespace[b] == places.namespace[other]
} else := 0 if {
	input.documents[b].directory == input.documents[other].directory
} else := 1
