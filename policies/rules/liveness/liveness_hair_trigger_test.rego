package gracegate.rules.liveness["liveness-hair-trigger_test"]

import data.gracegate.rules.liveness["liveness-as-aggressive-as-readiness"] as aggressive
import data.gracegate.rules.liveness["liveness-hair-trigger"] as rule
import data.gracegate.testing

liveness := testing.inside(["livenessProbe"])

batch_for(pace) := testing.batch([testing.with_container(
	["livenessProbe"],
	object.union({"httpGet": {"path": "/live", "port": "http"}}, pace),
)])

found(batch) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_a_single_try if {
	at := {"document": 0, "path": array.concat(liveness, ["failureThreshold"])}
	batch := batch_for({"failureThreshold": 1, "timeoutSeconds": 2})
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"message": concat(" ", [
				`A single response slower than 2 s restarts container "web":`,
				"its livenessProbe fails after one try.",
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "replace", "path": at.path, "value": 3}]}},
	}
}

test_few_seconds if {
	at := {"document": 0, "path": array.concat(liveness, ["periodSeconds"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch_for({"periodSeconds": 3})
	got == {
		"violation": {{
			"at": at,
			"message": `A pause of 9 s restarts container "web": its livenessProbe fails after 3 tries, 3 s apart.`,
		}},
		"fix": {{"at": at, "patch": [{"op": "add", "path": array.concat(liveness, ["failureThreshold"]), "value": 10}]}},
	}
}

test_two_tries if {
	batch := batch_for({"periodSeconds": 4, "failureThreshold": 2})
	found(batch) == {array.concat(liveness, ["failureThreshold"])}
}

test_silent_on[note] if {
	some note, batch in {
		"defaults": batch_for({}),
		"defaults, written": batch_for({"periodSeconds": 10, "failureThreshold": 3}),
		"zeros": batch_for({"periodSeconds": 0, "failureThreshold": 0}),
		"nulls": batch_for({"periodSeconds": null, "failureThreshold": null}),
		"wrong types": batch_for({"periodSeconds": {}, "failureThreshold": "1"}),
		"fractions": batch_for({"failureThreshold": 1.5}),
		"ten seconds": batch_for({"periodSeconds": 5, "failureThreshold": 2}),
		"many short tries": batch_for({"periodSeconds": 1, "failureThreshold": 10}),
		"no probe": testing.batch([testing.web]),
		"a probe without a handler": testing.batch([testing.with_container(["livenessProbe"], {"failureThreshold": 1})]),
		"a readinessProbe": testing.batch([testing.with_container(["readinessProbe", "failureThreshold"], 1)]),
		"a bare pod": testing.batch([{
			"apiVersion": "v1",
			"kind": "Pod",
			"spec": testing.with_container(
				["livenessProbe"],
				{"failureThreshold": 1, "exec": {"command": ["/ok"]}},
			).spec.template.spec,
		}]),
	}
	found(batch) == set()
}

test_raises_the_liveness_threshold if {
	batch := object.union(batch_for({"periodSeconds": 5}), {"params": {"liveness-hair-trigger": {"least_seconds": 20}}})
	found(batch) == {array.concat(liveness, ["periodSeconds"])}
}

# A probe that is also as fast as the readinessProbe gets the same fix from both rules.
test_agrees_with_the_rule_on_readiness if {
	batch := testing.batch([testing.with_container(
		["livenessProbe"],
		{"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 2},
	)])
	fixes := {"one": rule.fix, "other": aggressive.fix} with input as batch
	{step | some fix in fixes.one; some step in fix.patch} == {step | some fix in fixes.other; some step in fix.patch}
	fixed := object.union(batch, testing.fixed_documents(batch, fixes.one))
	left := rule.violation | aggressive.violation with input as fixed
	left == set()
}
