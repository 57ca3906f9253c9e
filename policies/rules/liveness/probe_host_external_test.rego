package gracegate.rules.liveness["probe-host-external_test"]

import data.gracegate.rules.liveness["probe-host-external"] as rule
import data.gracegate.testing

batch_for(by, probe) := testing.batch([testing.with_container([by], probe)])

asking(host) := batch_for("readinessProbe", {"httpGet": {"host": host, "path": "/ready", "port": "http"}})

found(batch) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_a_service_at_a_declared_port if {
	at := {"document": 0, "path": testing.inside(["readinessProbe", "httpGet", "host"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as asking("web")
	got == {
		"violation": {{
			"at": at,
			"message": concat(" ", [
				`Container "web" gets requests whatever its own state:`,
				`its readinessProbe asks host "web", not the pod.`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "assumes",
			"patch": [{"op": "remove", "path": at.path}],
			"assumption": `Container "web" answers this probe at port 8080.`,
		}},
	}
}

test_a_port_of_the_other_host if {
	batch := batch_for("livenessProbe", {"tcpSocket": {"host": "db.shop.svc", "port": 5432}})
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	at := {"document": 0, "path": testing.inside(["livenessProbe", "tcpSocket", "host"])}
	got == {
		"violation": {{
			"at": at,
			"message": concat(" ", [
				`Container "web" is restarted for faults of another host:`,
				`its livenessProbe asks host "db.shop.svc", not the pod.`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": concat(" ", [
				"Remove `host` and probe a port of the container;",
				"if the app needs a host name, set the header Host under `httpHeaders`.",
			]),
		}},
	}
}

test_loopback_of_the_node if {
	found(asking("127.0.0.1")) == {testing.inside(["readinessProbe", "httpGet", "host"])}
}

on_node(host) := testing.batch([testing.set(
	asking(host).documents[0].object,
	["spec", "template", "spec", "hostNetwork"],
	true,
)])

test_silent_on[note] if {
	some note, batch in {
		"no host": testing.batch([testing.web]),
		"null": asking(null),
		"an empty host": asking(""),
		"a wrong type": asking(["web"]),
		"a variable": asking("${POD_HOST}"),
		"loopback in the network of the node": on_node("127.0.0.1"),
		"localhost in the network of the node": on_node("localhost"),
		"a probe that is a list": batch_for("livenessProbe", [{"tcpSocket": {"host": "db"}}]),
		"a command": batch_for("livenessProbe", {"exec": {"command": ["/ok"], "host": "db"}}),
		"a Job": testing.batch([object.union(asking("db").documents[0].object, {"apiVersion": "batch/v1", "kind": "Job"})]),
		"a fragment": testing.batch_of([testing.fragment(asking("db").documents[0].object, "a/b")]),
	}
	found(batch) == set()
}

test_another_host_in_the_network_of_the_node if {
	found(on_node("web.example")) == {testing.inside(["readinessProbe", "httpGet", "host"])}
}

test_fixed if {
	fixes := rule.fix with input as asking("web")
	found(object.union(asking("web"), testing.fixed_documents(asking("web"), fixes))) == set()
}
