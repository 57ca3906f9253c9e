package gracegate.rules.liveness["liveness-checks-dependency_test"]

import data.gracegate.rules.liveness["liveness-checks-dependency"] as rule
import data.gracegate.testing

# Its readinessProbe asks /ready.
batch_for(probe) := testing.batch([testing.with_container(["livenessProbe"], probe), testing.service])

asking(path) := batch_for({"httpGet": {"path": path, "port": "http"}})

running(command) := batch_for({"exec": {"command": command}})

shared(path) := testing.batch([
	testing.set(
		asking(path).documents[0].object,
		testing.inside(["readinessProbe", "httpGet", "path"]),
		path,
	),
	testing.service,
])

found(batch) := {[violation.level, violation.at.path] | some violation in violations} if {
	violations := rule.violation with input as batch
}

path_of_probe := testing.inside(["livenessProbe", "httpGet", "path"])

test_spring if {
	at := {"document": 0, "path": path_of_probe}
	batch := asking("/api/actuator/health")
	got := {"violation": rule.violation, "fix": rule.fix, "possible": rule.possible} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat(" ", [
				`A fault of a database or another dependency restarts container "web" in all pods at the same time:`,
				`its livenessProbe asks "/api/actuator/health", which checks everything that the app is connected to.`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "assumes",
			"patch": [{"op": "replace", "path": at.path, "value": "/api/actuator/health/liveness"}],
			"assumption": "The app is Spring Boot 2.3 or later, which has an endpoint for liveness on Kubernetes.",
		}},
		"possible": set(),
	}
	found(object.union(batch, testing.fixed_documents(batch, got.fix))) == set()
}

test_a_database if {
	at := {"document": 0, "path": testing.inside(["livenessProbe", "exec", "command"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as running(["pg_isready", "-h", "db.shop.svc"])
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat(" ", [
				`A fault of host "db.shop.svc" restarts container "web" in all pods at the same time:`,
				"its livenessProbe asks it.",
			]),
		}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": concat(" ", [
				"Let the livenessProbe ask only whether the process itself works,",
				"and the readinessProbe for the rest.",
			]),
		}},
	}
}

test_paths[note] if {
	some note, [batch, level] in {
		"Spring, shared": [shared("/actuator/health"), "warning"],
		"a database": [asking("/health/db"), "warning"],
		"readiness, another one": [asking("/readyz"), "warning"],
		"health, shared": [shared("/api/health"), "info"],
	}
	found(batch) == {[level, path_of_probe]}
}

test_names_only_suggest_it if {
	got := rule.possible with input as shared("/health")
	got == {{"document": 0, "path": path_of_probe}}
}

test_commands[note] if {
	some note, command in {
		"a script": ["sh", "-c", "curl -f http://user@payments:8080/health"],
		"in one word": ["redis-cli", "-hcache", "ping"],
		"a long option": ["mysqladmin", "ping", "--host=db"],
		"a program with its directory": ["/usr/bin/psql", "--host", "db"],
	}
	found(running(command)) == {["warning", testing.inside(["livenessProbe", "exec", "command"])]}
}

test_silent_on[note] if {
	some note, batch in {
		"no livenessProbe": testing.batch([testing.web]),
		"no Service": testing.batch([asking("/db").documents[0].object]),
		"a path for liveness": asking("/livez"),
		"health, not shared": asking("/health"),
		"readiness, shared": shared("/ready"),
		"Spring's endpoint for liveness": asking("/actuator/health/liveness"),
		"a path with such a part": asking("/readiness/live"),
		"a wrong type": asking({"path": "/ready"}),
		"another host": batch_for({"httpGet": {"path": "/db", "port": 80, "host": "db"}}),
		"a port": batch_for({"tcpSocket": {"port": "http"}}),
		"this host": running(["pg_isready", "-h", "127.0.0.1"]),
		"this host by default": running(["pg_isready", "-U", "app"]),
		"a URL of this host": running(["wget", "-q", "http://localhost:8080/ready"]),
		"a variable": running(["sh", "-c", "pg_isready -h $DB_HOST"]),
		"the output of a command": running(["sh", "-c", "curl http://`hostname`:80/"]),
		"two commands": running(["sh", "-c", "pg_isready -h db || exit 1"]),
		"another program": running(["test", "-h", "db"]),
		"no list": running("pg_isready -h db"),
		"a Job": testing.batch([
			object.union(
				asking("/db").documents[0].object,
				{"apiVersion": "batch/v1", "kind": "Job"},
			),
			testing.service,
		]),
		"a fragment": testing.batch_of([
			testing.fragment(asking("/db").documents[0].object, "a/b"),
			testing.document(testing.service, "a/b"),
		]),
	}
	found(batch) == set()
}
