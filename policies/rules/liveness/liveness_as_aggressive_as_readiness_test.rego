package gracegate.rules.liveness["liveness-as-aggressive-as-readiness_test"]

import data.gracegate.rules.liveness["liveness-as-aggressive-as-readiness"] as rule
import data.gracegate.rules.readiness["readiness-probe-missing"] as readiness
import data.gracegate.testing

liveness := testing.inside(["livenessProbe"])

ask := {"httpGet": {"path": "/ready", "port": "http"}}

# A container with this livenessProbe; its readinessProbe has the defaults of the API, at /ready of port http.
batch_for(probe) := testing.batch([testing.with_container(["livenessProbe"], probe)])

found(batch) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_same_handler_and_numbers if {
	at := {"document": 0, "path": liveness}
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch_for(ask)
	got == {
		"violation": {{
			"at": at,
			"measure": 0,
			"message": concat("", [
				`Container "web" is restarted when it should only stop receiving requests: its livenessProbe checks the same `,
				"as its readinessProbe and fails after 30 s, the readinessProbe at the same time.",
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "add", "path": array.concat(liveness, ["failureThreshold"]), "value": 6}]}},
	}
}

test_restarts_first if {
	violations := rule.violation with input as batch_for(object.union(ask, {"failureThreshold": 2}))
	{[violation.measure, violation.message] | some violation in violations} == {[10, concat("", [
		`Container "web" is restarted when it should only stop receiving requests: its livenessProbe checks the same `,
		"as its readinessProbe and fails after 20 s, the readinessProbe only after 30 s.",
	])]}
}

test_same_handler_in_another_form[note] if {
	some note, probe in {
		"the number of the port": {"httpGet": {"path": "/ready", "port": 8080}},
		"the number in quotes": {"httpGet": {"path": "/ready", "port": "8080"}},
		"the default scheme": {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP", "host": null}},
		"defaults spelled out": object.union(ask, {"periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 1}),
		"zeros": object.union(ask, {"periodSeconds": 0, "failureThreshold": 0}),
		"nulls": object.union(ask, {"periodSeconds": null, "failureThreshold": null, "exec": null}),
		"below zero, which is refused": object.union(ask, {"failureThreshold": -9}),
		"a longer wait before": object.union(ask, {"initialDelaySeconds": 30}),
	}
	found(batch_for(probe)) == {liveness}
}

test_silent_on[note] if {
	some note, batch in {
		"no livenessProbe": testing.batch([testing.web]),
		"null": batch_for(null),
		"a variable": batch_for(object.union(ask, {"failureThreshold": "${LIVE_FAILURES}"})),
		"wrong types": batch_for(object.union(ask, {"periodSeconds": "30", "failureThreshold": [9]})),
		"an empty probe": batch_for({}),
		"a string": batch_for("http"),
		"a list": batch_for([ask]),
		"handlers that are no objects": batch_for({"httpGet": "/ready"}),
		"two handlers": batch_for(object.union(ask, {"tcpSocket": {"port": "http"}})),
		"a more patient one": batch_for(object.union(ask, {"failureThreshold": 4})),
		"a slower one": batch_for(object.union(ask, {"periodSeconds": 11})),
		"another path": batch_for({"httpGet": {"path": "/live", "port": "http"}}),
		"another port": batch_for({"httpGet": {"path": "/ready", "port": 8081}}),
		"another name of a port": batch_for({"httpGet": {"path": "/ready", "port": "admin"}}),
		"another handler": batch_for({"tcpSocket": {"port": "http"}}),
		"no readinessProbe": testing.batch([testing.remove_at(
			testing.with_container(["livenessProbe"], ask),
			testing.inside(["readinessProbe"]),
		)]),
		"a fragment": testing.batch_of([testing.fragment(testing.with_container(["livenessProbe"], ask), "a/b")]),
		"no subject": testing.batch_of([testing.fact(testing.with_container(["livenessProbe"], ask), "a/b")]),
		"a Job": testing.batch([object.union(
			testing.with_container(["livenessProbe"], ask),
			{"apiVersion": "batch/v1", "kind": "Job"},
		)]),
	}
	found(batch) == set()
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
	batch := batch_for(object.union(ask, pace))
	fixes := rule.fix with input as batch
	count(fixes) == 1
	found(object.union(batch, testing.fixed_documents(batch, fixes))) == set()
}

# The readinessProbe that another rule copies from the livenessProbe.
test_silent_on_a_copied_probe[note] if {
	some note, pace in {
		"defaults": {},
		"as fast as the copy": {"periodSeconds": 5, "failureThreshold": 3},
		"as long as the copy": {"periodSeconds": 15, "failureThreshold": 1},
		"hasty": {"periodSeconds": 1, "failureThreshold": 1},
		"odd": {"periodSeconds": 7, "failureThreshold": 2},
	}
	workload := testing.remove_at(
		testing.with_container(["livenessProbe"], object.union(ask, pace)),
		testing.inside(["readinessProbe"]),
	)
	batch := testing.batch([workload, testing.service])
	fixes := readiness.fix with input as batch
	count(fixes) == 1
	found(object.union(batch, testing.fixed_documents(batch, fixes))) == set()
}
