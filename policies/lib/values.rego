# METADATA
# title: Values
# description: |
#   Reads fields that may be absent, null or of a wrong type. The functions here never fail and are always defined,
#   unless their description says otherwise.
package gracegate.lib.values

# METADATA
# title: Integer
# description: The value if it is a whole number, else the fallback, as the API server reads null and absent fields.
integer(value, fallback) := number if {
	number := _integer(value)
} else := fallback

# METADATA
# title: Known number
# description: |
#   The value if it is a whole number, the fallback if it is null, as in `integer`. Undefined for anything else: nothing
#   is known of a variable, and the API server rejects text.
number(value, fallback) := found if {
	found := _integer(value)
} else := fallback if {
	value == null
}

# METADATA
# title: String
# description: The value if it is a string, else an empty string.
string(value) := value if {
	is_string(value)
} else := ""

# METADATA
# title: Is the value a placeholder?
# description: |
#   As $PORT, ${PORT}, @PORT@, <port>, {{port}} or ytt's #@ port in a file that another program completes before it is
#   applied. No name in Kubernetes has such characters, so nothing is known of the final value.
is_placeholder(value) if regex.match(`[$@<>{}]|%[A-Za-z_]\w*%`, string(value))

# METADATA
# title: List
# description: The value if it is an array, else an empty array.
list(value) := value if {
	is_array(value)
} else := []

# METADATA
# title: Map of strings
# description: The entries of the value whose values are strings; an empty object if the value is no object.
string_map(value) := {key: entry | some key, entry in value; is_string(entry)} if {
	is_object(value)
} else := {}

# METADATA
# title: Sorted documents
# description: |
#   A set of documents as a sorted list. OPA's Wasm sorts by insertion, in quadratic time unless the order was right
#   already: 16,000 documents cost it 10 seconds.
sorted_documents(documents) := sort(documents) if {
	count(documents) <= 64
} else := [d |
	some d in numbers.range(min(documents), max(documents))
	documents[d]
]

# METADATA
# title: Groups by key
# description: |
#   Turns a set or an array of [key, member] into an object of sets of members, in linear time in both engines:
#   grouping in a partial rule, or in a comprehension whose keys repeat, is quadratic in OPA; sort and object.union_n
#   are in Wasm. Keys and members get numbers: a text of each would cost a kilobyte of Wasm's memory.
groups(pairs) := {key: {member | some member in filled[name]} | some key, name in names} if {
	names := {key: format_int(n, 10) | some n, key in [key | some key in {pair[0] | some pair in pairs}]}
	filled := json.patch({name: {} | some name in names}, [step |
		some n, pair in [pair | some pair in pairs]
		step := {"op": "add", "path": [names[pair[0]], format_int(n, 10)], "value": pair[1]}
	])
}

# Whole numbers beyond 2^53 are not exact in every engine.
_integer(value) := floor(value) if {
	is_number(value)
	floor(value) == value
	abs(value) < 9007199254740992
}
