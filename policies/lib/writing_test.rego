package gracegate.lib.writing_test

import data.gracegate.lib.writing

test_scalar[note] if {
	some note, case in {
		"a name": ["web", "web"],
		"a label": ["app.kubernetes.io/name", "app.kubernetes.io/name"],
		"a number": ["8080", `"8080"`],
		"a truth": ["Yes", `"Yes"`],
		"nothing": ["", `""`],
		"a colon": ["a: b", `"a: b"`],
	}
	writing.scalar(case[0]) == case[1]
}

test_texts if writing.texts("  ", {"b": "true", "a": "x", "c": 1}) == ["  a: x", `  b: "true"`]
