package gracegate.rules.termination["grace-period-exhausted_test"]

import data.gracegate.rules.termination["grace-period-exhausted"] as rule
import data.gracegate.testing

grace := ["spec", "template", "spec", "terminationGracePeriodSeconds"]

# A web whose hook is `hook`, with a grace period of `seconds`.
web(hook, seconds) := testing.set(testing.with_container(["lifecycle", "preStop"], hook), grace, seconds)

sleep(seconds) := {"sleep": {"seconds": seconds}}

exec(command) := {"exec": {"command": command}}

found(workload) := {[violation.level, violation.measure] | some violation in violations} if {
	violations := rule.violation with input as testing.batch([workload])
}

test_a_hook_as_long_as_the_grace_period if {
	at := {"document": 0, "path": testing.inside(["lifecycle", "preStop"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([web(exec(["sleep", "60"]), 60)])
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"measure": 10,
			"message": concat("", [
				`Container "web" is killed before it can shut down: `,
				"preStop (60 s) plus shutdown (10 s, app_drain_seconds) exceed the 60 s grace period.",
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "replace", "path": grace, "value": 75}]}},
	}
}

# The numbers of the fix are not those of the message then.
test_a_hook_that_has_to_last_longer if {
	app := testing.set(web(sleep(3), 12), testing.inside(["args"]), ["gunicorn", "--graceful-timeout", "45"])
	fixes := rule.fix with input as testing.batch([app, testing.service])
	[step | some fix in fixes; some step in fix.patch] == [{
		"op": "replace",
		"path": grace,
		"value": 60,
		"reason": "preStop (10 s) and shutdown (45 s) have to fit",
	}]
}

test_silent_on[note] if {
	some note, workload in {
		"room for both": web(sleep(10), 30),
		"just enough": web(sleep(20), 30),
		"no hook": testing.remove_at(testing.web, testing.inside(["lifecycle"])),
		"a hook of unknown duration": web(exec(["/stop.sh"]), 5),
		"a loop": web(exec(["sh", "-c", "while busy; do sleep 60; done"]), 30),
		"a variable": web(exec(["sh", "-c", "sleep 60; sleep $MORE"]), 30),
		"in the background": web(exec(["sh", "-c", "sleep 60 &"]), 30),
		"a hook that is wrong": web(exec(["sleep 60"]), 30),
		"no time at all": web(sleep(0), 0),
		"seconds that are no number": web(sleep("60"), 30),
		"a Job": object.union(web(sleep(60), 60), {"apiVersion": "batch/v1", "kind": "Job"}),
	}
	found(workload) == set()
}

test_seconds[note] if {
	some note, case in {
		"less than the app needs": [web(sleep(25), 30), {["warning", 5]}],
		"minutes": [web(exec(["/bin/sleep", "1m", "5"]), 70), {["warning", 5]}],
		"fractions": [web(exec(["sleep", "29.5s"]), 30), {["error", 10]}],
		"a script": [web(exec(["/bin/bash", "-ec", "sleep 20 && nginx -s quit; sleep 15"]), 30), {["error", 15]}],
		"gunicorn": [
			testing.set(web(sleep(10), 30), testing.inside(["command"]), ["gunicorn", "app"]),
			{["warning", 10]},
		],
		"gunicorn's own number": [
			testing.set(web(sleep(10), 30), testing.inside(["args"]), ["gunicorn", "--graceful-timeout", "45"]),
			{["warning", 25]},
		],
		"an environment for gunicorn": [
			testing.set(
				web(sleep(10), 30),
				testing.inside(["env"]),
				[{"name": "GUNICORN_CMD_ARGS", "value": "--graceful-timeout=25"}, "x"],
			),
			{["warning", 5]},
		],
		"spring": [
			testing.set(
				web(sleep(10), 30),
				testing.inside(["env"]),
				[{"name": "SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", "value": "30s"}],
			),
			{["warning", 10]},
		],
		"istio": [
			testing.set(
				web(sleep(10), 30),
				["spec", "template", "metadata", "annotations"],
				{"proxy.istio.io/config": "terminationDrainDuration: 30s"},
			),
			{["warning", 10]},
		],
		"an annotation, over all": [
			testing.set(
				testing.set(web(sleep(10), 30), testing.inside(["command"]), ["gunicorn"]),
				["metadata", "annotations"],
				{"gracegate.dev/app-drain-seconds": "40"},
			),
			{["warning", 20]},
		],
		"an annotation that is no number": [
			testing.set(web(sleep(25), 30), ["metadata", "annotations"], {"gracegate.dev/app-drain-seconds": "long"}),
			{["warning", 5]},
		],
	}
	found(case[0]) == case[1]
}

test_defaults[note] if {
	some note, seconds in {"30": 30, "null": null}
	found(web(sleep(30), seconds)) == {["error", 10]}
}

test_silent_on_an_unknown_grace_period[note] if {
	some note, seconds in {"a string": "60", "an object": {}, "a variable": "${GRACE}"}
	found(web(sleep(30), seconds)) == set()
}

test_default_grace_period if found(testing.with_container(["lifecycle", "preStop"], sleep(30))) == {["error", 10]}

test_zero_is_left_to_grace_period_zero if found(web(sleep(10), 0)) == set()

test_a_sleep_that_the_image_lacks_is_left_to_prestop_command_not_in_image if {
	found(testing.set(web(exec(["sleep", "60"]), 60), testing.inside(["image"]), "scratch")) == set()
}

test_a_rejected_sleep_is_left_to_prestop_sleep_unsupported if found(web(sleep(60), 30)) == set()

test_silent_on_fragments if {
	batch := testing.batch_of([testing.fragment(web(sleep(60), 60), "apps/web.yaml")])
	rule.violation == set() with input as batch
}

test_extension_for_all_containers if {
	other := {"name": "other", "image": "x", "lifecycle": {"preStop": sleep(90)}}
	workload := testing.set(web(sleep(60), 60), ["spec", "template", "spec", "containers", 1], other)
	batch := testing.batch([workload])
	fixes := rule.fix with input as batch
	{step.value | some fix in fixes; some step in fix.patch} == {105}
	fixed := testing.fixed_documents(batch, {fix | some fix in fixes; fix.at.path[4] == 0})
	rule.violation == set() with input as object.union(batch, fixed)
}

test_the_parameter_is_the_least if {
	batch := object.union(
		testing.batch([web(sleep(10), 30)]),
		{"params": {"grace-period-exhausted": {"least_seconds": 25}}},
	)
	{violation.measure | some violation in rule.violation} == {5} with input as batch
}

# Where a time comes from, as far as the container states it, and whether that is only likely by its name.
test_places_of_the_seconds[note] if {
	at := {"document": 0, "path": testing.inside(["lifecycle", "preStop"])}
	end := {"document": 0, "path": grace, "note": "grace period: 30 s, but 55 s are needed"}
	hook := {"document": 0, "path": at.path, "note": "preStop: 10 s"}
	longer := {"document": 0, "path": at.path, "note": "preStop: 30 s"}
	variable := {"document": 0, "path": testing.inside(["env", 0, "value"]), "note": `"SHUTDOWN_TIMEOUT": 45 s`}
	flag := {"document": 0, "path": testing.inside(["args", 0]), "note": `"--graceful-timeout": 45 s`}
	all_of_it := {"document": 0, "path": grace, "note": "grace period: 30 s, but 75 s are needed"}
	some note, case in {
		"a fallback": [web(sleep(30), 30), set(), set()],
		"a flag": [with_flag(sleep(10)), {{"at": at, "places": [hook, flag, end]}}, set()],
		"a variable": [with_variable(sleep(10)), {{"at": at, "places": [hook, variable, end]}}, {at}],
		"no time at all": [
			with_variable(exec(["sleep", "30"])),
			{{"at": at, "places": [longer, variable, all_of_it]}},
			set(),
		],
	}
	got := {"related": rule.related, "possible": rule.possible} with input as testing.batch([case[0]])
	got == {"related": case[1], "possible": case[2]}
}

with_flag(hook) := testing.set(web(hook, 30), testing.inside(["args"]), ["--graceful-timeout=45"])

with_variable(hook) := testing.set(
	web(hook, 30),
	testing.inside(["env"]),
	[{"name": "SHUTDOWN_TIMEOUT", "value": "45s"}],
)

shutdown_in(message) := regex.find_all_string_submatch_n(`shutdown \(([^)]*)\)`, message, 1)[0][1]

test_origin_of_the_seconds[note] if {
	annotated := testing.set(web(sleep(30), 30), ["metadata", "annotations"], {"gracegate.dev/app-drain-seconds": "25"})
	some note, case in {
		"app_drain_seconds": [web(sleep(30), 30), 10, "10 s, app_drain_seconds"],
		"least_seconds": [web(sleep(30), 30), 20, "20 s, least_seconds"],
		"annotation": [annotated, 10, "25 s"],
		"a flag": [
			testing.set(web(sleep(30), 30), testing.inside(["args"]), ["--graceful-timeout=25"]),
			10,
			`25 s, "--graceful-timeout"`,
		],
		"the annotation beside a flag": [
			testing.set(annotated, testing.inside(["args"]), ["--graceful-timeout=25"]),
			10,
			"25 s",
		],
	}
	violations := rule.violation with input as object.union(
		testing.batch([case[0]]),
		{"params": {"grace-period-exhausted": {"least_seconds": case[1]}}},
	)
	{shutdown_in(violation.message) | some violation in violations} == {case[2]}
}
