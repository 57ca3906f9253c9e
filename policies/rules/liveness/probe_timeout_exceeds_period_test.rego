package gracegate.rules.liveness["probe-timeout-exceeds-period_test"]

import data.gracegate.rules.liveness["probe-timeout-exceeds-period"] as rule
import data.gracegate.testing

# The readinessProbe of the honest container, with another pace.
question(pace) := testing.batch([testing.swap(
	testing.web,
	testing.inside(["readinessProbe"]),
	object.union({"httpGet": {"path": "/ready", "port": "http"}}, pace),
)])

found(asked) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as asked
}

test_waits_too_long if {
	at := {"document": 0, "path": testing.inside(["readinessProbe", "timeoutSeconds"])}
	asked := question({"periodSeconds": 3, "timeoutSeconds": 600})
	got := {"violation": rule.violation, "fix": rule.fix} with input as asked
	got == {
		"violation": {{
			"at": at,
			"measure": 597,
			"message": concat("", [
				`Container "web" is taken out of service only after 1800 s when it hangs, not after 9: `,
				"its readinessProbe waits 600 s for each answer, but is due every 3 s.",
			]),
		}},
		"fix": {at: {
			"class": "assumes",
			"patch": [{"op": "replace", "path": at.path, "value": 3}],
			"assumption": "As long as the app is well, it answers within 3 s.",
			"advice": "If it may take longer, give the probe a periodSeconds of 600.",
		}},
	}
}

test_consequences[by] if {
	probe := {"exec": {"command": ["/ok"]}, "timeoutSeconds": 15}
	some by, consequence in {
		"livenessProbe": `Container "web" is restarted only after 45 s`,
		"startupProbe": `Container "web" is started again only after 45 s`,
	}
	violations := rule.violation with input as testing.batch([testing.with_container([by], probe)])
	{true | some violation in violations; startswith(violation.message, consequence)} == {true}
}

test_silent_on[note] if {
	some note, asked in {
		"defaults": question({}),
		"defaults, written": question({"periodSeconds": 10, "timeoutSeconds": 1}),
		"as long as the period": question({"periodSeconds": 5, "timeoutSeconds": 5}),
		"as long as the default period": question({"timeoutSeconds": 10}),
		"every second with the default timeout": question({"periodSeconds": 1}),
		"a period of 0 is the default": question({"periodSeconds": 0, "timeoutSeconds": 10}),
		"a timeout of 0 is the default": question({"periodSeconds": 1, "timeoutSeconds": 0}),
		"nulls": question({"periodSeconds": null, "timeoutSeconds": null}),
		"wrong types": question({"periodSeconds": "1", "timeoutSeconds": {"seconds": 30}}),
		"a probe that asks nothing": testing.batch([testing.with_container(["livenessProbe"], {"timeoutSeconds": 30})]),
		"a probe that is a list": testing.batch([testing.with_container(["livenessProbe"], [{"timeoutSeconds": 30}])]),
		"a Job": testing.batch([object.union(
			question({"timeoutSeconds": 30}).documents[0].object,
			{"apiVersion": "batch/v1", "kind": "Job"},
		)]),
		"a fragment": testing.questions([testing.fragment(question({"timeoutSeconds": 30}).documents[0].object, "a/b")]),
	}
	found(asked) == set()
}

test_more_than_the_default_period if {
	found(question({"timeoutSeconds": 11})) == {testing.inside(["readinessProbe", "timeoutSeconds"])}
}

test_fixed if {
	asked := question({"periodSeconds": 5, "timeoutSeconds": 6})
	fixes := rule.fix with input as asked
	found(object.union(asked, testing.mended(asked, fixes))) == set()
}
