# METADATA
# title: Texts
# description: |
#   Messages with names and numbers in them. Rules use this and not sprintf, which the Wasm build has to ask its host
#   for: that costs a hundred times as much, and most of a rule's time.
package gracegate.lib.texts

# METADATA
# title: A template, filled
# description: Each {} gives way to the next of the words, which are texts or whole numbers.
filled(template, words) := concat("", [piece |
	some position, part in split(template, "{}")
	some piece in array.concat([part], _text(words, position))
])

_text(words, position) := [words[position]] if {
	is_string(words[position])
} else := [format_int(words[position], 10)] if {
	is_number(words[position])
} else := []
