package gracegate.rules.termination["drain-too-long_test"]

import data.gracegate.rules.termination["drain-too-long"] as rule
import data.gracegate.testing

grace := ["spec", "template", "spec", "terminationGracePeriodSeconds"]

# web with a drain and a grace period of so many seconds.
web(drain, period) := testing.set(
	testing.with_container(["lifecycle", "preStop", "sleep", "seconds"], drain),
	grace,
	period,
)

found(objects) := {[violation.at.path, violation.measure] | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

hook := testing.inside(["lifecycle", "preStop"])

test_a_long_drain if {
	at := {"document": 0, "path": hook}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([web(90, 120), testing.service])
	got == {
		"violation": {{
			"at": at,
			"level": "info",
			"measure": 90,
			"message": `Each pod of Deployment "web" takes 90 s to drain, although traffic has left it after 10 s.`,
		}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": "Let the hook last 10 s, unless something else needs longer.",
		}},
	}
}

test_a_long_grace_period if {
	at := {"document": 0, "path": grace}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([web(10, 900), testing.service])
	got.violation == {{
		"at": at,
		"level": "info",
		"measure": 900,
		"message": concat(" ", [
			`Pods of Deployment "web" may be killed before their 900 s of grace:`,
			"the cluster autoscaler waits for at most 600 s.",
		]),
	}}
	{[fix.at, fix.class] | some fix in got.fix} == {[at, "text"]}
}

test_silent_on[note] if {
	nlb := testing.set(
		testing.set(testing.service, ["spec", "type"], "LoadBalancer"),
		["spec", "loadBalancerClass"],
		"eks.amazonaws.com/nlb",
	)
	some note, objects in {
		"a short drain": [web(60, 90), testing.service],
		"10 minutes": [web(10, 600), testing.service],
		"a load balancer that needs it": [web(180, 300), nlb],
		"a hook that takes all, of another rule": [web(90, 90), testing.service],
		"nobody sends to it": [web(90, 900)],
		"a variable": [web("${DRAIN}", "${GRACE}"), testing.service],
		"no replicas": [testing.set(web(90, 120), ["spec", "replicas"], 0), testing.service],
	}
	found(objects) == set()
}

test_silent_where_something_else_may_send if {
	violations := rule.violation with input as testing.with_unread_file(testing.batch([
		web(90, 120),
		testing.service,
	]))
	violations == set()
}
