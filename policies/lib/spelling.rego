# METADATA
# title: Spelling
# description: Which of several names one was probably meant to be.
package gracegate.lib.spelling

# METADATA
# title: The one name that is meant
# description: |
#   Of those that differ from the word in one letter, one letter more or less, or two neighbours swapped. Undefined
#   unless it is exactly one.
nearest(word, names) := near[0] if {
	near := [name | some name in names; count(_shortened(name) & _shortened(word)) > 0]
	count(near) == 1
}

# The word itself, and all that is left of it when one letter is left out.
_shortened(word) := {word} | {shorter |
	some place in numbers.range(1, count(word))
	shorter := concat("", [substring(word, 0, place - 1), substring(word, place, -1)])
}
