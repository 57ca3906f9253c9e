# METADATA
# title: Disruption budget allows no eviction
# description: |
#   A node drain evicts pods and waits while a PodDisruptionBudget forbids it. A budget that needs all pods forbids
#   every eviction: node upgrades block until somebody deletes the pods by hand, or a deadline deletes them without
#   regard for requests.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/run-application/configure-pdb/#identify-an-application-to-protect
#   description: How a budget is rounded, and what 0 allows
# - ref: https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
#   description: What a drain waits for
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   example:
#   - {op: replace, path: [spec, replicas], value: 3}
#   - {op: remove, document: 2, path: [spec, maxUnavailable]}
#   - {op: add, document: 2, path: [spec, minAvailable], value: 67%}
package gracegate.rules.disruption["pdb-blocks-drain"]

import data.gracegate.lib.budgets
import data.gracegate.lib.patches
import data.gracegate.lib.related_places
import data.gracegate.lib.scaling
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(budget)} if {
	some at, budget in _blocking
	message := text.format(`A node drain never finishes: PodDisruptionBudget "{}" {}, because {}.`, [
		budgets.name[at.document],
		_keeps(budget),
		_because(budget),
	])
}

fix contains {"at": at, "patch": array.concat(removed, [allowed])} if {
	some at, budget in _blocking
	not budget.are_bare
	budget.pods > 1
	keys := object.keys(input.documents[at.document].object.spec)
	removed := [{"op": "remove", "path": at.path} | budget.field == "minAvailable"]
	allowed := patches.put(keys, ["spec", "maxUnavailable"], 1)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Run two pods and set maxUnavailable to 1, or remove the budget. With one pod, a budget can only",
		"choose between a drain that never finishes and a moment without any pod.",
	])
	some at, budget in _blocking
	not budget.are_bare
	budget.pods == 1
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Set minAvailable to a number of pods, or let a Deployment run them."
	some at, budget in _blocking
	budget.are_bare
}

fix contains {
	"at": at,
	"class": "text",
	"advice": "If it selects several pods, set maxUnavailable to 1 and remove minAvailable.",
} if {
	some at, budget in _blocking
	budget.pods == 0
}

related contains {"at": at, "places": _related[budgets.representative_budget[at.document]]} if some at, _ in _blocking

possible contains at if {
	some at, budget in _blocking
	budget.pods == 0
}

_blocking := object.union(_by_number, _without_number)

# Without either field the controller expects no pods, and so allows no eviction. policy/v1beta1 had a default.
_without_number := {{"document": b, "path": ["spec"]}: object.union(_evicted_pods(b), {"field": "", "value": ""}) |
	some b, _ in budgets.requirements
	input.documents[b].subject
	input.documents[b].object.apiVersion == "policy/v1"
	every field in ["maxUnavailable", "minAvailable"] {
		object.get(input.documents[b].object.spec, field, null) == null
	}
}

_by_number := {at: found |
	some b, _ in budgets.requirements
	input.documents[b].subject
	spec := input.documents[b].object.spec
	[[field, value]] := [[field, value] |
		some field in ["maxUnavailable", "minAvailable"]
		value := object.get(spec, field, null)
		value != null
	]
	evicted := _evicted_pods(b)
	_blocks(field, value, evicted)
	at := {"document": b, "path": ["spec", field]}
	found := object.union(evicted, {"field": field, "value": value})
}

# Undefined where a drain evicts nothing: the pods of a DaemonSet are left alone, and an idle workload has none.
_evicted_pods(b) := _evicted[budgets.representative_budget[b]]

_evicted_pods(b) := {"pods": 0, "is_certain": false, "are_bare": false} if not budgets.representatives_by_budget[b]

# By representative of the budget.
_related := {b: related_places.objects(budgets.evicted_workloads[b]) |
	some b in {b | some b in budgets.representative_budget}
}

# By representative of the budget. The number of pods is 0 if it is not known.
_evicted := {b: evicted |
	some b in {b | some b in budgets.representative_budget}
	workloads_of := budgets.evicted_workloads[b]
	count([i | some i in workloads_of; not scaling.replicas[i] == 0]) > 0
	evicted := {
		"pods": _pods(workloads_of),
		"is_certain": _are_certain(workloads_of),
		"are_bare": {workloads.kind[i] | some i in workloads_of} == {"Pod"},
	}
}

_pods(workloads_of) := sum(known) if {
	known := [number | some i in workloads_of; number := scaling.replicas[i]]
	count(known) == count(workloads_of)
} else := 0

_are_certain(workloads_of) if {
	every i in workloads_of {
		_is_certain(i)
	}
} else := false

# The controller asks the owners of the pods how many there should be; without any owner it counts none.
_blocks(_, value, evicted) if {
	evicted.are_bare
	_percent(value) >= 0
}

_blocks("maxUnavailable", value, evicted) if {
	evicted.are_bare
	values.integer(value, -1) >= 0
}

_blocks("maxUnavailable", value, _) if _percent(value) == 0

_blocks("maxUnavailable", value, _) if values.integer(value, -1) == 0

_blocks("minAvailable", value, _) if _percent(value) >= 100

_blocks("minAvailable", value, evicted) if {
	evicted.pods > 0
	_needed(value, evicted.pods) >= evicted.pods
}

# Both fields are rounded up.
_needed(value, pods) := ceil((pods * _percent(value)) / 100)

_needed(value, _) := number if {
	number := values.integer(value, -1)
	number > 0
}

_percent(value) := to_number(found[0][1]) if {
	is_string(value)
	found := regex.find_all_string_submatch_n(`^0*(\d{1,4})%$`, value, 1)
}

# The budget alone decides it, or the replicas of its workloads are certain.
_level(budget) := "warning" if {
	budget.are_bare
} else := "error" if {
	budget.pods > 0
	_is_absolute(budget)
} else := "error" if {
	budget.pods > 0
	budget.is_certain
} else := "warning"

_is_absolute(budget) if budget.field in {"", "maxUnavailable"}

_is_absolute(budget) if _percent(budget.value) >= 100

_is_certain(i) if {
	not scaling.autoscalers_by_workload[i]
	not scaling.has_uncertain_replicas[i]
	values.integer(object.get(input.documents[i].object, ["spec", "replicas"], null), 0) > 0
}

_keeps(budget) := "allows no eviction" if {
	budget.pods == 0
} else := "does not allow its only pod to be evicted" if {
	budget.pods == 1
} else := text.format("allows none of its {} pods to be evicted", [budget.pods])

_because(budget) := "it has neither minAvailable nor maxUnavailable" if {
	budget.field == ""
} else := text.format("{} is {}, and only pods of a controller count", [budget.field, budget.value]) if {
	budget.are_bare
	not _is_number_of_available(budget)
} else := text.format("{} is {}", [budget.field, _value(budget)])

_is_number_of_available(budget) if {
	budget.field == "minAvailable"
	is_number(budget.value)
}

_value(budget) := text.format("{}, which is {}", [budget.value, _needed(budget.value, budget.pods)]) if {
	budget.field == "minAvailable"
	budget.pods > 0
	_percent(budget.value)
} else := text.format("{}", [budget.value])
