package gracegate.rules.liveness["liveness-hair-trigger_test"]

import data.gracegate.rules.liveness["liveness-as-aggressive-as-readiness"] as aggressive
import data.gracegate.rules.liveness["liveness-hair-trigger"] as rule
import data.gracegate.testing

liveness := testing.inside(["livenessProbe"])

question(pace) := testing.batch([testing.with_container(
	["livenessProbe"],
	object.union({"httpGet": {"path": "/live", "port": "http"}}, pace),
)])

found(asked) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as asked
}

test_a_single_try if {
	at := {"document": 0, "path": array.concat(liveness, ["failureThreshold"])}
	asked := question({"failureThreshold": 1, "timeoutSeconds": 2})
	got := {"violation": rule.violation, "fix": rule.fix} with input as asked
	got == {
		"violation": {{
			"at": at,
			"message": concat(" ", [
				`One answer that takes longer than 2 s restarts container "web":`,
				"its livenessProbe gives up after a single try.",
			]),
		}},
		"fix": {at: {"patch": [{"op": "replace", "path": at.path, "value": 3}]}},
	}
}

test_few_seconds if {
	at := {"document": 0, "path": array.concat(liveness, ["periodSeconds"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as question({"periodSeconds": 3})
	got == {
		"violation": {{
			"at": at,
			"message": `A pause of 9 s restarts container "web": its livenessProbe gives up after 3 tries, 3 s apart.`,
		}},
		"fix": {at: {"patch": [{"op": "add", "path": array.concat(liveness, ["failureThreshold"]), "value": 10}]}},
	}
}

test_two_tries if {
	asked := question({"periodSeconds": 4, "failureThreshold": 2})
	found(asked) == {array.concat(liveness, ["failureThreshold"])}
}

test_silent_on[note] if {
	some note, asked in {
		"defaults": question({}),
		"defaults, written": question({"periodSeconds": 10, "failureThreshold": 3}),
		"zeros": question({"periodSeconds": 0, "failureThreshold": 0}),
		"nulls": question({"periodSeconds": null, "failureThreshold": null}),
		"wrong types": question({"periodSeconds": {}, "failureThreshold": "1"}),
		"fractions": question({"failureThreshold": 1.5}),
		"ten seconds": question({"periodSeconds": 5, "failureThreshold": 2}),
		"many short tries": question({"periodSeconds": 1, "failureThreshold": 10}),
		"no probe": testing.batch([testing.web]),
		"a probe that asks nothing": testing.batch([testing.with_container(["livenessProbe"], {"failureThreshold": 1})]),
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
	found(asked) == set()
}

test_more_patience_is_asked_for if {
	asked := object.union(question({"periodSeconds": 5}), {"params": {"liveness-hair-trigger": {"least_seconds": 20}}})
	found(asked) == {array.concat(liveness, ["periodSeconds"])}
}

# A probe that is also as fast as the readinessProbe gets one answer from both rules.
test_agrees_with_the_rule_on_readiness if {
	asked := testing.batch([testing.with_container(
		["livenessProbe"],
		{"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 2},
	)])
	fixes := {"one": rule.fix, "other": aggressive.fix} with input as asked
	{step | some fix in fixes.one; some step in fix.patch} == {step | some fix in fixes.other; some step in fix.patch}
	mended := object.union(asked, testing.mended(asked, fixes.one))
	left := rule.violation | aggressive.violation with input as mended
	left == set()
}
