package gracegate.lib.related_places_test

import data.gracegate.lib.related_places

test_objects[note] if {
	some note, case in {
		"none": [set(), []],
		"a set": [{7, 3}, [3, 7]],
		"a list": [[3], [3]],
		"many": [{5, 4, 3, 2, 1}, [1, 2, 3]],
	}
	related_places.objects(case[0]) == [{"document": d, "path": []} | some d in case[1]]
}
