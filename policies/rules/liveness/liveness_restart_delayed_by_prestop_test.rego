package gracegate.rules.liveness["liveness-restart-delayed-by-prestop_test"]

import data.gracegate.rules.liveness["liveness-restart-delayed-by-prestop"] as rule
import data.gracegate.testing

# web with this livenessProbe and a hook.
web(probe, hook) := testing.set(
	testing.set(
		testing.with_container(["livenessProbe"], probe),
		testing.inside(["lifecycle", "preStop"]),
		hook,
	),
	["spec", "template", "spec", "terminationGracePeriodSeconds"],
	90,
)

alive := {"httpGet": {"path": "/livez", "port": "http"}}

sleep(seconds) := {"sleep": {"seconds": seconds}}

test_a_long_drain if {
	at := {"document": 0, "path": testing.inside(["livenessProbe"])}
	batch := testing.batch([web(alive, sleep(40)), testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "info",
			"measure": 40,
			"message": concat(" ", [
				`Container "web" is restarted 40 s late when its livenessProbe has failed:`,
				"its preStop hook runs first.",
			]),
		}},
		"fix": {{
			"at": at,
			"assumption": "A container that fails its livenessProbe has nothing to finish that takes longer.",
			"patch": [{"op": "add", "path": array.concat(at.path, ["terminationGracePeriodSeconds"]), "value": 10}],
		}},
	}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_silent_on[note] if {
	some note, objects in {
		"a short drain": [web(alive, sleep(29)), testing.service],
		"no livenessProbe": [web(null, sleep(40)), testing.service],
		"a grace period of its own": [
			web(object.union(alive, {"terminationGracePeriodSeconds": 5}), sleep(40)),
			testing.service,
		],
		"a hook of unknown length": [web(alive, {"exec": {"command": ["/stop"]}}), testing.service],
		"a hook that takes all, of another rule": [web(alive, sleep(90)), testing.service],
		"nothing that sends to it": [web(alive, sleep(40))],
	}
	violations := rule.violation with input as testing.batch(objects)
	violations == set()
}
