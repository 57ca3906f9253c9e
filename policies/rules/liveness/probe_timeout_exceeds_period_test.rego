package gracegate.rules.liveness["probe-timeout-exceeds-period_test"]

import data.gracegate.rules.liveness["probe-timeout-exceeds-period"] as rule
import data.gracegate.testing

# The readinessProbe of the honest container, with another pace.
batch_for(pace) := testing.batch([testing.replace_at(
	testing.web,
	testing.inside(["readinessProbe"]),
	object.union({"httpGet": {"path": "/ready", "port": "http"}}, pace),
)])

found(batch) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_long_delay if {
	at := {"document": 0, "path": testing.inside(["readinessProbe", "timeoutSeconds"])}
	batch := batch_for({"periodSeconds": 3, "timeoutSeconds": 600})
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"measure": 597,
			"message": concat("", [
				`Container "web" stops receiving requests only after 1800 s when it hangs, not after 9 s: `,
				"its readinessProbe waits up to 600 s for each response, longer than its period of 3 s.",
			]),
		}},
		"fix": {{
			"at": at,
			"class": "assumes",
			"patch": [{"op": "replace", "path": at.path, "value": 3}],
			"assumption": "A healthy app responds within 3 s.",
			"advice": "If it may take longer, set periodSeconds of the probe to 600.",
		}},
	}
}

test_consequences[by] if {
	probe := {"exec": {"command": ["/ok"]}, "timeoutSeconds": 15}
	some by, consequence in {
		"livenessProbe": `Container "web" is restarted only after 45 s`,
		"startupProbe": `Container "web" is restarted only after 45 s`,
	}
	violations := rule.violation with input as testing.batch([testing.with_container([by], probe)])
	{true | some violation in violations; startswith(violation.message, consequence)} == {true}
}

test_silent_on[note] if {
	some note, batch in {
		"defaults": batch_for({}),
		"defaults, written": batch_for({"periodSeconds": 10, "timeoutSeconds": 1}),
		"as long as the period": batch_for({"periodSeconds": 5, "timeoutSeconds": 5}),
		"as long as the default period": batch_for({"timeoutSeconds": 10}),
		"every second with the default timeout": batch_for({"periodSeconds": 1}),
		"a period of 0 is the default": batch_for({"periodSeconds": 0, "timeoutSeconds": 10}),
		"a timeout of 0 is the default": batch_for({"periodSeconds": 1, "timeoutSeconds": 0}),
		"nulls": batch_for({"periodSeconds": null, "timeoutSeconds": null}),
		"wrong types": batch_for({"periodSeconds": "1", "timeoutSeconds": {"seconds": 30}}),
		"a probe without a handler": testing.batch([testing.with_container(["livenessProbe"], {"timeoutSeconds": 30})]),
		"a probe that is a list": testing.batch([testing.with_container(["livenessProbe"], [{"timeoutSeconds": 30}])]),
		"a Job": testing.batch([object.union(
			batch_for({"timeoutSeconds": 30}).documents[0].object,
			{"apiVersion": "batch/v1", "kind": "Job"},
		)]),
		"a fragment": testing.batch_of([testing.fragment(batch_for({"timeoutSeconds": 30}).documents[0].object, "a/b")]),
	}
	found(batch) == set()
}

test_more_than_the_default_period if {
	found(batch_for({"timeoutSeconds": 11})) == {testing.inside(["readinessProbe", "timeoutSeconds"])}
}

test_fixed if {
	batch := batch_for({"periodSeconds": 5, "timeoutSeconds": 6})
	fixes := rule.fix with input as batch
	found(object.union(batch, testing.fixed_documents(batch, fixes))) == set()
}
