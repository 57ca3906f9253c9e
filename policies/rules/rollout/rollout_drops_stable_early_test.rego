package gracegate.rules.rollout["rollout-drops-stable-early_test"]

import data.gracegate.rules.rollout["rollout-drops-stable-early"] as rule
import data.gracegate.testing

rollout(strategy) := object.union(
	testing.set(testing.web, ["spec", "strategy"], strategy),
	{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"},
)

behind(objects) := testing.batch(array.concat([testing.service], objects))

blue_green(settings) := behind([rollout({"blueGreen": object.union({"activeService": "web"}, settings)})])

canary(settings) := behind([rollout({"canary": object.union({"trafficRouting": {"istio": {}}}, settings)})])

found(batch) := {[violation.level, violation.at.path] | some violation in violations} if {
	violations := rule.violation with input as batch
}

delay(strategy) := ["spec", "strategy", strategy, "scaleDownDelaySeconds"]

dynamic := ["spec", "strategy", "canary", "dynamicStableScale"]

test_no_delay if {
	at := {"document": 1, "path": delay("blueGreen")}
	batch := blue_green({"scaleDownDelaySeconds": 0})
	got := {"violation": rule.violation, "fix": rule.fix, "possible": rule.possible} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "info",
			"measure": 30,
			"message": concat(" ", [
				`Rollout "web" stops the old pods 0 s after it has moved the traffic, while nodes and load balancers may`,
				`still send to them: "scaleDownDelaySeconds" should be at least 30, its default.`,
			]),
		}},
		"fix": {{"at": at, "class": "safe", "patch": [{"op": "remove", "path": at.path}]}},
		"possible": {at},
	}
}

test_dynamic_stable_scale if {
	at := {"document": 1, "path": dynamic}
	batch := canary({"dynamicStableScale": true})
	got := {"violation": rule.violation, "fix": rule.fix, "possible": rule.possible} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat(" ", [
				`Rollout "web" stops old pods at each step while they still get requests:`,
				`"dynamicStableScale" does not wait until the new weights have arrived.`,
			]),
		}},
		"fix": {{
			"at": at,
			"patch": [{"op": "replace", "path": dynamic, "value": false}],
			"assumption": "The cluster has room for the old and the new pods at the same time.",
		}},
		"possible": {at},
	}
}

test_levels[note] if {
	some note, [batch, level, path] in {
		"a canary": [canary({"scaleDownDelaySeconds": 10}), "warning", delay("canary")],
		"all traffic, then a pause": [
			canary({"dynamicStableScale": true, "steps": [{"setWeight": 100}, {"pause": {}}]}),
			"error",
			dynamic,
		],
		"all traffic at the end": [
			canary({"dynamicStableScale": true, "steps": [{"pause": {}}, {"setWeight": 100}]}),
			"warning",
			dynamic,
		],
	}
	found(batch) == {[level, path]}
}

test_silent_on[note] if {
	some note, batch in {
		"default": blue_green({}),
		"default, written": blue_green({"scaleDownDelaySeconds": 30}),
		"null": blue_green({"scaleDownDelaySeconds": null}),
		"a variable": blue_green({"scaleDownDelaySeconds": "${DELAY}"}),
		"a canary without a router": behind([rollout({"canary": {"scaleDownDelaySeconds": 0}})]),
		"dynamicStableScale without a router": behind([rollout({"canary": {"dynamicStableScale": true}})]),
		"dynamicStableScale off": canary({"dynamicStableScale": false}),
		"a strategy of a wrong type": behind([rollout(["canary"])]),
		"settings of a wrong type": behind([rollout({"canary": ["trafficRouting"], "blueGreen": "web"})]),
		"a Deployment": behind([testing.set(testing.web, ["spec", "strategy"], {"blueGreen": {"scaleDownDelaySeconds": 0}})]),
		"without a Service": testing.batch([rollout({"blueGreen": {"scaleDownDelaySeconds": 0}})]),
		"a fragment": testing.batch_of([
			testing.document(testing.service, "apps/web.yaml"),
			testing.fragment(rollout({"blueGreen": {"scaleDownDelaySeconds": 0}}), "apps/web.yaml"),
		]),
	}
	found(batch) == set()
}
