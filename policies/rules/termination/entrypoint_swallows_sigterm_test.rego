package gracegate.rules.termination["entrypoint-swallows-sigterm_test"]

import data.gracegate.rules.termination["entrypoint-swallows-sigterm"] as rule
import data.gracegate.testing

web(command) := testing.with_container(["command"], command)

batch_for(workload) := testing.batch([workload, testing.service])

found(workload) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as batch_for(workload)
}

becomes(script) := {step.value | some fix in fixes; some step in fix.patch} if {
	fixes := rule.fix with input as batch_for(web(["sh", "-c", script]))
}

test_a_script_that_keeps_the_signal if {
	at := {"document": 0, "path": testing.inside(["command", 2])}
	batch := batch_for(web(["sh", "-c", "npm i && node app.js"]))
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat("", [
				`Container "web" may be killed with its requests after 30 s: `,
				`"sh" may not forward SIGTERM to the app.`,
			]),
		}},
		"fix": {{
			"at": at,
			"patch": [{"op": "replace", "path": at.path, "value": "npm i && exec node app.js"}],
			"assumption": "The last command of the script is the app.",
		}},
	}
}

test_a_package_manager if {
	at := {"document": 0, "path": testing.inside(["command"])}
	batch := batch_for(web(["/usr/bin/npm", "start"]))
	got := {"violation": rule.violation, "fix": rule.fix, "possible": rule.possible} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "info",
			"message": concat("", [
				`Container "web" may be killed with its requests after 30 s: `,
				`"npm" may not forward SIGTERM to the app.`,
			]),
		}},
		"fix": {{"at": at, "class": "text", "advice": "Start the app itself, as in `command: [node, server.js]`."}},
		"possible": {at},
	}
}

test_silent_on[note] if {
	some note, command in {
		"no shell": ["node", "app.js"],
		"an init before npm": ["tini", "--", "npm", "start"],
		"exec": ["sh", "-c", "exec node app.js"],
		"exec at the end": ["/bin/bash", "-ec", "export A=1; exec node app.js"],
		"exec with a variable": ["sh", "-c", "cd /x && A=1 exec node app.js"],
		"exec in both branches": ["sh", "-c", "if [ -f x ]; then exec a; else exec b; fi"],
		"trap": ["sh", "-c", "trap 'kill $p' TERM; node app.js & p=$!; wait $p"],
		"an init": ["sh", "-c", "tini -- node app.js | tee log"],
		"an init before the shell": ["tini", "--", "sh", "-c", "node app.js"],
		"nothing to stop": ["sh", "-c", "while true; do sleep 1; done; sleep infinity"],
		"a file to follow": ["sh", "-c", "start && tail -f /dev/null"],
		"one command for bash": ["bash", "-c", "node app.js"],
		"a file": ["sh", "/start.sh"],
		"no script": ["sh", "-c"],
		"a number": ["sh", "-c", 1],
		"a string": "sh -c app",
		"an object": {"sh": "-c"},
		"empty": [],
		"null": null,
	}
	found(web(command)) == set()
}

test_silent_on_omitted_fields if found(testing.web) == set()

test_args_without_a_command if found(testing.with_container(["args"], ["sh", "-c", "a && b"])) == set()

test_silent_on_workloads[note] if {
	keeping := web(["sh", "-c", "a && b"])
	some note, workload in {
		"a Job": object.union(keeping, {"apiVersion": "batch/v1", "kind": "Job"}),
		"shared processes": testing.set(keeping, ["spec", "template", "spec", "shareProcessNamespace"], true),
		"a hook that may stop the app": testing.set(
			keeping,
			testing.inside(["lifecycle", "preStop"]),
			{"exec": {"command": ["/stop.sh"]}},
		),
	}
	found(workload) == set()
}

test_without_shared_processes[note] if {
	some note, value in {"false": false, "null": null, "string": "true"}
	workload := testing.set(web(["sh", "-c", "app"]), ["spec", "template", "spec", "shareProcessNamespace"], value)
	found(workload) == {"warning"}
}

test_silent_on_fragments if {
	rule.violation == set() with input as testing.batch_of([testing.fragment(web(["sh", "-c", "a; b"]), "a/b")])
}

test_levels[note] if {
	some note, case in {
		"sh of an unknown image": [["sh", "-c", "app"], "x:1", {"warning"}],
		"sh of alpine": [["sh", "-c", "app"], "x:1-alpine", set()],
		"several of alpine": [["sh", "-c", "cd /x && app"], "x:1-alpine", {"info"}],
		"several of bash": [["bash", "-c", "cd /x && app"], "x:1", {"info"}],
		"lines of bash": [["bash", "-c", "cd /x\napp"], "x:1", {"info"}],
		"a pipeline of bash": [["bash", "-c", "app | tee log"], "x:1", {"warning"}],
		"a loop of bash": [["bash", "-c", "while true; do app; done"], "x:1", {"warning"}],
		"a way out of alpine": [["sh", "-c", "app || exit 1"], "alpine", {"warning"}],
		"in the background": [["bash", "-c", "app & wait"], "x:1", {"warning"}],
		"dash": [["dash", "-c", "app"], "x:1", {"warning"}],
		"an image that is no string": [["sh", "-c", "app"], {}, {"warning"}],
	}
	found(testing.set(web(case[0]), testing.inside(["image"]), case[1])) == case[2]
}

test_not_served if {
	violations := rule.violation with input as testing.batch([web(["dash", "-c", "app"])])
	{[violation.level, violation.message] | some violation in violations} == {["info", concat("", [
		`Container "web" is killed with its work after 30 s: "dash" does not forward SIGTERM to the app.`,
	])]}
}

test_without_a_grace_period if {
	workload := testing.set(web(["dash", "-c", "app"]), ["spec", "template", "spec", "terminationGracePeriodSeconds"], 0)
	messages := {violation.message | some violation in rule.violation} with input as testing.batch([workload])
	messages == {concat("", [
		`Container "web" is killed with its work at the end of its grace period: `,
		`"dash" does not forward SIGTERM to the app.`,
	])}
}

test_for_metrics_only if {
	metrics := testing.set(testing.service, ["spec", "ports", 0, "name"], "metrics")
	violations := rule.violation with input as testing.batch([web(["sh", "-c", "app"]), metrics])
	{violation.level | some violation in violations} == {"info"}
}

test_a_script_among_the_arguments if {
	workload := testing.set(web(["/bin/sh", "-c"]), testing.inside(["args"]), ["cd /x; app", "name"])
	fixes := rule.fix with input as batch_for(workload)
	[step | some fix in fixes; some step in fix.patch] == [{
		"op": "replace",
		"path": testing.inside(["args", 0]),
		"value": "cd /x; exec app",
	}]
}

test_fixed_scripts[note] if {
	some note, case in {
		"one": ["app --port 80", "exec app --port 80"],
		"variables": ["cd /x;A=1 B=$C app", "cd /x;A=1 B=$C exec app"],
		"lines": ["set -e\n# start\n  ./app \\\n    --debug\n", "set -e\n# start\n  exec ./app \\\n    --debug\n"],
		"a redirection": ["a && app > log 2>&1 ;", "a && exec app > log 2>&1 ;"],
		"a branch before it": ["if x; then y; fi; app", "if x; then y; fi; exec app"],
		"quotes": [`. env; "$APP" 'a;b'`, `. env; exec "$APP" 'a;b'`],
	}
	becomes(case[0]) == {case[1]}
	fixes := rule.fix with input as batch_for(web(["sh", "-c", case[0]]))
	fixed := testing.fixed_documents(batch_for(web(["sh", "-c", case[0]])), fixes)
	rule.violation == set() with input as object.union(batch_for(testing.web), fixed)
}

test_scripts_without_a_fix[note] if {
	some note, script in {
		"a pipeline": "app | tee log",
		"an alternative": "app || exit 1",
		"the background": "app &",
		"a loop": "for i in 1 2; do app; done",
		"words after the app": "app; echo done",
		"a variable with spaces": `A="b c" app`,
		"a document": "cat <<EOF\napp\nEOF\napp",
		"a comment": "app\n# ready",
		"a subshell": "a; (app)",
	}
	becomes(script) == set()
	fixes := rule.fix with input as batch_for(web(["sh", "-c", script]))
	{fix.class | some fix in fixes} == {"text"}
}
