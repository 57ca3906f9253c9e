# METADATA
# title: Selectors
# description: What a label selector with matchLabels and matchExpressions selects.
package gracegate.lib.selectors

import data.gracegate.lib.values

# METADATA
# title: Requirements of a selector
# description: |
#   A list of [key, operator, values]. Undefined if the API server would reject the selector, or if there is none; an
#   empty selector requires nothing.
requirements(selector) := sort(array.concat(pairs, expressions)) if {
	is_object(selector)
	labels := _object(object.get(selector, "matchLabels", null))
	pairs := [[key, "In", [value]] | some key, value in labels; is_string(value)]
	count(pairs) == count(labels)
	stated := _array(object.get(selector, "matchExpressions", null))
	expressions := [requirement | some expression in stated; requirement := _requirement(expression)]
	count(expressions) == count(stated)
}

# METADATA
# title: Do labels match all requirements?
matches(requirements, labels) if {
	every requirement in requirements {
		_matches(requirement[1], requirement[2], _label(labels, requirement[0]))
	}
}

# METADATA
# title: Label pairs to look a selector up by
# description: |
#   The [key, value] pairs of one of the requirements: matching labels have one of them. Empty if no requirement names
#   values.
index_pairs(requirements) := found[0] if {
	found := [pairs |
		some [key, "In", accepted] in requirements
		pairs := [[key, value] | some value in accepted]
	]
	count(found) > 0
} else := []

_object(value) := value if is_object(value)

_object(null) := {}

_array(value) := value if is_array(value)

_array(null) := []

_requirement(expression) := [expression.key, expression.operator, sort(expression.values)] if {
	is_string(expression.key)
	expression.operator in {"In", "NotIn"}
	is_array(expression.values)
	count(expression.values) > 0
}

_requirement(expression) := [expression.key, expression.operator, []] if {
	is_string(expression.key)
	expression.operator in {"DoesNotExist", "Exists"}
	count(values.list(object.get(expression, "values", []))) == 0
}

# A list of the label's value, empty if there is no such label.
_label(labels, key) := [labels[key]] if {
	labels[key]
} else := []

_matches("In", named, label) if label[0] in named

_matches("NotIn", named, label) if count([value | some value in label; value in named]) == 0

_matches("Exists", _, label) if count(label) == 1

_matches("DoesNotExist", _, label) if count(label) == 0
