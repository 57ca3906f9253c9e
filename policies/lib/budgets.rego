# METADATA
# title: Budgets
# description: Which PodDisruptionBudget protects which workload.
# schemas:
# - input: schema.input
package gracegate.lib.budgets

import data.gracegate.lib.joins
import data.gracegate.lib.selectors
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Name of a PodDisruptionBudget, by document
# description: Empty if it has none.
name := {b: values.string(object.get(document.object, ["metadata", "name"], "")) |
	some b, document in input.documents
	document.object.kind == "PodDisruptionBudget"
}

# METADATA
# title: Representative by workload
# description: |
#   Of workloads with labels that some budget selects: the lowest document of those with the same entry in
#   `by_workload`. What follows from its budgets alone is the same for all of them.
representative := joins.representatives({i: [sort(matching), sort(joins.search_scopes[i])] |
	some i, matching in _matching
	count(matching) > 0
})

# METADATA
# title: Budgets by workload
# description: |
#   By document of the workload, the budgets in one of its scopes that select it, with a namespace that agrees.
by_workload := {i: object.get(_budgets, object.get(representative, i, -1), set()) | some i, _ in _matching}

# METADATA
# title: May a budget protect the workload?
# description: By document, true if a budget anywhere selects its pods and may be in the same namespace.
may_protect := {i: true |
	some i, matching in _matching
	some required in matching
	_elsewhere[[required, joins.namespace[i] == ""]]
}

# METADATA
# title: Representatives by budget
# description: By document of the budget, a sorted list of the representatives of the workloads that it selects.
representatives_by_budget := {b: values.sorted_documents(found) |
	some b, found in values.groups([[b, r] | some r, found in _budgets; some b in found])
}

# METADATA
# title: Representative by budget
# description: The lowest budget with the same entry in `evicted_workloads`, by document of the budget.
representative_budget := joins.representatives(_evicted_keys)

# METADATA
# title: Evicted workloads by budget
# description: |
#   By document of the budget, the workloads that it selects and whose pods a node drain evicts, those nearest to it
#   only. A drain does not evict the pods of a DaemonSet.
evicted_workloads := {b: _evicted[r] | some b, r in representative_budget}

# METADATA
# title: Budget that was meant for a workload
# description: |
#   By document of the workload: the lowest budget beside it that is named after it, and after no other workload, but
#   selects no pods here.
meant_for := {i: min(found) | some i, found in values.groups([[i, b] | some b, i in _meant_workload])}

_meant_workload := {b: i |
	some b, required in requirements
	not _matched[required]
	not joins.near_unread_files[b]
	not _has_placeholder(b)
	found := {i |
		some hint in _hints(name[b])
		some i in object.get(_evicted_by_name, [[input.documents[b].directory, hint]], set())
		_may_share_namespace(b, i)
	}
	[i] := [i | some i in found]
}

_matched := {required: true | some found in _matching; some required in found}

_hints(budget_name) := {budget_name, trim_suffix(budget_name, "-pdb"), trim_prefix(budget_name, "pdb-")}

_evicted_by_name := values.groups([[[input.documents[i].directory, workloads.name[i]], i] |
	some i, pod in workloads.pod
	count(pod.labels) > 0
	_is_evicted[workloads.kind[i]]
	not input.documents[i].fragment
])

_may_share_namespace(b, i) if count({joins.namespace[b], joins.namespace[i]} - {""}) < 2

_has_placeholder(b) if {
	some value in object.get(input.documents[b].object.spec.selector, "matchLabels", {})
	values.is_placeholder(value)
}

# METADATA
# title: Requirements of a budget, by document
# description: What its selector requires of a pod. Only of budgets that can select a pod.
requirements := {b: required |
	some b, _ in name
	required := selectors.requirements(input.documents[b].object.spec.selector)
	_selects(input.documents[b].object.apiVersion, required)
}

# An empty selector selects nothing before policy/v1, and all since.
_selects("policy/v1", _)

_selects("policy/v1beta1", required) if count(required) > 0

_matching := {i: found |
	some i, pod in workloads.pod
	not input.documents[i].fragment
	found := {required |
		some required in _candidates(i)
		selectors.matches(required, pod.labels)
	}
}

_budgets := {r: found |
	some r in {r | some r in representative}
	found := {b |
		some scope in joins.search_scopes[r]
		some required in _matching[r]
		some b in _by_scope[[required, scope]]
	}
}

# By representative and place.
_evicted_at := values.groups([[[r, place], i] |
	some i, r in representative
	_is_evicted[workloads.kind[i]]
	some place in joins.places(i)
])

# The representatives of the workloads that a budget selects, and the nearest place with one of them.
_evicted_keys := {b: [listed, places[0]] |
	some b, listed in representatives_by_budget
	places := [place | some place in joins.places(b); _is_at(listed, place)]
	count(places) > 0
}

_is_at(listed, place) if {
	some r in listed
	_evicted_at[[r, place]]
}

_evicted := {lowest: found |
	some lowest in {lowest | some lowest in representative_budget}
	[listed, place] := _evicted_keys[lowest]
	found := {i | some r in listed; some i in _evicted_at[[r, place]]}
}

_is_evicted := {
	"CloneSet": true,
	"Deployment": true,
	"DeploymentConfig": true,
	"Pod": true,
	"ReplicaSet": true,
	"ReplicationController": true,
	"Rollout": true,
	"StatefulSet": true,
}

_candidates(i) := _broad | {required |
	some key, value in workloads.pod[i].labels
	some required in _by_pair[[key, value]]
}

_distinct := {required | some required in requirements}

_by_pair := values.groups([[pair, required] | some required in _distinct; some pair in selectors.index_pairs(required)])

_broad := {required | some required in _distinct; count(selectors.index_pairs(required)) == 0}

_by_scope := values.groups([[[required, scope], b] |
	some b, required in requirements
	some scope in joins.index_scopes[b]
])

# By selector, and whether it may be in any namespace: one that names none may be meant for every workload.
_elsewhere := {[required, any_namespace] |
	some b, required in requirements
	some any_namespace in {true, joins.namespace[b] != ""}
}
