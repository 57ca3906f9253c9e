# METADATA
# title: Text
# description: Messages with names and numbers in them, misspelt names, and lines of YAML that advice shows.
package gracegate.lib.text

# METADATA
# title: Format
# description: |
#   The template with each {} replaced by the next argument, a string or a whole number. Rules use this instead of
#   sprintf, which the Wasm build has to call on its host: a hundred times the cost, and most of a rule's time.
format(template, arguments) := concat("", [piece |
	some position, part in split(template, "{}")
	some piece in array.concat([part], _argument(arguments, position))
])

# METADATA
# title: Number
# description: |
#   The digits of a whole number. Rules use this instead of format_int, which fails in Wasm beyond 32 bits.
number(value) := json.marshal(floor(value))

# METADATA
# title: Nearest name
# description: |
#   The only one of the names that differs from the word in one letter, one letter more or less, or two neighbouring
#   letters swapped. Undefined if there is not exactly one.
nearest(word, names) := near[0] if {
	near := [name | some name in names; count(_shortened(name) & _shortened(word)) > 0]
	count(near) == 1
}

# METADATA
# title: YAML scalar
# description: The string, quoted if YAML would otherwise not read it as this string.
yaml_scalar(value) := value if {
	regex.match(`^[A-Za-z][A-Za-z0-9._/-]*$`, value)
	not regex.match(`^(?i:true|false|yes|no|on|off|y|n|null)$`, value)
} else := json.marshal(value)

# METADATA
# title: YAML lines of a map of strings
# description: One line for each key, sorted, with the indent before it. Values that are no strings are left out.
yaml_lines(indent, map) := [line |
	some key in sort([key | some key, value in map; is_string(value)])
	line := concat("", [indent, yaml_scalar(key), ": ", yaml_scalar(map[key])])
]

_argument(arguments, position) := [arguments[position]] if {
	is_string(arguments[position])
} else := [number(arguments[position])] if {
	is_number(arguments[position])
} else := []

# The word itself, and every string that is left when one letter is left out.
_shortened(word) := {word} | {shorter |
	some index in numbers.range(1, count(word))
	shorter := concat("", [substring(word, 0, index - 1), substring(word, index, -1)])
}
