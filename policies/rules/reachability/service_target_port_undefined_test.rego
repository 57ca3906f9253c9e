package gracegate.rules.reachability["service-target-port-undefined_test"]

import data.gracegate.rules.reachability["service-target-port-undefined"] as rule
import data.gracegate.testing

to(port) := testing.replace_at(testing.service, ["spec", "ports"], [{"port": 80, "targetPort": port}])

at := {"document": 1, "path": ["spec", "ports", 0, "targetPort"]}

first_port := {"document": 1, "path": ["spec", "ports", 0]}

ports(listed) := testing.with_container(["ports"], listed)

levels(objects) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_found if {
	batch := testing.batch([testing.web, to("htpp")])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"level": "error",
		"message": `Service "web" sends nothing to Deployment "web": no container there declares port "htpp".`,
	}}
	got.fix == {{"at": at, "patch": [{"op": "replace", "path": at.path, "value": "http"}]}}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_fixes[note] if {
	naming := {
		"op": "add",
		"path": testing.inside(["ports", 0, "name"]),
		"value": "web",
		"document": 0,
	}
	some note, case in {
		"a string of digits": [testing.web, "9090", "safe", {"op": "replace", "path": at.path, "value": 9090}],
		"a port without a name": [ports([{"containerPort": 8080}]), "web", "safe", naming],
		"no valid name": [
			ports([{"containerPort": 8080}]), "Web_1", "assumes",
			{"op": "replace", "path": at.path, "value": 8080},
		],
		"the only port": [testing.web, "web", "assumes", {"op": "replace", "path": at.path, "value": "http"}],
		"the same number": [
			ports([{"name": "a", "containerPort": 80}, {"name": "b", "containerPort": 81}]), "web", "assumes",
			{"op": "replace", "path": at.path, "value": 80},
		],
	}
	fixes := rule.fix with input as testing.batch([case[0], to(case[1])])
	{[object.get(fix, "class", "safe"), fix.patch] | some fix in fixes} == {[case[2], [case[3]]]}
}

test_a_port_in_another_file if {
	fixes := rule.fix with input as testing.batch_of([
		testing.document(ports([{"containerPort": 8080}]), "apps/web.yaml"),
		testing.document(to("web"), "apps/service.yaml"),
	])
	{[fix.class, fix.patch] | some fix in fixes} == {["assumes", [{"op": "replace", "path": at.path, "value": 8080}]]}
}

# Only another port is declared, and no probe uses the number.
test_a_number_that_is_not_declared[note] if {
	at := {"document": 1, "path": ["spec", "ports", 0]}
	some note, case in {
		"written": [to(9090), 9090, "replace"],
		"omitted": [testing.replace_at(testing.service, ["spec", "ports"], [{"port": 80}]), 80, "add"],
		"null": [to(null), 80, "replace"],
		"empty": [to(""), 80, "replace"],
		"zero": [to(0), 80, "replace"],
	}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([testing.web, case[0]])
	got.violation == {{"at": at, "level": "warning", "message": concat("", [
		`Service "web" may send nothing to Deployment "web": it sends to port `,
		format_int(case[1], 10),
		", and the only port declared there is 8080.",
	])}}
	got.fix == {{
		"at": at,
		"class": "assumes",
		"patch": [{"op": case[2], "path": ["spec", "ports", 0, "targetPort"], "value": "http"}],
		"assumption": "The app listens on the port that the container declares.",
	}}
}

test_no_other_protocol[note] if {
	some note, case in {"TLS": ["grpcs", "grpc"], "a version": ["http2", "http"], "a number": ["web-1", "web-2"]}
	fixes := rule.fix with input as testing.batch([ports([{"name": case[0], "containerPort": 8443}]), to(case[1])])
	{fix.class | some fix in fixes} == {"assumes"}
}

test_no_single_port[note] if {
	some note, listed in {"none": [], "null": null, "two": [{"containerPort": 8081}, {"containerPort": 8082}]}
	fixes := rule.fix with input as testing.batch([ports(listed), to("web")])
	{fix.class | some fix in fixes} == {"text"}
}

test_silent_on[note] if {
	some note, case in {
		"declared": [testing.web, to("http")],
		"a number that is declared": [testing.web, to(8080)],
		"a number where nothing is declared": [testing.with_container(["ports"], []), to(9090)],
		"a number where several are declared": [
			testing.with_container(["ports"], [{"containerPort": 8080}, {"containerPort": 8081}]),
			to(9090),
		],
		"a number that a probe uses": [testing.with_container(["livenessProbe"], {"tcpSocket": {"port": 9090}}), to(9090)],
		"a number of a variable port": [testing.with_container(["ports"], [{"containerPort": "${PORT}"}]), to(9090)],
		"a number of another protocol": [
			testing.with_container(["ports"], [{"containerPort": 8080, "protocol": "UDP"}]),
			to(9090),
		],
		"a number of a headless Service": [testing.web, testing.set(to(9090), ["spec", "clusterIP"], "None")],
		"a variable": [testing.web, to("${PORT}")],
		"a declared name that is a variable": [
			testing.with_container(["ports"], [{"name": "{{ name }}", "containerPort": 8080}]),
			to("http"),
		],
		"a variable to be filled in": [testing.web, to("$PORT")],
		"an object": [testing.web, to({})],
		"a number that is no port": [testing.web, to(70000)],
		"no ports": [testing.web, testing.replace_at(testing.service, ["spec", "ports"], null)],
		"a string for a port": [testing.web, testing.replace_at(testing.service, ["spec", "ports"], ["http"])],
		"a native sidecar's": [
			testing.set(testing.web, ["spec", "template", "spec", "initContainers"], [{
				"name": "proxy",
				"restartPolicy": "Always",
				"ports": [{"name": "proxy", "containerPort": 15000}],
			}]),
			to("proxy"),
		],
		"no workload": [testing.replace_at(testing.web, ["spec", "template", "metadata", "labels"], {}), to("htpp")],
		"a Job": [object.union(testing.web, {"apiVersion": "batch/v1", "kind": "Job"}), to("htpp")],
	}
	levels(case) == set()
}

test_the_protocol_counts if {
	udp := testing.replace_at(to("http"), ["spec", "ports", 0], {"port": 53, "targetPort": "http", "protocol": "UDP"})
	levels([testing.web, udp]) == {"error"}
}

test_an_init_container_does_not_listen if {
	workload := testing.set(testing.web, ["spec", "template", "spec", "initContainers"], [{
		"name": "setup",
		"ports": [{"name": "setup", "containerPort": 1}],
	}])
	levels([workload, to("setup")]) == {"error"}
}

test_headless if {
	levels([testing.web, testing.set(to("htpp"), ["spec", "clusterIP"], "None")]) == {"info"}
}

other(name, port) := testing.replace_at(ports([{"name": port, "containerPort": 1}]), ["metadata", "name"], name)

test_several[note] if {
	some note, case in {
		"some": [[testing.web, to("http"), other("b", "grpc")], "warning", `Deployment "b": no`],
		"all": [[testing.web, to("x"), other("b", "grpc")], "error", `Deployment "web" and one other workload: no`],
		"all three": [
			[testing.web, to("x"), other("b", "grpc"), other("c", "grpc")],
			"error", `Deployment "web" and 2 other workloads: no`,
		],
	}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch(case[0])
	[[violation.level, contains(violation.message, case[2])] | some violation in got.violation] == [[case[1], true]]
	{fix.class | some fix in got.fix} == {"text"}
}

test_stray[note] if {
	some note, case in {
		"one": [[testing.web, to(8080), other("db", "sql")], `selects Deployment "db" as well, `],
		"two": [
			[testing.web, to(8080), other("db", "sql"), other("queue", "amqp")],
			`selects Deployment "db" and one other workload as well, `,
		],
	}
	got := {"violation": rule.violation, "fix": rule.fix, "related": rule.related} with input as testing.batch(case[0])
	got.violation == {{"at": first_port, "level": "warning", "message": concat("", [
		`Service "web" may send a share of its requests nowhere: it `,
		case[1],
		"sends to port 8080, and the only port declared there is 1.",
	])}}
	[[fix.at, fix.class] | some fix in got.fix] == [[first_port, "text"]]
	[[found.at, count(found.places)] | some found in got.related] == [[first_port, 1]]
}

test_no_stray[note] if {
	some note, case in {
		"the same port": testing.replace_at(testing.web, ["metadata", "name"], "canary"),
		"no port": testing.replace_at(ports([]), ["metadata", "name"], "canary"),
		"a port for metrics": other("canary", "metrics"),
		"a probe of the number": testing.replace_at(
			testing.with_container(["livenessProbe"], {"tcpSocket": {"port": 8080}}),
			["metadata", "name"], "canary",
		),
	}
	levels([testing.web, to(8080), case]) == set()
}

test_a_common_name if {
	fixes := rule.fix with input as testing.batch([testing.web, to("htpp"), other("b", "http")])
	{step.value | some fix in fixes; some step in fix.patch} == {"http"}
}

# The overlay may add the port, and the other cluster may have another one.
test_locations[note] if {
	some note, case in {
		"a patch declares it": [testing.fragment(ports([{"name": "x", "containerPort": 1}]), "prod/web.yaml"), set()],
		"a nearer workload has it": [testing.document(other("b", "x"), "apps/service.yaml"), set()],
		"neither": [testing.document({}, "apps/x.yaml"), {"error"}],
	}
	violations := rule.violation with input as testing.batch_of([
		testing.document(testing.web, "apps/web.yaml"),
		testing.document(to("x"), "apps/service.yaml"),
		case[0],
	])
	{violation.level | some violation in violations} == case[1]
}

test_only_a_fact if {
	violations := rule.violation with input as testing.batch_of([
		testing.document(testing.web, "apps/web.yaml"),
		testing.fact(to("x"), "apps/service.yaml"),
	])
	violations == set()
}
