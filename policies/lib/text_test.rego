package gracegate.lib.text_test

import data.gracegate.lib.text

test_format[note] if {
	some note, case in {
		"strings and numbers": ["{} of {}", ["one", 3], "one of 3"],
		"no placeholder": ["one", [], "one"],
		"an argument that looks like a placeholder": ["{} and {}", ["{}", "b"], "{} and b"],
		"placeholder at the end": ["is {}", ["x"], "is x"],
	}
	text.format(case[0], case[1]) == case[2]
}

test_nearest[note] if {
	some note, case in {
		"one letter more": ["httpp", {"http", "admin"}],
		"one letter less": ["htp", {"http", "admin"}],
		"another letter": ["hutp", {"http", "admin"}],
		"two swapped": ["htpt", {"http", "admin"}],
	}
	text.nearest(case[0], case[1]) == "http"
}

test_no_near_name if not text.nearest("health", {"http", "admin"})

test_two_near_names if not text.nearest("web", {"web1", "web2"})

test_letters_of_any_script if text.nearest("größ", {"größe"}) == "größe"

test_yaml_scalar[note] if {
	some note, case in {
		"a name": ["web", "web"],
		"a label": ["app.kubernetes.io/name", "app.kubernetes.io/name"],
		"a number": ["8080", `"8080"`],
		"a boolean": ["Yes", `"Yes"`],
		"an empty string": ["", `""`],
		"a colon": ["a: b", `"a: b"`],
	}
	text.yaml_scalar(case[0]) == case[1]
}

test_yaml_lines if text.yaml_lines("  ", {"b": "true", "a": "x", "c": 1}) == ["  a: x", `  b: "true"`]
