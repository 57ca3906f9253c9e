package gracegate.rules.change["grace-lowered_test"]

import data.gracegate.rules.change["grace-lowered"] as rule
import data.gracegate.testing

path := ["spec", "template", "spec", "terminationGracePeriodSeconds"]

with_period(seconds) := testing.set(testing.web, path, seconds)

lowered(former, manifest) := testing.change(
	[former, testing.service],
	[manifest, testing.service],
)

at := {"document": 0, "path": path}

levels(batch) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_found if {
	batch := lowered(with_period(300), with_period(60))
	got := {"violation": rule.violation, "fix": rule.fix, "possible": rule.possible} with input as batch
	got == {
		"violation": {{"at": at, "level": "warning", "measure": 240, "message": concat(" ", [
			`Pods of Deployment "web" are killed 60 s after they were told to stop, not 300 s:`,
			"work that takes longer is lost now.",
		])}},
		"fix": {{
			"at": at,
			"patch": [{"op": "replace", "path": path, "value": 300}],
			"assumption": "The app still needs the time that it had.",
		}},
		"possible": {at},
	}
	levels(object.union(batch, testing.fixed_documents(batch, got.fix))) == set()
}

test_the_default_comes_back if {
	got := rule.fix with input as lowered(with_period(90), testing.web)
	{step | some fix in got; some step in fix.patch} == {{"op": "add", "path": path, "value": 90}}
}

test_levels[note] if {
	some note, [batch, level] in {
		"a little less": [lowered(with_period(60), with_period(45)), "info"],
		"no Service": [testing.change([with_period(300)], [with_period(30)]), "info"],
	}
	levels(batch) == {level}
}

test_silent_on[note] if {
	some note, batch in {
		"no base": testing.batch([with_period(60), testing.service]),
		"more": lowered(with_period(60), with_period(90)),
		"the default, written": lowered(testing.web, with_period(30)),
		"what it was": lowered(with_period(60), testing.set(with_period(60), ["spec", "replicas"], 3)),
		"a variable before": lowered(with_period("${SECONDS}"), with_period(30)),
		"a variable now": lowered(with_period(60), with_period("${SECONDS}")),
		"nothing, which another rule reports": lowered(with_period(60), with_period(0)),
		"too little, which another rule reports": lowered(with_period(60), with_period(15)),
		"no pods before": lowered(testing.set(with_period(60), ["spec", "replicas"], 0), with_period(30)),
		"a wrong type": lowered(testing.set(testing.web, ["spec", "template", "spec"], "pod"), testing.web),
	}
	levels(batch) == set()
}

test_no_order_helps if {
	steps := rule.steps with input as lowered(with_period(300), with_period(60))
	steps == {{"at": at, "steps": []}}
}
