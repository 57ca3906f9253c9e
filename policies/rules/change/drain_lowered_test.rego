package gracegate.rules.change["drain-lowered_test"]

import data.gracegate.rules.change["drain-lowered"] as rule
import data.gracegate.testing

sleeping(seconds) := testing.with_container(["lifecycle", "preStop"], {"sleep": {"seconds": seconds}})

lowered(former, manifest) := testing.change(
	[former, testing.service],
	[manifest, testing.service],
)

messages(batch) := {violation.message | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_found if {
	at := {"document": 0, "path": testing.inside(["lifecycle", "preStop"])}
	batch := lowered(sleeping(20), sleeping(10))
	got := {"violation": rule.violation, "fix": rule.fix, "possible": rule.possible} with input as batch
	got == {
		"violation": {{"at": at, "measure": 10, "message": concat(" ", [
			`Container "web" refuses requests 10 s after its pod was told to stop, not 20 s:`,
			"its preStop drain is shorter now.",
		])}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": "Keep 20 s unless it is known that nothing sends to a stopping pod for that long.",
		}},
		"possible": {at},
	}
}

test_silent_on[note] if {
	some note, batch in {
		"no base": testing.batch([sleeping(10), testing.service]),
		"longer": lowered(sleeping(10), sleeping(20)),
		"the same": lowered(sleeping(10), testing.set(sleeping(10), ["spec", "replicas"], 3)),
		"too short, which another rule reports": lowered(sleeping(20), sleeping(1)),
		"gone, which another rule reports": lowered(
			sleeping(20),
			testing.remove_at(testing.web, testing.inside(["lifecycle"])),
		),
		"of unknown length before": lowered(
			testing.with_container(["lifecycle", "preStop"], {"exec": {"command": ["/stop"]}}),
			sleeping(10),
		),
		"of unknown length now": lowered(
			sleeping(20),
			testing.with_container(["lifecycle", "preStop"], {"exec": {"command": ["/stop"]}}),
		),
		"another container": lowered(
			testing.replace_at(sleeping(20), testing.inside(["name"]), "app"),
			sleeping(10),
		),
		"no Service": testing.change([sleeping(20)], [sleeping(10)]),
		"wrong types before": lowered(
			testing.set(sleeping(20), ["spec", "template", "spec", "containers"], ["web"]),
			sleeping(10),
		),
	}
	messages(batch) == set()
}

test_no_order_helps if {
	steps := rule.steps with input as lowered(sleeping(20), sleeping(10))
	steps == {{"at": {"document": 0, "path": testing.inside(["lifecycle", "preStop"])}, "steps": []}}
}
