package gracegate.lib.values_test

import data.gracegate.lib.values

test_whole[note] if {
	some note, case in {
		"a number": [3, 3],
		"with a point": [3.0, 3],
		"a fraction": [3.5, 7],
		"a text": ["3", 7],
		"null": [null, 7],
		"too big to be exact": [9007199254740993, 7],
		"negative": [-1, -1],
	}
	values.whole(case[0], 7) == case[1]
}

test_text if [values.text("a"), values.text(1), values.text(null)] == ["a", "", ""]

test_is_variable if {
	{"$PORT", "${PORT}", "@PORT@", "<port>", "{{port}}"} == {word |
		some word in ["$PORT", "${PORT}", "@PORT@", "<port>", "{{port}}", "http", "http-2", "8080", ""]
		values.is_variable(word)
	}
}

test_list if [values.list([1]), values.list("a"), values.list({})] == [[1], [], []]

test_texts if [values.texts({"a": "b", "c": 1}), values.texts("a"), values.texts(null)] == [{"a": "b"}, {}, {}]

test_grouped if {
	values.grouped({["b", 2], ["a", 1], ["b", 1], [["c"], 1]}) == {"a": {1}, "b": {1, 2}, ["c"]: {1}}
	values.grouped(set()) == {}
}
