package gracegate.rules.validity["field-unsupported_test"]

import data.gracegate.rules.validity["field-unsupported"] as rule
import data.gracegate.testing

stopped := testing.with_container(["lifecycle", "stopSignal"], "SIGQUIT")

at_version(manifest, minor) := testing.at_version(testing.batch([manifest]), minor)

test_a_field_of_a_later_version if {
	at := {"document": 0, "path": testing.inside(["lifecycle", "stopSignal"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as at_version(stopped, 32)
	got == {
		"violation": {{"at": at, "message": concat(" ", [
			`Clusters before 1.33 reject or drop field "lifecycle.stopSignal" of container "web":`,
			"min_kubernetes_version is 1.32.",
		])}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": `Remove the field, or set "min_kubernetes_version" to 1.33 once no older cluster is left.`,
		}},
	}
}

test_fields_of_a_later_version[note] if {
	some note, case in {
		"a budget": [
			testing.set(testing.budget, ["spec", "unhealthyPodEvictionPolicy"], "AlwaysAllow"),
			25,
			["spec", "unhealthyPodEvictionPolicy"],
		],
		"a new type is said once": [
			testing.with_container(["restartPolicyRules"], [{"action": "Restart", "exitCodes": {"operator": "In"}}]),
			33,
			testing.inside(["restartPolicyRules"]),
		],
	}
	violations := rule.violation with input as at_version(case[0], case[1])
	{violation.at.path | some violation in violations} == {case[2]}
}

test_silent_on[note] if {
	some note, batch in {
		"its version": at_version(stopped, 33),
		"null": at_version(testing.with_container(["lifecycle", "stopSignal"], null), 32),
		"the native sleep, which another rule reports": at_version(testing.web, 28),
		"a version that nobody named": object.union(
			at_version(stopped, 30),
			{"cluster": {"min_minor_is_assumed": true}},
		),
	}
	violations := rule.violation with input as batch
	violations == set()
}
