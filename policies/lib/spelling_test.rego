package gracegate.lib.spelling_test

import data.gracegate.lib.spelling

test_nearest[note] if {
	some note, case in {
		"one letter more": ["httpp", {"http", "admin"}],
		"one letter less": ["htp", {"http", "admin"}],
		"another letter": ["hutp", {"http", "admin"}],
		"two swapped": ["htpt", {"http", "admin"}],
	}
	spelling.nearest(case[0], case[1]) == "http"
}

test_none_is_near if not spelling.nearest("health", {"http", "admin"})

test_two_are_near if not spelling.nearest("web", {"web1", "web2"})

test_letters_of_any_script if spelling.nearest("größ", {"größe"}) == "größe"
