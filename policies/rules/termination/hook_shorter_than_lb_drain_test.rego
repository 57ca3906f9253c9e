package gracegate.rules.termination["hook-shorter-than-lb-drain_test"]

import data.gracegate.rules.termination["hook-shorter-than-lb-drain"] as rule
import data.gracegate.testing

grace := ["spec", "template", "spec", "terminationGracePeriodSeconds"]

draining(seconds) := testing.set(testing.service, ["metadata", "annotations"], {
	"alb.ingress.kubernetes.io/target-group-attributes": concat("", [
		"deregistration_delay.timeout_seconds=",
		format_int(seconds, 10),
	]),
})

test_default_grace_period if {
	at := {"document": 0, "path": ["spec", "template", "spec"]}
	batch := testing.batch([testing.web, draining(120)])
	got := {"violation": rule.violation, "fix": rule.fix, "related": rule.related} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "info",
			"measure": 90,
			"message": concat(" ", [
				`The load balancer of Service "web" lets requests to Deployment "web" finish for 120 s,`,
				"but its pods are killed after 30 s.",
			]),
		}},
		"fix": {{
			"at": at,
			"assumption": "Requests take that long, and the app or its hook waits for them.",
			"patch": [{"op": "add", "path": grace, "value": 125}],
		}},
		"related": {{"at": at, "places": [{"document": 1, "path": []}]}},
	}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_place_of_a_grace_period_that_is_set if {
	violations := rule.violation with input as testing.batch([testing.set(testing.web, grace, 60), draining(120)])
	{[violation.at.path, violation.measure] | some violation in violations} == {[grace, 60]}
}

test_silent_on[note] if {
	some note, objects in {
		"nothing that is set": [testing.web, testing.service],
		"long enough": [testing.set(testing.web, grace, 120), draining(120)],
		"a variable": [testing.set(testing.web, grace, "${GRACE}"), draining(120)],
		"zero, of another rule": [testing.set(testing.web, grace, 0), draining(120)],
		"no replicas": [testing.set(testing.web, ["spec", "replicas"], 0), draining(120)],
		"another workload": [testing.set(testing.web, ["spec", "template", "metadata", "labels"], {}), draining(120)],
	}
	violations := rule.violation with input as testing.batch(objects)
	violations == set()
}
