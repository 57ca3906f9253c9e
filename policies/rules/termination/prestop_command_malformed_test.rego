package gracegate.rules.termination["prestop-command-malformed_test"]

import data.gracegate.rules.termination["prestop-command-malformed"] as rule
import data.gracegate.testing

hook := testing.inside(["lifecycle", "preStop"])

batch_for(action) := testing.batch([testing.with_container(["lifecycle", "preStop"], action)])

exec(command) := {"exec": {"command": command}}

test_one_word_with_spaces if {
	at := {"document": 0, "path": array.concat(hook, ["exec", "command", 0])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch_for(exec(["sleep 10"]))
	got == {
		"violation": {{
			"at": at,
			"message": concat("", [
				`Container "web" never drains: its preStop hook always fails, `,
				`because "['sleep 10']" is one program name; write "['sleep', '10']".`,
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "replace", "path": hook, "value": {"sleep": {"seconds": 10}}}]}},
	}
}

test_silent_on[note] if {
	some note, action in {
		"words": exec(["sleep", "10"]),
		"several durations": exec(["sleep", "1m", "2.5"]),
		"forever": exec(["sleep", "infinity"]),
		"a variable time": exec(["sleep", "${DRAIN}"]),
		"a variable command": exec("{{ .command }}"),
		"a path with spaces": exec(["/opt/my app/stop.sh"]),
		"a script of a shell": exec(["sh", "-c", "sleep 10; nginx -s quit"]),
		"a script with variables": exec(["sh", "-c", "sleep $SECONDS"]),
		"a file for a shell": exec(["bash", "/stop.sh", "now"]),
		"a script with its name": exec(["sh", "-c", "nginx -s quit", "stop"]),
		"a word of a script that is not the command": exec(["sh", "-c", "echo sleep tight"]),
		"httpGet": {"httpGet": {"path": "/drain", "port": "http"}},
		"native sleep": {"sleep": {"seconds": 5}},
		"null": null,
	}
	violations := rule.violation with input as batch_for(action)
	violations == set()
}

test_no_hook_at_all if {
	workload := testing.remove_at(testing.web, testing.inside(["lifecycle"]))
	rule.violation == set() with input as testing.batch([workload])
}

# The hook, the path of its defect, and the fix.
wrong := {
	"a program of a folder": [exec(["/usr/sbin/nginx -s quit"]), ["exec", "command", 0], "assumes"],
	"words of a program": [exec(["nginx -s quit"]), ["exec", "command", 0], "assumes"],
	"words that a shell would read": [exec(["nginx -s quit; sleep 5"]), ["exec", "command", 0], "text"],
	"a shell without -c": [exec(["sh", "sleep", "10"]), ["exec", "command", 1], 10],
	"a script without -c": [exec(["bash", "nginx -s quit"]), ["exec", "command", 1], "text"],
	"a script in pieces": [exec(["/bin/sh", "-c", "sleep", "10"]), ["exec", "command", 2], 10],
	"another script in pieces": [exec(["sh", "-c", "nginx", "-s", "quit"]), ["exec", "command", 2], "assumes"],
	"quotes": [exec([`sh -c "sleep 15"`]), ["exec", "command", 0], 15],
	"a number": [exec(["sleep", 20]), ["exec", "command", 1], 20],
	"a boolean": [exec(["sleep", true]), ["exec", "command", 1], "text"],
	"a unit": [exec(["sleep", "10seconds"]), ["exec", "command"], 10],
	"minutes": [exec(["sleep", "1 m"]), ["exec", "command"], 60],
	"a word": [exec(["sleep", "ten"]), ["exec", "command"], "text"],
	"no seconds": [exec(["sleep"]), ["exec", "command"], "text"],
	"a word in a script": [exec(["sh", "-c", "nginx -s quit; sleep ten"]), ["exec", "command"], "text"],
	"no seconds in a script": [exec(["sh", "-c", "sleep; nginx -s quit"]), ["exec", "command"], "text"],
	"no command": [{"exec": {}}, ["exec", "command"], "text"],
	"a string": [exec("sleep 10"), ["exec", "command"], 10],
	"another string": [exec("nginx -s quit"), ["exec", "command"], "text"],
	"a string in place of exec": [{"exec": "sleep 10"}, [], 10],
	"a list in place of exec": [{"exec": ["sleep", "10"]}, [], 10],
	"tcpSocket": [{"tcpSocket": {"port": 80}}, ["tcpSocket"], "text"],
	"httpGet without port": [{"httpGet": {"path": "/"}}, ["httpGet"], "text"],
	"nothing": [{}, [], "text"],
	"two": [{"exec": {"command": ["a"]}, "sleep": {"seconds": 5}}, [], "text"],
	"a hook that is a string": ["sleep 10", [], 10],
	"a hook that is a list": [["sleep", "10"], [], 10],
	"a sleep that is a number": [{"sleep": 10}, [], 10],
	"a sleep that is a string": [{"sleep": "ten"}, [], "text"],
}

test_wrong[note] if {
	some note, case in wrong
	violations := rule.violation with input as batch_for(case[0])
	{violation.at.path | some violation in violations} == {array.concat(hook, case[1])}
}

test_fixes[note] if {
	some note, case in wrong
	fixes := rule.fix with input as batch_for(case[0])
	{outcome(fix) | some fix in fixes} == {case[2]}
}

test_fixed[note] if {
	some note, case in {note: case | some note, case in wrong; case[2] != "text"}
	fixes := rule.fix with input as batch_for(case[0])
	fixed := testing.fixed_documents(batch_for(case[0]), fixes)
	rule.violation == set() with input as object.union(batch_for(case[0]), fixed)
}

outcome(fix) := fix.patch[0].value.sleep.seconds

outcome(fix) := fix.class

test_fixed_commands[note] if {
	some note, case in {
		"words": [["nginx  -s quit"], ["nginx", "-s", "quit"]],
		"script": [["sh", "-c", "nginx", "-s", "quit"], ["sh", "-c", "nginx -s quit"]],
	}
	fixes := rule.fix with input as batch_for(exec(case[0]))
	{step.value | some fix in fixes; some step in fix.patch} == {case[1]}
}

test_before_native_sleep if {
	fixes := rule.fix with input as testing.at_version(batch_for(exec(["sleep 10"])), 29)
	{step.value | some fix in fixes; some step in fix.patch} == {{"exec": {"command": ["sleep", "10"]}}}
}

test_extends_the_grace_period if {
	fixes := rule.fix with input as batch_for(exec(["sleep 60"]))
	[step.value | some fix in fixes; some step in fix.patch] == [{"sleep": {"seconds": 60}}, 75]
}

test_seconds_of_the_exposure if {
	batch := object.union(
		testing.batch([testing.with_container(["lifecycle", "preStop"], exec(["sleep 2"])), testing.service]),
		{"cluster": {"least_drain_seconds": {}}},
	)
	fixes := rule.fix with input as batch
	[step.value | some fix in fixes; some step in fix.patch] == [{"sleep": {"seconds": 10}}]
}

test_no_program_to_sleep_with if {
	workload := testing.set(
		testing.with_container(["lifecycle", "preStop"], exec(["sleep 10"])),
		testing.inside(["image"]),
		"scratch",
	)
	fixes := rule.fix with input as testing.at_version(testing.batch([workload]), 29)
	{fix.class | some fix in fixes} == {"text"}
}

test_everywhere_but_no_sleep_in_a_sidecar if {
	sidecar := {"name": "proxy", "image": "x", "restartPolicy": "Always", "lifecycle": {"preStop": exec(["sleep 5"])}}
	workload := testing.set(testing.web, ["spec", "template", "spec", "initContainers"], [sidecar])
	job := object.union(workload, {"apiVersion": "batch/v1", "kind": "Job"})
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([job])
	[violation.at.path[3] | some violation in got.violation] == ["initContainers"]
	{fix.class | some fix in got.fix} == {"text"}
}

test_a_fragment_gets_advice_only if {
	workload := testing.with_container(["lifecycle", "preStop"], exec(["sleep 5"]))
	batch := testing.batch_of([testing.fragment(workload, "a/b")])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	count(got.violation) == 1
	{fix.class | some fix in got.fix} == {"text"}
}

test_rejected_by_the_api_server if {
	violations := rule.violation with input as batch_for(exec(["sleep", 10]))
	{violation.message | some violation in violations} == {concat("", [
		`The API server rejects container "web": `,
		"its preStop hook has a command whose word 2 is not a string.",
	])}
}

test_only_subjects if rule.violation == set() with input as testing.batch_of([testing.fact(testing.web, "a/b")])
