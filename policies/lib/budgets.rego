# METADATA
# title: Budgets
# description: Which PodDisruptionBudget protects which workload.
# schemas:
# - input: schema.input
package gracegate.lib.budgets

import data.gracegate.lib.places
import data.gracegate.lib.selectors
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Name of a PodDisruptionBudget, by document
name := {b: values.text(object.get(document.object, ["metadata", "name"], "")) |
	some b, document in input.documents
	document.object.kind == "PodDisruptionBudget"
}

# METADATA
# title: Budgets that protect a workload, by document
# description: Those in one of its scopes, with a namespace that agrees.
of := {i: found |
	some i, matching in _matching
	found := {b |
		some scope in places.scopes[i]
		some wanted in matching
		some b in _located[[wanted, scope]]
		places.agree(places.namespace[i], places.namespace[b])
	}
}

# METADATA
# title: Workloads that a budget may be meant for, by document
# description: Wherever one stands that selects its pods and may be in the same namespace.
perhaps := {i: true |
	some i, matching in _matching
	some wanted in matching
	_elsewhere[[wanted, places.namespace[i] == ""]]
}

# METADATA
# title: Workloads that a budget protects, by document of the budget
protected := values.grouped({[b, i] | some i, found in of; some b in found})

# METADATA
# title: What a budget requires of a pod, by document
# description: Of budgets that can select any.
required := {b: wanted |
	some b, _ in name
	wanted := selectors.requirements(input.documents[b].object.spec.selector)
	_selects(input.documents[b].object.apiVersion, wanted)
}

# An empty selector selects nothing before policy/v1, and all since.
_selects("policy/v1", _)

_selects("policy/v1beta1", wanted) if count(wanted) > 0

_matching := {i: found |
	some i, pod in workloads.pod
	not input.documents[i].fragment
	found := {wanted |
		some wanted in _candidates(i)
		selectors.met(wanted, pod.labels)
	}
}

_candidates(i) := _broad | {wanted |
	some key, value in workloads.pod[i].labels
	some wanted in _by_pair[[key, value]]
}

_distinct := {wanted | some wanted in required}

_by_pair := values.grouped({[pair, wanted] | some wanted in _distinct; some pair in selectors.anchors(wanted)})

_broad := {wanted | some wanted in _distinct; count(selectors.anchors(wanted)) == 0}

_located := values.grouped({[[wanted, scope], b] | some b, wanted in required; some scope in places.scopes[b]})

# By selector, and whether it may be in any namespace: one that names none may be meant for every workload.
_elsewhere := values.grouped({[[wanted, any_namespace], b] |
	some b, wanted in required
	some any_namespace in {true, places.namespace[b] != ""}
})
