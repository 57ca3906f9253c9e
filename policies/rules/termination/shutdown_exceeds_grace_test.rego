package gracegate.rules.termination["shutdown-exceeds-grace_test"]

import data.gracegate.rules.termination["shutdown-exceeds-grace"] as rule
import data.gracegate.testing

grace := ["spec", "template", "spec", "terminationGracePeriodSeconds"]

without_hook := testing.remove_at(testing.web, testing.inside(["lifecycle"]))

# web with these variables, this preStop hook and so many seconds of grace.
web(variables, hook, seconds) := testing.set(hooked, grace, seconds) if {
	entries := [{"name": name, "value": value} | some name, value in variables]
	hooked := testing.set(
		testing.set(testing.web, testing.inside(["env"]), entries),
		testing.inside(["lifecycle"]),
		{"preStop": hook},
	)
}

found(workload) := {[violation.level, violation.measure] | some violation in violations} if {
	violations := rule.violation with input as testing.batch([workload, testing.service])
}

test_a_delay_and_a_drain if {
	app := web({"DRAIN_INITIAL_DELAY": "15", "DRAIN_MAX_WAIT": "55"}, null, 60)
	at := {"document": 0, "path": testing.inside(["env", 1, "value"])}
	got := {
		"violation": rule.violation,
		"related": rule.related,
		"possible": rule.possible,
		"fix": rule.fix,
	} with input as testing.batch([app, testing.service])
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"measure": 10,
			"message": concat(" ", [
				`Container "web" may be killed before it has shut down:`,
				`"DRAIN_INITIAL_DELAY" (15 s) plus "DRAIN_MAX_WAIT" (55 s) exceed the 60 s grace period.`,
			]),
		}},
		"related": {{
			"at": at,
			"places": [
				{
					"document": 0,
					"path": testing.inside(["env", 0, "value"]),
					"note": `"DRAIN_INITIAL_DELAY": 15 s`,
				},
				{"document": 0, "path": testing.inside(["env", 1, "value"]), "note": `"DRAIN_MAX_WAIT": 55 s`},
				{"document": 0, "path": grace, "note": "grace period: 60 s, but 70 s are needed"},
			],
		}},
		"possible": {at},
		"fix": {{
			"at": at,
			"patch": [{
				"op": "replace",
				"path": grace,
				"value": 85,
				"reason": "preStop (10 s) and shutdown (70 s) have to fit",
			}],
		}},
	}
}

messages(workload) := {violation.message | some violation in violations} if {
	violations := rule.violation with input as testing.batch([workload, testing.service])
}

ask := {"httpGet": {"path": "/health/drain", "port": "http"}}

test_messages[note] if {
	some note, case in {
		"documented": [
			testing.set(without_hook, testing.inside(["args"]), ["vllm", "serve", "--shutdown-timeout", "60"]),
			[`is killed before it has shut down: "--shutdown-timeout" (60 s) exceeds the 30 s`],
		],
		"a hook that waits for the app": [
			web({"GRACEFUL_SHUTDOWN_TIMEOUT": "30s"}, ask, 30),
			[
				"may be killed before it has shut down: preStop (up to 30 s) plus",
				`"GRACEFUL_SHUTDOWN_TIMEOUT" (30 s) exceed the 30 s`,
			],
		],
		"a hook of unknown length": [
			web({"SHUTDOWN_GRACE_MS": "300000"}, {"exec": {"command": ["/stop"]}}, null),
			[`may be killed before it has shut down: preStop plus "SHUTDOWN_GRACE_MS" (300 s) exceed the 30 s`],
		],
		"a hook that ends at once": [
			web({"SHUTDOWN_GRACE_MS": "300000"}, {"exec": {"command": ["touch", "/stop"]}}, null),
			[`may be killed before it has shut down: "SHUTDOWN_GRACE_MS" (300 s) exceeds the 30 s`],
		],
	}
	messages(case[0]) == {concat(" ", [`Container "web"`, concat(" ", case[1]), "grace period."])}
}

test_silent_on[note] if {
	some note, workload in {
		"nothing stated": without_hook,
		"enough": web({"SHUTDOWN_TIMEOUT": "30s"}, null, 30),
		"a grace period that is a variable": web({"SHUTDOWN_TIMEOUT": "90s"}, null, "${GRACE}"),
		"zero grace, of another rule": web({"SHUTDOWN_TIMEOUT": "90s"}, null, 0),
		"a hook of a known time, of another rule": web({"SHUTDOWN_TIMEOUT": "90s"}, {"sleep": {"seconds": 5}}, 30),
		"a hook with a defect, of another rule": web(
			{"SHUTDOWN_TIMEOUT": "90s"},
			{"exec": {"command": ["sleep 5"]}},
			30,
		),
		"an annotation": testing.set(
			web({"SHUTDOWN_TIMEOUT": "90s"}, null, 30),
			["metadata", "annotations"],
			{"gracegate.dev/app-drain-seconds": "5"},
		),
		"a Job": object.union(
			web({"SHUTDOWN_TIMEOUT": "90s"}, null, 30),
			{"apiVersion": "batch/v1", "kind": "Job"},
		),
		"no replicas": testing.set(web({"SHUTDOWN_TIMEOUT": "90s"}, null, 30), ["spec", "replicas"], 0),
	}
	found(workload) == set()
}

test_silent_on_what_nobody_sends_to if {
	violations := rule.violation with input as testing.batch([web({"SHUTDOWN_TIMEOUT": "90s"}, null, 30)])
	violations == set()
}

test_silent_on_fragments if {
	patch := testing.fragment(web({"SHUTDOWN_TIMEOUT": "90s"}, null, 30), "apps/web.yaml")
	service := testing.document(testing.service, "apps/web.yaml")
	violations := rule.violation with input as testing.batch_of([patch, service])
	violations == set()
}

test_levels[note] if {
	app := web({"SHUTDOWN_TIMEOUT": "90s"}, null, 30)
	metrics := testing.set(testing.service, ["spec", "ports"], [{"name": "metrics", "port": 80, "targetPort": 9090}])
	unnamed := testing.set(testing.service, ["spec", "ports"], [{"port": 80, "targetPort": 9000}])
	helper := {"name": "other", "image": "x"}
	several := testing.set(app, ["spec", "template", "spec", "containers", 1], helper)
	some note, case in {
		"served": [[app, testing.service], {["warning", 60]}],
		"metrics only": [[app, metrics], {["info", 60]}],
		"one of several": [[several, unnamed], {["warning", 60]}],
	}
	violations := rule.violation with input as testing.batch(case[0])
	{[violation.level, violation.measure] | some violation in violations} == case[1]
}

# A drain that prestop-drain-missing suggests has to fit in too.
test_fixes[note] if {
	some note, case in {
		"no hook": [
			testing.remove_at(
				web({"SHUTDOWN_TIMEOUT": "90s"}, null, 30),
				testing.inside(["lifecycle"]),
			),
			{["safe", 105]},
		],
		"a hook that waits for the app": [web({"SHUTDOWN_TIMEOUT": "90s"}, ask, 30), {["safe", 185]}],
		"a hook of unknown length": [
			web({"SHUTDOWN_TIMEOUT": "90s"}, {"exec": {"command": ["/stop"]}}, 30),
			{["assumes", 95]},
		],
	}
	batch := testing.batch([case[0], testing.service])
	fixes := rule.fix with input as batch
	{[object.get(fix, "class", "safe"), step.value] | some fix in fixes; some step in fix.patch} == case[1]
	violations := rule.violation with input as object.union(batch, testing.fixed_documents(batch, fixes))
	violations == set()
}
