package gracegate.rules.readiness["readiness-slow-to-detect_test"]

import data.gracegate.rules.readiness["readiness-slow-to-detect"] as rule
import data.gracegate.testing

ready := {"httpGet": {"path": "/ready", "port": "http"}}

web(settings) := testing.with_container(["readinessProbe"], object.union(ready, settings))

found(objects) := {violation.measure | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_many_tries if {
	at := {"document": 0, "path": testing.inside(["readinessProbe"])}
	batch := testing.batch([web({"failureThreshold": 7}), testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "info",
			"measure": 70,
			"message": concat(" ", [
				`Container "web" gets requests for 70 s after it stopped answering:`,
				"its readinessProbe fails after 7 tries, 10 s apart.",
			]),
		}},
		"fix": {{
			"at": at,
			"assumption": "The app, when it is healthy, answers its readinessProbe once in 30 s even under load.",
			"patch": [{"op": "replace", "path": array.concat(at.path, ["failureThreshold"]), "value": 3}],
		}},
	}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_silent_on[note] if {
	metrics := testing.set(testing.service, ["spec", "ports"], [{"name": "metrics", "port": 80, "targetPort": 9090}])
	some note, objects in {
		"defaults": [testing.web, testing.service],
		"as long as it may take": [web({"periodSeconds": 20}), testing.service],
		"no probe": [testing.with_container(["readinessProbe"], null), testing.service],
		"a variable": [web({"periodSeconds": "${PERIOD}"}), testing.service],
		"nobody sends to it": [web({"periodSeconds": 60})],
		"only metrics": [web({"periodSeconds": 60}), metrics],
		"no replicas": [testing.set(web({"periodSeconds": 60}), ["spec", "replicas"], 0), testing.service],
	}
	found(objects) == set()
}

test_both_numbers if {
	found([web({"periodSeconds": 60, "failureThreshold": 5}), testing.service]) == {300}
	fixes := rule.fix with input as testing.batch([
		web({"periodSeconds": 60, "failureThreshold": 5}),
		testing.service,
	])
	[[step.path[6], step.value] | some fix in fixes; some step in fix.patch] == [
		["failureThreshold", 3],
		["periodSeconds", 10],
	]
}
