package gracegate.lib.values_test

import data.gracegate.lib.values

test_integer[note] if {
	some note, case in {
		"a number": [3, 3],
		"with a point": [3.0, 3],
		"a fraction": [3.5, 7],
		"a string": ["3", 7],
		"null": [null, 7],
		"too big to be exact": [9007199254740993, 7],
		"negative": [-1, -1],
	}
	values.integer(case[0], 7) == case[1]
}

test_number if {
	[number | some value in [3, null, 3.5, "3", "${X}", {}]; number := values.number(value, 7)] == [3, 7]
}

test_string if [values.string("a"), values.string(1), values.string(null)] == ["a", "", ""]

test_is_placeholder if {
	{"$PORT", "${PORT}", "@PORT@", "<port>", "{{port}}", "%PORT%", "#@ port"} == {word |
		some word in [
			"$PORT", "${PORT}", "@PORT@", "<port>", "{{port}}", "%PORT%", "#@ port",
			"http", "http-2", "8080", "25%", "",
		]
		values.is_placeholder(word)
	}
}

test_list if [values.list([1]), values.list("a"), values.list({})] == [[1], [], []]

test_string_map if {
	[values.string_map(value) | some value in [{"a": "b", "c": 1}, "a", null]] == [{"a": "b"}, {}, {}]
}

test_sorted_documents if {
	values.sorted_documents(set()) == []
	values.sorted_documents({7, 3}) == [3, 7]
	many := {n | some n in numbers.range(10, 200); n % 2 == 0}
	values.sorted_documents(many) == sort(many)
	values.sorted_documents(many | {400})[96] == 400
}

test_groups if {
	values.groups({["b", 2], ["a", 1], ["b", 1], [["c"], 1]}) == {"a": {1}, "b": {1, 2}, ["c"]: {1}}
	values.groups(set()) == {}
}
