package gracegate.lib.drains_test

import data.gracegate.lib.drains
import data.gracegate.testing

container := testing.container

exec(command) := {"exec": {"command": command}}

web(action) := testing.with_container(["lifecycle", "preStop"], action)

batch_for(action) := object.union(
	testing.batch([web(action), testing.service]),
	{"cluster": {"least_drain_seconds": {}}},
)

test_sleep_hooks[note] if {
	some note, case in {
		"native": [{"sleep": {"seconds": 7}}, [true, 7]],
		"a program": [exec(["/bin/sleep", "7"]), [false, 7]],
		"a script": [exec(["sh", "-c", "sleep 7"]), [false, 7]],
		"one with a defect": [exec(["sleep 7"]), [false, 7]],
		"one with a number": [exec(["sh", "-c", "sleep", 7]), [false, 7]],
	}
	found := drains.sleep_hooks[0][container] with input as batch_for(case[0])
	[found.native, found.seconds] == case[1]
}

test_no_sleep_hooks[note] if {
	some note, action in {
		"more": exec(["sh", "-c", "sleep 7; nginx -s quit"]),
		"something else": exec(["/stop"]),
		"a defect": exec([7]),
		"nothing": null,
	}
	found := drains.sleep_hooks with input as batch_for(action)
	found == {0: {}}
}

test_valid_sleep[note] if {
	some note, case in {"some": [1, 30], "0": [0, 33], "null": [null, 37]}
	drains.is_valid_sleep(case[0], case[1])
}

test_invalid_sleep[note] if {
	some note, case in {"0": [0, 32], "null": [null, 30], "negative": [-1, 37], "a string": ["1", 37], "a half": [0.5, 37]}
	not drains.is_valid_sleep(case[0], case[1])
}

test_recommended_seconds[note] if {
	some note, case in {
		"long enough": [{"sleep": {"seconds": 7}}, 7],
		"too short": [{"sleep": {"seconds": 2}}, 10],
		"negative": [{"sleep": {"seconds": -2}}, 10],
		"a script that does more": [exec(["sh", "-c", "sleep 2; nginx -s quit"]), 10],
	}
	seconds := drains.recommended_seconds[0][container] with input as batch_for(case[0])
	seconds == case[1]
}

test_sleep_steps[note] if {
	some note, case in {
		"as it is": [{"sleep": {"seconds": 7}}, 30, []],
		"longer": [{"sleep": {"seconds": 2}}, 30, [["seconds", 10]]],
		"native": [exec(["sleep", "7"]), 30, [["preStop", {"sleep": {"seconds": 7}}]]],
		"not native": [{"sleep": {"seconds": 7}}, 29, [["preStop", {"exec": {"command": ["sleep", "7"]}}]]],
	}
	steps := drains.sleep_steps[0][container] with input as testing.at_version(batch_for(case[0]), case[1])
	[[step.path[count(step.path) - 1], step.value] | some step in steps] == case[2]
}
