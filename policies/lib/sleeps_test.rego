package gracegate.lib.sleeps_test

import data.gracegate.lib.sleeps
import data.gracegate.testing

container := testing.container

exec(command) := {"exec": {"command": command}}

web(action) := testing.with_container(["lifecycle", "preStop"], action)

asked(action) := object.union(
	testing.batch([web(action), testing.service]),
	{"params": {"prestop-drain-too-short": {"least_seconds": {}}}},
)

test_only[note] if {
	some note, case in {
		"native": [{"sleep": {"seconds": 7}}, [true, 7]],
		"a program": [exec(["/bin/sleep", "7"]), [false, 7]],
		"a script": [exec(["sh", "-c", "sleep 7"]), [false, 7]],
		"one that cannot": [exec(["sleep 7"]), [false, 7]],
		"one with a number": [exec(["sh", "-c", "sleep", 7]), [false, 7]],
	}
	found := sleeps.only[0][container] with input as asked(case[0])
	[found.native, found.seconds] == case[1]
}

test_not_only[note] if {
	some note, action in {
		"more": exec(["sh", "-c", "sleep 7; nginx -s quit"]),
		"something else": exec(["/stop"]),
		"what is wrong": exec([7]),
		"nothing": null,
	}
	found := sleeps.only with input as asked(action)
	found == {0: {}}
}

test_taken[note] if {
	some note, case in {"some": [1, 30], "0": [0, 33], "null": [null, 37]}
	sleeps.taken(case[0], case[1])
}

test_not_taken[note] if {
	some note, case in {"0": [0, 32], "null": [null, 30], "negative": [-1, 37], "text": ["1", 37], "a half": [0.5, 37]}
	not sleeps.taken(case[0], case[1])
}

test_wanted[note] if {
	some note, case in {
		"long enough": [{"sleep": {"seconds": 7}}, 7],
		"too short": [{"sleep": {"seconds": 2}}, 10],
		"negative": [{"sleep": {"seconds": -2}}, 10],
		"a script that does more": [exec(["sh", "-c", "sleep 2; nginx -s quit"]), 10],
	}
	wanted := sleeps.wanted[0][container] with input as asked(case[0])
	wanted == case[1]
}

test_nothing_is_too_short_where_nobody_asks if {
	objects := [web({"sleep": {"seconds": 1}}), testing.service]
	short := sleeps.short with input as testing.without_params(testing.batch(objects))
	short == {0: {}}
}

test_mend[note] if {
	some note, case in {
		"as it is": [{"sleep": {"seconds": 7}}, 30, []],
		"longer": [{"sleep": {"seconds": 2}}, 30, [["seconds", 10]]],
		"native": [exec(["sleep", "7"]), 30, [["preStop", {"sleep": {"seconds": 7}}]]],
		"not native": [{"sleep": {"seconds": 7}}, 29, [["preStop", {"exec": {"command": ["sleep", "7"]}}]]],
	}
	steps := sleeps.mend[0][container] with input as testing.at_version(asked(case[0]), case[1])
	[[step.path[count(step.path) - 1], step.value] | some step in steps] == case[2]
}
