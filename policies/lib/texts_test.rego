package gracegate.lib.texts_test

import data.gracegate.lib.texts

test_filled[note] if {
	some note, case in {
		"words and numbers": ["{} of {}", ["one", 3], "one of 3"],
		"nothing to fill": ["one", [], "one"],
		"a word that looks like a place": ["{} and {}", ["{}", "b"], "{} and b"],
		"ends with one": ["is {}", ["x"], "is x"],
	}
	texts.filled(case[0], case[1]) == case[2]
}
