# METADATA
# title: Selectors
# description: What a label selector with matchLabels and matchExpressions selects.
package gracegate.lib.selectors

import data.gracegate.lib.values

# METADATA
# title: What a selector requires
# description: |
#   A list of [key, operator, values]. Undefined where the API server would refuse the selector, or where it is none; an
#   empty one requires nothing.
requirements(selector) := sort(array.concat(pairs, expressions)) if {
	is_object(selector)
	labels := _object(object.get(selector, "matchLabels", null))
	pairs := [[key, "In", [value]] | some key, value in labels; is_string(value)]
	count(pairs) == count(labels)
	stated := _array(object.get(selector, "matchExpressions", null))
	expressions := [found | some stating in stated; found := _requirement(stating)]
	count(expressions) == count(stated)
}

# METADATA
# title: Do labels meet all requirements?
met(requirements, labels) if {
	every requirement in requirements {
		_meets(requirement[1], requirement[2], _label(labels, requirement[0]))
	}
}

# METADATA
# title: Pairs of which labels have to hold one
# description: |
#   Of one of the requirements, so that a selector can be looked up by a label. Empty where no requirement names values.
anchors(requirements) := found[0] if {
	found := [pairs |
		some [key, "In", wanted] in requirements
		pairs := [[key, value] | some value in wanted]
	]
	count(found) > 0
} else := []

_object(value) := value if is_object(value)

_object(null) := {}

_array(value) := value if is_array(value)

_array(null) := []

_requirement(stating) := [stating.key, stating.operator, sort(stating.values)] if {
	is_string(stating.key)
	stating.operator in {"In", "NotIn"}
	is_array(stating.values)
	count(stating.values) > 0
}

_requirement(stating) := [stating.key, stating.operator, []] if {
	is_string(stating.key)
	stating.operator in {"DoesNotExist", "Exists"}
	count(values.list(object.get(stating, "values", []))) == 0
}

# None or one.
_label(labels, key) := [labels[key]] if {
	labels[key]
} else := []

_meets("In", wanted, label) if label[0] in wanted

_meets("NotIn", wanted, label) if count([value | some value in label; value in wanted]) == 0

_meets("Exists", _, label) if count(label) == 1

_meets("DoesNotExist", _, label) if count(label) == 0
