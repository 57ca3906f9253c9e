# METADATA
# title: Values
# description: |
#   Reading fields that may be absent, null or of a wrong type; functions here never fail and are always defined,
#   unless they say so.
package gracegate.lib.values

# METADATA
# title: A whole number
# description: The value where it is a whole number, else the fallback, as the API server takes null and absent fields.
whole(value, fallback) := number if {
	number := _whole(value)
} else := fallback

# METADATA
# title: A text
# description: The value where it is a string, else an empty string.
text(value) := value if {
	is_string(value)
} else := ""

# METADATA
# title: Is it a variable to be filled in?
# description: |
#   As $PORT, ${PORT}, @PORT@, <port> or {{port}} of a file that some program completes before it is applied. No name
#   of Kubernetes has such characters, so nothing can be said of what will stand there.
is_variable(value) if regex.match(`[$@%<>{}]`, text(value))

# METADATA
# title: A list
# description: The value where it is an array, else an empty array.
list(value) := value if {
	is_array(value)
} else := []

# METADATA
# title: A map of texts
# description: The entries of the value whose values are strings; an empty object where it is no object.
texts(value) := {key: entry | some key, entry in value; is_string(entry)} if {
	is_object(value)
} else := {}

# METADATA
# title: Groups by key
# description: |
#   Turns a set of [key, member] into an object of sets of members, in linear time in both engines: grouping in a
#   partial rule, or in a comprehension whose keys repeat, is quadratic in OPA; sort and object.union_n are in Wasm.
grouped(pairs) := {keys[text]: {member | some member in members} | some text, members in filled} if {
	named := [[json.marshal(pair[0]), pair] | some pair in pairs]
	keys := {text: key | some [text, key] in {[text, pair[0]] | some [text, pair] in named}}
	empty := {text: {} | some text, _ in keys}
	filled := json.patch(empty, [step |
		some [text, pair] in named
		step := {"op": "add", "path": [text, json.marshal(pair[1])], "value": pair[1]}
	])
}

# Whole numbers beyond 2^53 are no longer exact in every engine.
_whole(value) := floor(value) if {
	is_number(value)
	floor(value) == value
	abs(value) < 9007199254740992
}
