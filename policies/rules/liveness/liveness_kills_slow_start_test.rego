package gracegate.rules.liveness["liveness-kills-slow-start_test"]

import data.gracegate.rules.liveness["liveness-kills-slow-start"] as rule
import data.gracegate.rules.liveness["startup-budget-exceeds-progress-deadline"] as deadline
import data.gracegate.testing

liveness := testing.inside(["livenessProbe"])

ask := {"httpGet": {"path": "/live", "port": "http"}}

# A container with these fields besides those of the honest one.
web(fields) := testing.replace_at(
	testing.web,
	testing.container,
	object.union(testing.web.spec.template.spec.containers[0], fields),
)

# The readinessProbe starts after these seconds.
late(probe, seconds) := {
	"livenessProbe": probe,
	"readinessProbe": object.union(ask, {"initialDelaySeconds": seconds}),
}

slow(image) := {"image": image, "livenessProbe": ask}

found(batch) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_killed_before_the_readiness_probe if {
	at := {"document": 0, "path": liveness}
	batch := testing.batch([web(late(object.union(ask, {"initialDelaySeconds": 5, "timeoutSeconds": 3}), 60))])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"measure": 25,
			"message": concat("", [
				`Container "web" is restarted before it can become ready: its livenessProbe fails after 35 s, `,
				"but its readinessProbe starts only after 60 s.",
			]),
		}},
		"fix": {{"at": at, "patch": [
			{
				"op": "add",
				"path": testing.inside(["startupProbe"]),
				"value": {
					"failureThreshold": 30,
					"httpGet": {"path": "/live", "port": "http"},
					"periodSeconds": 5,
					"timeoutSeconds": 3,
				},
			},
			{"op": "remove", "path": array.concat(liveness, ["initialDelaySeconds"])},
		]}},
	}
}

test_messages[note] if {
	some note, case in {
		"slow": [slow("tomcat:9"), ["warning", concat("", [
			`Container "web" is restarted if it takes more than 30 s to start: its livenessProbe fails then, `,
			"and apps like the one in its image often take longer.",
		])]],
		"delayed": [{"livenessProbe": object.union(ask, {"initialDelaySeconds": 120})}, ["info", concat("", [
			`Container "web" is not watched for 120 s after each start, and is restarted if it takes more than 150 s to start: `,
			"its livenessProbe waits a fixed time, a startupProbe only as long as the start takes.",
		])]],
	}
	violations := rule.violation with input as testing.batch([web(case[0])])
	{[violation.level, violation.message] | some violation in violations} == {case[1]}
}

test_levels[note] if {
	some note, case in {
		"just in time": [late(ask, 30), "error"],
		"a second before": [late(ask, 29), ""],
		"the last moment for a slow one": [
			object.union(slow("jenkins:2"), {"livenessProbe": object.union(ask, {"initialDelaySeconds": 29})}),
			"warning",
		],
		"enough for a slow one": [
			object.union(slow("jenkins:2"), {"livenessProbe": object.union(ask, {"initialDelaySeconds": 30})}),
			"",
		],
		"a long delay": [{"livenessProbe": object.union(ask, {"initialDelaySeconds": 60})}, "info"],
		"less than a long delay": [{"livenessProbe": object.union(ask, {"initialDelaySeconds": 59})}, ""],
	}
	found(testing.batch([web(case[0])])) == {case[1]} - {""}
}

# An open port may be there long before the app is ready.
test_another_question if {
	fields := {"livenessProbe": {"tcpSocket": {"port": "http"}}, "readinessProbe": {"initialDelaySeconds": 60}}
	violations := rule.violation with input as testing.batch([web(fields)])
	{[violation.level, violation.message] | some violation in violations} == {["warning", concat("", [
		`Container "web" may be restarted before it can become ready: its livenessProbe fails after 30 s, `,
		"but its readinessProbe starts only after 60 s.",
	])]}
}

test_slow_images[image] if {
	some image in [
		"registry.example/java-web:1",
		"openjdk:17",
		"registry.example/web:1.2-jre17",
		"quay.io/keycloak/keycloak",
		"docker.elastic.co/elasticsearch/elasticsearch:8.1",
		"registry.example/Spring-Boot-web",
	]
	found(testing.batch([web(slow(image))])) == {"warning"}
}

test_images_that_are_not_slow[image] if {
	some image in [
		"registry.example/javascript:1",
		"java.example/web:1",
		"elasticsearch-exporter:1",
		"keycloak-operator",
		"registry.example/tomcats",
		"",
		null,
		["java"],
	]
	found(testing.batch([web(slow(image))])) == set()
}

test_silent_on[note] if {
	some note, batch in {
		"no livenessProbe": testing.batch([web({"readinessProbe": {"initialDelaySeconds": 60}})]),
		"no readinessProbe": testing.batch([testing.remove_at(
			web({"livenessProbe": ask}),
			testing.inside(["readinessProbe"]),
		)]),
		"a readinessProbe without a handler": testing.batch([testing.replace_at(
			web({"livenessProbe": ask}),
			testing.inside(["readinessProbe"]),
			{"initialDelaySeconds": 60},
		)]),
		"a startupProbe": testing.batch([web(object.union(late(ask, 60), {"startupProbe": ask}))]),
		"delays that are no numbers": testing.batch([web(late(object.union(ask, {"initialDelaySeconds": "90"}), {}))]),
		"delays of nothing": testing.batch([web(late(object.union(ask, {"initialDelaySeconds": null}), 0))]),
		"delays below zero": testing.batch([web(late(object.union(ask, {"initialDelaySeconds": -90}), -60))]),
		"a Job": testing.batch([object.union(web(late(ask, 60)), {"apiVersion": "batch/v1", "kind": "Job"})]),
		"a fragment": testing.batch_of([testing.fragment(web(late(ask, 60)), "a/b")]),
	}
	found(batch) == set()
}

test_a_startup_probe_without_handler[note] if {
	some note, probe in {"null": null, "empty": {}, "string": "http"}
	batch := testing.batch([web(object.union(late(ask, 60), {"startupProbe": probe}))])
	found(batch) == {"error"}
	fixes := rule.fix with input as batch
	[step.op | some fix in fixes; some step in fix.patch] == ["replace"]
}

# The startupProbe is never less patient than what it replaces.
test_budget_of_the_startup_probe[note] if {
	some note, case in {
		"at least": [late(ask, 30), [5, 30]],
		"of the delay of readiness": [late(ask, 200), [5, 60]],
		"of the delay of liveness": [{"livenessProbe": object.union(ask, {"initialDelaySeconds": 301})}, [5, 91]],
		"of the tries of liveness": [
			{"livenessProbe": object.union(ask, {"initialDelaySeconds": 60, "failureThreshold": 20})},
			[5, 52],
		],
		"as slow as the responses": [late(object.union(ask, {"timeoutSeconds": 20}), 60), [20, 8]],
	}
	fixes := rule.fix with input as testing.batch([web(case[0])])
	{[step.value.periodSeconds, step.value.failureThreshold] |
		some fix in fixes
		some step in fix.patch
		step.op != "remove"
	} == {case[1]}
}

ready := {"path": "/ready", "port": "http"}

test_no_copy_of_an_invalid_probe[note] if {
	some note, handler in {
		"a port that is not known": {"tcpSocket": {"port": "nope"}},
		"no port": {"tcpSocket": {"port": 0}},
		"no command": {"exec": {"command": []}},
	}
	batch := testing.batch([web({"livenessProbe": object.union(handler, {"initialDelaySeconds": 60})})])
	found(batch) == {"info"}
	fixes := rule.fix with input as batch
	[step.value.httpGet | some fix in fixes; some step in fix.patch; step.op == "add"] == [ready]
	without := testing.batch([testing.remove_at(batch.documents[0].object, testing.inside(["readinessProbe"]))])
	other_fixes := rule.fix with input as without
	{fix.class | some fix in other_fixes} == {"text"}
}

# The readinessProbe asks another port, and the container does not declare that of the livenessProbe, whose delay stays.
test_copies_the_readiness_probe if {
	probe := {"tcpSocket": {"port": 81}, "initialDelaySeconds": 300}
	fixes := rule.fix with input as testing.batch([web({"livenessProbe": probe})])
	[step.value.httpGet | some fix in fixes; some step in fix.patch] == [ready]
}

test_a_fixed_copy_of_a_rejected_probe if {
	batch := testing.batch([web(late({"exec": {"command": ["test", 1]}}, 60))])
	fixes := rule.fix with input as batch
	[step.value.exec.command | some fix in fixes; some step in fix.patch] == [["test", "1"]]
}

test_extends_the_progress_deadline if {
	workload := testing.set(web(late(ask, 60)), ["spec", "progressDeadlineSeconds"], 120)
	batch := testing.batch([workload])
	fixes := rule.fix with input as batch
	[step.value | some fix in fixes; some step in fix.patch; step.path[1] == "progressDeadlineSeconds"] == [240]
	fixed := object.union(batch, testing.fixed_documents(batch, fixes))
	left := rule.violation | deadline.violation with input as fixed
	left == set()
}

test_fixed[note] if {
	some note, fields in {
		"killed": late(ask, 60),
		"slow": slow("tomcat:9"),
		"delayed": {"livenessProbe": object.union(ask, {"initialDelaySeconds": 500})},
	}
	some kind in ["Deployment", "StatefulSet"]
	batch := testing.batch([object.union(web(fields), {"kind": kind})])
	fixes := rule.fix with input as batch
	count(fixes) == 1
	fixed := object.union(batch, testing.fixed_documents(batch, fixes))
	left := rule.violation | deadline.violation with input as fixed
	left == set()
}
