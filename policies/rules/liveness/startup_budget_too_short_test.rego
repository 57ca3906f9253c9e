package gracegate.rules.liveness["startup-budget-too-short_test"]

import data.gracegate.rules.liveness["startup-budget-too-short"] as rule
import data.gracegate.testing

startup := testing.inside(["startupProbe"])

batch_for(pace) := served(testing.with_container(
	["startupProbe"],
	object.union({"httpGet": {"path": "/ready", "port": "http"}}, pace),
))

served(manifest) := testing.batch([manifest, testing.service])

found(batch) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_few_seconds if {
	at := {"document": 0, "path": array.concat(startup, ["periodSeconds"])}
	batch := batch_for({"periodSeconds": 1})
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"measure": 7,
			"message": concat(" ", [
				`Container "web" is restarted when it takes longer than 3 s to start:`,
				"its startupProbe fails after 3 tries.",
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "add", "path": array.concat(startup, ["failureThreshold"]), "value": 30}]}},
	}
	found(object.union(batch, testing.fixed_documents(batch, got.fix))) == set()
}

test_one_try if {
	at := {"document": 0, "path": array.concat(startup, ["failureThreshold"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch_for({
		"failureThreshold": 1,
		"initialDelaySeconds": 3,
		"periodSeconds": 5,
	})
	got == {
		"violation": {{
			"at": at,
			"measure": 2,
			"message": concat(" ", [
				`Container "web" is restarted when it takes longer than 8 s to start:`,
				"its startupProbe fails after one try.",
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "replace", "path": at.path, "value": 6}]}},
	}
}

test_silent_on[note] if {
	some note, batch in {
		"no startupProbe": served(testing.web),
		"no Service": testing.batch([batch_for({"periodSeconds": 1}).documents[0].object]),
		"defaults": batch_for({}),
		"zeros": batch_for({"periodSeconds": 0, "failureThreshold": 0}),
		"nulls": batch_for({"periodSeconds": null, "failureThreshold": null}),
		"wrong types": batch_for({"periodSeconds": {}, "failureThreshold": "1"}),
		"ten seconds": batch_for({"periodSeconds": 5, "failureThreshold": 2}),
		"ten seconds with the delay": batch_for({"periodSeconds": 1, "initialDelaySeconds": 7}),
		"no handler": served(testing.with_container(["startupProbe"], {"periodSeconds": 1})),
		"another probe": served(testing.with_container(["readinessProbe", "periodSeconds"], 1)),
		"a Job": served(object.union(
			batch_for({"periodSeconds": 1}).documents[0].object,
			{"apiVersion": "batch/v1", "kind": "Job"},
		)),
		"a fragment": testing.batch_of([
			testing.fragment(batch_for({"periodSeconds": 1}).documents[0].object, "a/b"),
			testing.document(testing.service, "a/b"),
		]),
	}
	found(batch) == set()
}

test_another_limit if {
	batch := object.union(
		batch_for({"failureThreshold": 2}),
		{"params": {"startup-budget-too-short": {"least_seconds": 60}}},
	)
	found(batch) == {array.concat(startup, ["failureThreshold"])}
	got := rule.fix with input as batch
	[step.value | some fix in got; some step in fix.patch] == [6]
}
