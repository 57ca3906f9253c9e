package gracegate.rules.termination["prestop-prefer-native-sleep_test"]

import data.gracegate.rules.termination["grace-period-exhausted"] as exhausted
import data.gracegate.rules.termination["prestop-prefer-native-sleep"] as rule
import data.gracegate.testing

hook := testing.inside(["lifecycle", "preStop"])

exec(command) := {"exec": {"command": command}}

batch_for(action) := testing.batch([testing.with_container(["lifecycle", "preStop"], action)])

slept(action) := {step.value.sleep.seconds | some fix in fixes; some step in fix.patch} if {
	fixes := rule.fix with input as batch_for(action)
}

test_a_program_that_sleeps if {
	at := {"document": 0, "path": array.concat(hook, ["exec", "command"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch_for(exec(["sleep", "10"]))
	got == {
		"violation": {{
			"at": at,
			"message": concat("", [
				`Container "web" drains only while its image has the program sleep: its preStop hook calls it for 10 s, `,
				"which Kubernetes can do itself.",
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "replace", "path": hook, "value": {"sleep": {"seconds": 10}}}]}},
	}
}

test_seconds[note] if {
	some note, case in {
		"a script": [["/bin/sh", "-c", "sleep 15"], 15],
		"of a folder": [["bash", "-ec", " exec /bin/sleep 5s; "], 5],
		"several": [["sleep", "10", "2.5"], 13],
	}
	slept(exec(case[0])) == {case[1]}
}

test_silent_on[note] if {
	some note, action in {
		"native sleep": {"sleep": {"seconds": 10}},
		"a script that does more": exec(["sh", "-c", "sleep 10; nginx -s quit"]),
		"a script that does more first": exec(["sh", "-c", "nginx -s quit; sleep 10"]),
		"a variable": exec(["sh", "-c", "sleep $N"]),
		"another program": exec(["/stop.sh"]),
		"no time": exec(["sleep", "0"]),
		"a hook that is wrong": exec(["sleep 10"]),
		"a word that is no string": exec(["sleep", 10]),
		"no words": exec([]),
		"httpGet": {"httpGet": {"port": 80}},
		"null": null,
		"nothing": {},
		"a string": "sleep 10",
	}
	rule.violation == set() with input as batch_for(action)
}

test_before_native_sleep if {
	rule.violation == set() with input as testing.at_version(batch_for(exec(["sleep", "10"])), 29)
}

test_silent_on_fragments if {
	workload := testing.with_container(["lifecycle", "preStop"], exec(["sleep", "10"]))
	rule.violation == set() with input as testing.batch_of([testing.fragment(workload, "a/b")])
}

test_a_worse_rule_reports if {
	batch := batch_for(exec(["sleep", "60"]))
	rule.violation == set() with input as batch
	count(exhausted.violation) == 1 with input as batch
}

test_a_short_drain_is_left_to_prestop_drain_too_short if {
	workload := testing.with_container(["lifecycle", "preStop"], exec(["sleep", "2"]))
	batch := object.union(
		testing.batch([workload, testing.service]),
		{"cluster": {"least_drain_seconds": {}}},
	)
	rule.violation == set() with input as batch
}
