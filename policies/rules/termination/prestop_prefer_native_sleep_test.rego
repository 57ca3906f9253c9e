package gracegate.rules.termination["prestop-prefer-native-sleep_test"]

import data.gracegate.rules.termination["grace-period-exhausted"] as exhausted
import data.gracegate.rules.termination["prestop-prefer-native-sleep"] as rule
import data.gracegate.testing

hook := testing.inside(["lifecycle", "preStop"])

exec(command) := {"exec": {"command": command}}

question(action) := testing.batch([testing.with_container(["lifecycle", "preStop"], action)])

slept(action) := {step.value.sleep.seconds | some fix in fixes; some step in fix.patch} if {
	fixes := rule.fix with input as question(action)
}

test_a_program_that_sleeps if {
	at := {"document": 0, "path": array.concat(hook, ["exec", "command"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as question(exec(["sleep", "10"]))
	got == {
		"violation": {{
			"at": at,
			"message": concat("", [
				`Container "web" drains only if its image has a sleep: its preStop hook calls that program for 10 s, `,
				"which Kubernetes can do itself.",
			]),
		}},
		"fix": {at: {"patch": [{"op": "replace", "path": hook, "value": {"sleep": {"seconds": 10}}}]}},
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
		"a word that is no text": exec(["sleep", 10]),
		"no words": exec([]),
		"httpGet": {"httpGet": {"port": 80}},
		"null": null,
		"nothing": {},
		"a text": "sleep 10",
	}
	rule.violation == set() with input as question(action)
}

test_before_native_sleep if {
	rule.violation == set() with input as testing.at_version(question(exec(["sleep", "10"])), 29)
}

test_a_fragment_is_not_judged if {
	workload := testing.with_container(["lifecycle", "preStop"], exec(["sleep", "10"]))
	rule.violation == set() with input as testing.questions([testing.fragment(workload, "a/b")])
}

test_a_worse_rule_speaks if {
	asked := question(exec(["sleep", "60"]))
	rule.violation == set() with input as asked
	count(exhausted.violation) == 1 with input as asked
}

test_a_drain_that_is_too_short_is_for_another_rule if {
	workload := testing.with_container(["lifecycle", "preStop"], exec(["sleep", "2"]))
	asked := object.union(
		testing.batch([workload, testing.service]),
		{"params": {"prestop-drain-too-short": {"least_seconds": {}}}},
	)
	rule.violation == set() with input as asked
}
