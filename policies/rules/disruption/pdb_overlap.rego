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
import data.gracegate.lib.related_places
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

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Keep one of the two, or narrow a selector so that no pod matches both."
	some at, _ in _overlapping
}

related contains {"at": at, "places": related_places.objects([overlap.other, overlap.workload])} if {
	some at, overlap in _overlapping
}

possible contains at if {
	some at, overlap in _overlapping
	not overlap.is_certain
}

# Once for each budget, with the most certain pair.
_overlapping := {at: found |
	some b, pairs in _pairs
	[uncertainty, other, workload] := min(pairs)
	at := {"document": b, "path": ["spec", "selector"]}
	found := {"is_certain": uncertainty == 0, "other": other, "workload": workload}
}

# With at most two candidates for each place of a budget: of thousands of budgets over the same pods, each is compared
# with two, and not with all.
_pairs := values.groups([[b, [uncertainty, other, workload]] |
	some r, workload in _workload
	some b in budgets.by_workload[r]
	input.documents[b].subject
	some [uncertainty, place] in _search_places(b)
	some other in _others(r, place, b)
	budgets.name[b] != budgets.name[other]
])

# The lowest workload by its representative, of those with several budgets whose pods a drain evicts.
_workload := {r: min(found) |
	some r, found in values.groups([[r, i] | some i, r in budgets.representative; workloads.kind[i] != "DaemonSet"])
	count(budgets.by_workload[r]) > 1
}

# Each pair is reported once: at the later of the two, or at the one that may be reported.
_others(r, place, b) := {other |
	some which in ["any", "a fact"]
	some other in _lowest[[r, place, which]]
	_is_reported_at(b, other)
}

_is_reported_at(b, other) if other < b

_is_reported_at(b, other) if {
	other > b
	not input.documents[other].subject
}

# The lowest budget at a place, and the lowest with another name, or else any other.
_lowest := {key: {first, second} |
	some key, found in _by_place
	first := min(found)
	renamed := {b | some b in found; budgets.name[b] != budgets.name[first]}
	second := min(renamed | {max(found)})
}

_by_place := values.groups([[[r, place, which], b] |
	some r, _ in _workload
	some b in budgets.by_workload[r]
	some place in _index_places(b)
	some which in ({"any"} | {"a fact" | not input.documents[b].subject})
])

# Where another budget with a namespace that agrees may be, and how uncertain it is that both are in one cluster:
# without a namespace, another directory may be for another one.
_search_places(b) := {
	[0, ["directory", input.documents[b].directory]],
	[1, ["everywhere"]],
} if {
	joins.namespace[b] == ""
} else := {
	[0, ["namespace", joins.namespace[b]]],
	[0, ["directory", input.documents[b].directory, "any namespace"]],
	[1, ["everywhere", "any namespace"]],
}

_index_places(b) := {
	["directory", input.documents[b].directory],
	["directory", input.documents[b].directory, "any namespace"],
	["everywhere"],
	["everywhere", "any namespace"],
} if {
	joins.namespace[b] == ""
} else := {
	["directory", input.documents[b].directory],
	["everywhere"],
	["namespace", joins.namespace[b]],
}
