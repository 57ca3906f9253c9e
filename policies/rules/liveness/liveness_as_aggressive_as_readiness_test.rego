package gracegate.rules.liveness["liveness-as-aggressive-as-readiness_test"]

import data.gracegate.rules.liveness["liveness-as-aggressive-as-readiness"] as rule
import data.gracegate.rules.readiness["readiness-probe-missing"] as readiness
import data.gracegate.testing

liveness := testing.inside(["livenessProbe"])

ask := {"httpGet": {"path": "/ready", "port": "http"}}

# A container that asks this for liveness; readiness is asked with the defaults of the API, at /ready of port http.
question(probe) := testing.batch([testing.with_container(["livenessProbe"], probe)])

found(asked) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as asked
}

test_the_same_with_the_same_pace if {
	at := {"document": 0, "path": liveness}
	got := {"violation": rule.violation, "fix": rule.fix} with input as question(ask)
	got == {
		"violation": {{
			"at": at,
			"measure": 0,
			"message": concat("", [
				`Container "web" is restarted as soon as it should get no more requests: its livenessProbe asks what its `,
				"readinessProbe asks, and gives up after 30 s, the readinessProbe at the same time.",
			]),
		}},
		"fix": {at: {"patch": [{"op": "add", "path": array.concat(liveness, ["failureThreshold"]), "value": 6}]}},
	}
}

test_gives_up_first if {
	violations := rule.violation with input as question(object.union(ask, {"failureThreshold": 2}))
	{[violation.measure, violation.message] | some violation in violations} == {[10, concat("", [
		`Container "web" is restarted as soon as it should get no more requests: its livenessProbe asks what its `,
		"readinessProbe asks, and gives up after 20 s, the readinessProbe only after 30 s.",
	])]}
}

test_the_same_in_other_words[note] if {
	some note, probe in {
		"the number of the port": {"httpGet": {"path": "/ready", "port": 8080}},
		"the number in quotes": {"httpGet": {"path": "/ready", "port": "8080"}},
		"the default scheme": {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP", "host": null}},
		"defaults spelled out": object.union(ask, {"periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 1}),
		"zeros": object.union(ask, {"periodSeconds": 0, "failureThreshold": 0}),
		"nulls": object.union(ask, {"periodSeconds": null, "failureThreshold": null, "exec": null}),
		"wrong types": object.union(ask, {"periodSeconds": "30", "failureThreshold": [9]}),
		"below zero, which is refused": object.union(ask, {"failureThreshold": -9}),
		"a longer wait before": object.union(ask, {"initialDelaySeconds": 30}),
	}
	found(question(probe)) == {liveness}
}

test_silent_on[note] if {
	some note, asked in {
		"no livenessProbe": testing.batch([testing.web]),
		"null": question(null),
		"an empty probe": question({}),
		"a text": question("http"),
		"a list": question([ask]),
		"handlers that are no objects": question({"httpGet": "/ready"}),
		"two handlers": question(object.union(ask, {"tcpSocket": {"port": "http"}})),
		"a more patient one": question(object.union(ask, {"failureThreshold": 4})),
		"a slower one": question(object.union(ask, {"periodSeconds": 11})),
		"another path": question({"httpGet": {"path": "/live", "port": "http"}}),
		"another port": question({"httpGet": {"path": "/ready", "port": 8081}}),
		"another name of a port": question({"httpGet": {"path": "/ready", "port": "admin"}}),
		"another handler": question({"tcpSocket": {"port": "http"}}),
		"no readinessProbe": testing.batch([testing.drop(
			testing.with_container(["livenessProbe"], ask),
			testing.inside(["readinessProbe"]),
		)]),
		"a fragment": testing.questions([testing.fragment(testing.with_container(["livenessProbe"], ask), "a/b")]),
		"no subject": testing.questions([testing.fact(testing.with_container(["livenessProbe"], ask), "a/b")]),
		"a Job": testing.batch([object.union(
			testing.with_container(["livenessProbe"], ask),
			{"apiVersion": "batch/v1", "kind": "Job"},
		)]),
	}
	found(asked) == set()
}

test_handlers[note] if {
	some note, probe in {
		"exec": {"exec": {"command": ["/ok"]}},
		"grpc": {"grpc": {"port": 8080, "service": ""}},
		"tcpSocket": {"tcpSocket": {"port": "http"}},
		"httpGet without a path": {"httpGet": {"port": "http", "path": ""}},
	}
	workload := testing.set(testing.with_container(["livenessProbe"], probe), testing.inside(["readinessProbe"]), probe)
	found(testing.batch([workload])) == {liveness}
}

test_fixed[note] if {
	some note, pace in {
		"defaults": {},
		"fast": {"periodSeconds": 1, "failureThreshold": 1},
		"odd": {"periodSeconds": 7, "failureThreshold": 4},
	}
	asked := question(object.union(ask, pace))
	fixes := rule.fix with input as asked
	count(fixes) == 1
	found(object.union(asked, testing.mended(asked, fixes))) == set()
}

# The readinessProbe that another rule copies from the livenessProbe.
test_a_copied_probe_does_not_trip_it[note] if {
	some note, pace in {
		"defaults": {},
		"as fast as the copy": {"periodSeconds": 5, "failureThreshold": 3},
		"as long as the copy": {"periodSeconds": 15, "failureThreshold": 1},
		"hasty": {"periodSeconds": 1, "failureThreshold": 1},
		"odd": {"periodSeconds": 7, "failureThreshold": 2},
	}
	workload := testing.drop(
		testing.with_container(["livenessProbe"], object.union(ask, pace)),
		testing.inside(["readinessProbe"]),
	)
	asked := testing.batch([workload, testing.service])
	fixes := readiness.fix with input as asked
	count(fixes) == 1
	found(object.union(asked, testing.mended(asked, fixes))) == set()
}
