package gracegate.lib.ports_test

import data.gracegate.lib.ports

test_declared_by[note] if {
	some note, case in {
		"none": [{}, []],
		"null": [{"ports": null}, []],
		"no list": [{"ports": "http"}, []],
		"no object": [{"ports": ["http"]}, []],
		"a name": [
			{"ports": [{"name": "http", "containerPort": 80}]},
			[{"position": 0, "name": "http", "number": 80, "protocol": "TCP", "target": "http"}],
		],
		"a number": [
			{"ports": [{"containerPort": 53, "protocol": "UDP"}]},
			[{"position": 0, "name": "", "number": 53, "protocol": "UDP", "target": 53}],
		],
	}
	ports.declared_by(case[0]) == case[1]
}

test_number_in[note] if {
	some note, case in {"digits": ["8080", 8080], "leading zeros": ["0080", 80], "zero": ["0", 0]}
	ports.number_in(case[0]) == case[1]
}

test_no_number_in[note] if {
	some note, value in {"a number": 80, "a name": "http", "empty": "", "too long": "123456", "null": null}
	not ports.number_in(value)
}

test_valid_names if {
	{"http", "a-1", "8080x"} == {name |
		some name in ["http", "a-1", "8080x", "8080", "HTTP", "a--b", "-a", "a-", "", "a234567890123456"]
		ports.is_valid_name(name)
	}
}

test_valid_numbers if {
	{1, 65535} == {number | some number in [-1, 0, 1, 65535, 65536]; ports.is_valid_number(number)}
}
