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
#   Turns a set of [key, member] into an object of sorted arrays of members. Sorting is what both engines do in good
#   time: a partial rule of sets is quadratic in OPA, object.union_n in Wasm.
grouped(pairs) := {sorted[start][0]: members |
	some n, start in starts
	members := [pair[1] | some pair in array.slice(sorted, start, ends[n])]
} if {
	sorted := sort(pairs)
	starts := [position | some position, pair in sorted; not sorted[position - 1][0] == pair[0]]
	ends := array.concat(array.slice(starts, 1, count(starts)), [count(sorted)])
}

# Whole numbers beyond 2^53 are no longer exact in every engine.
_whole(value) := floor(value) if {
	is_number(value)
	floor(value) == value
	abs(value) < 9007199254740992
}
