package gracegate.rules.change["probe-removed_test"]

import data.gracegate.rules.change["probe-removed"] as rule
import data.gracegate.testing

live := {"httpGet": {"path": "/live", "port": "http"}}

startup(threshold) := object.union(live, {"failureThreshold": threshold})

with_liveness := testing.with_container(["livenessProbe"], live)

with_startup(threshold) := testing.set(with_liveness, testing.inside(["startupProbe"]), startup(threshold))

removed(former, manifest) := testing.change(
	[former, testing.service],
	[manifest, testing.service],
)

at := {"document": 0, "path": testing.inside(["livenessProbe"])}

levels(batch) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_found if {
	batch := removed(with_startup(20), with_liveness)
	got := {"violation": rule.violation, "fix": rule.fix, "possible": rule.possible} with input as batch
	got == {
		"violation": {{"at": at, "level": "warning", "measure": 170, "message": concat(" ", [
			`Container "web" is restarted if it takes more than 30 s to start:`,
			"its startupProbe, which allowed 200 s, is gone.",
		])}},
		"fix": {{
			"at": at,
			"patch": [{"op": "add", "path": testing.inside(["startupProbe"]), "value": startup(20)}],
			"assumption": "The app still needs the time that it had.",
		}},
		"possible": {at},
	}
	levels(object.union(batch, testing.fixed_documents(batch, got.fix))) == set()
}

test_a_service_elsewhere if {
	batch := testing.change_of(
		testing.batch_of([
			testing.document(with_liveness, "apps/web.yaml"),
			testing.document(testing.service, "other/web.yaml"),
		]),
		[
			testing.document(with_startup(20), "apps/web.yaml"),
			testing.document(testing.service, "other/web.yaml"),
		],
	)
	levels(batch) == {"info"}
}

test_the_longest_of_containers_with_a_name if {
	path := ["spec", "template", "spec", "containers", "-"]
	other := object.union(with_startup(9).spec.template.spec.containers[0], {"startupProbe": startup(50)})
	measures := {violation.measure | some violation in rule.violation} with input as removed(
		testing.set(with_startup(20), path, other),
		with_liveness,
	)
	measures == {470}
}

test_silent_on[note] if {
	some note, batch in {
		"no base": testing.batch([with_liveness, testing.service]),
		"no startupProbe before": removed(testing.web, with_liveness),
		"one that allowed less": removed(with_startup(2), with_liveness),
		"no livenessProbe": removed(with_startup(20), testing.web),
		"another startupProbe": removed(with_startup(20), with_startup(10)),
		"one without a handler": removed(
			testing.set(with_liveness, testing.inside(["startupProbe"]), {"failureThreshold": 20}),
			with_liveness,
		),
		"a livenessProbe that waits as long": removed(
			with_startup(20),
			testing.with_container(["livenessProbe"], object.union(live, {"failureThreshold": 20})),
		),
		"what another rule reports": removed(
			with_startup(20),
			testing.with_container(["livenessProbe"], object.union(live, {"initialDelaySeconds": 90})),
		),
		"no Service": testing.change([with_startup(20)], [with_liveness]),
		"another container": removed(
			testing.replace_at(with_startup(20), testing.inside(["name"]), "app"),
			with_liveness,
		),
		"no pods before": removed(testing.set(with_startup(20), ["spec", "replicas"], 0), with_liveness),
		"wrong types": removed(
			testing.set(testing.web, ["spec", "template", "spec", "containers"], [1, {"name": "web", "startupProbe": 2}]),
			with_liveness,
		),
	}
	levels(batch) == set()
}

test_no_order_helps if {
	steps := rule.steps with input as removed(with_startup(20), with_liveness)
	steps == {{"at": at, "steps": []}}
}
