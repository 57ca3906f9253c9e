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
# title: Budgets by workload
# description: |
#   By document of the workload, the budgets in one of its scopes that select it, with a namespace that agrees.
by_workload := {i: found |
	some i, matching in _matching
	found := {b |
		some scope in joins.scopes[i]
		some required in matching
		some b in _by_scope[[required, scope]]
		joins.namespaces_agree(joins.namespace[i], joins.namespace[b])
	}
}

# METADATA
# title: May a budget protect the workload?
# description: By document, true if a budget anywhere selects its pods and may be in the same namespace.
may_protect := {i: true |
	some i, matching in _matching
	some required in matching
	_elsewhere[[required, joins.namespace[i] == ""]]
}

# METADATA
# title: Workloads by budget
# description: By document of the budget, the workloads that have it in `by_workload`.
workloads_by_budget := values.groups({[b, i] | some i, found in by_workload; some b in found})

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

_candidates(i) := _broad | {required |
	some key, value in workloads.pod[i].labels
	some required in _by_pair[[key, value]]
}

_distinct := {required | some required in requirements}

_by_pair := values.groups({[pair, required] | some required in _distinct; some pair in selectors.index_pairs(required)})

_broad := {required | some required in _distinct; count(selectors.index_pairs(required)) == 0}

_by_scope := values.groups({[[required, scope], b] | some b, required in requirements; some scope in joins.scopes[b]})

# By selector, and whether it may be in any namespace: one that names none may be meant for every workload.
_elsewhere := values.groups({[[required, any_namespace], b] |
	some b, required in requirements
	some any_namespace in {true, joins.namespace[b] != ""}
})
