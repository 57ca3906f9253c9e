package gracegate.rules.readiness["probe-port-undefined_test"]

import data.gracegate.rules.readiness["probe-port-undefined"] as rule
import data.gracegate.testing

port := testing.inside(["readinessProbe", "httpGet", "port"])

# A container with these ports, with the probes and hooks in `fields`.
web(ports, fields) := testing.batch([testing.replace_at(
	testing.web,
	testing.container,
	object.union({"name": "web", "image": "x", "ports": ports}, fields),
)])

named := {"name": "http", "containerPort": 8080}

unnamed := {"containerPort": 8080}

readiness(name) := {"readinessProbe": {"httpGet": {"path": "/", "port": name}}}

test_a_misspelt_name if {
	at := {"document": 0, "path": port}
	got := {"violation": rule.violation, "fix": rule.fix} with input as web([named], readiness("htpp"))
	got == {
		"violation": {{
			"at": at,
			"message": concat(" ", [
				`Container "web" never becomes ready: its readinessProbe uses port "htpp",`,
				`but the container declares only "http".`,
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "replace", "path": port, "value": "http"}]}},
	}
}

test_a_port_for_udp if {
	at := {"document": 0, "path": port}
	batch := web([object.union(named, {"protocol": "UDP"})], readiness("http"))
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat(" ", [
				`Nothing may answer the readinessProbe of container "web":`,
				`it connects to port "http" by TCP, which is declared for UDP.`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": "Probe a port for TCP, or declare the port for TCP too if the app listens there.",
		}},
	}
}

test_protocols[note] if {
	udp := object.union(named, {"protocol": "UDP"})
	some note, case in {
		"by number": [[udp], 8080, 1],
		"for both": [[udp, {"containerPort": 8080}], 8080, 0],
		"another number": [[udp], 9000, 0],
		"no name": [[object.remove(udp, ["name"])], "", 0],
	}
	violations := rule.violation with input as web(case[0], readiness(case[1]))
	count(violations) == case[2]
}

test_silent_on[note] if {
	some note, batch in {
		"a name that is declared": web([named], readiness("http")),
		"a number that is not": web([named], readiness(9000)),
		"a string of digits": web([named], readiness("9000")),
		"a variable to be filled in": web([named], readiness("${PORT}")),
		"a declared name that is one": web([{"name": "${NAME}", "containerPort": 8080}], readiness("http")),
		"an empty string": web([named], readiness("")),
		"no port": web([named], {"readinessProbe": {"httpGet": {"path": "/"}}}),
		"null": web([named], readiness(null)),
		"an object": web([named], readiness({})),
		"a list": web([named], readiness(["http"])),
		"probes that are no objects": web([named], {"readinessProbe": "http", "livenessProbe": ["http"], "lifecycle": 1}),
		"ports that are no list and no probes": web("http", {}),
		"a grpc number": web([named], {"livenessProbe": {"grpc": {"port": 9000}}}),
		"an ordinary init container": testing.batch([testing.set(
			testing.web,
			["spec", "template", "spec", "initContainers"],
			[object.union({"name": "init"}, readiness("nope"))],
		)]),
		"a fragment": testing.batch_of([testing.fragment(
			testing.set(testing.web, testing.inside(["ports"]), []),
			"apps/web.yaml",
		)]),
		"no subject": testing.batch_of([testing.fact(
			testing.set(testing.web, testing.inside(["ports"]), []),
			"apps/web.yaml",
		)]),
	}
	violations := rule.violation with input as batch
	violations == set()
}

test_messages[note] if {
	some note, case in {
		"liveness": [
			{"livenessProbe": {"tcpSocket": {"port": "admin"}}},
			concat(" ", [
				`Container "web" is never restarted when it hangs: its livenessProbe uses port "admin",`,
				`but the container declares only "http".`,
			]),
		],
		"startup": [
			{"startupProbe": {"httpGet": {"port": "admin"}}},
			concat(" ", [
				`Container "web" never counts as started: its startupProbe uses port "admin",`,
				`but the container declares only "http".`,
			]),
		],
		"preStop": [
			{"lifecycle": {"preStop": {"httpGet": {"port": "admin"}}}},
			`Container "web" never drains: its preStop hook uses port "admin", but the container declares only "http".`,
		],
		"postStart": [
			{"lifecycle": {"postStart": {"httpGet": {"port": "admin"}}}},
			concat(" ", [
				`Container "web" is killed as soon as it has started: its postStart hook uses port "admin",`,
				`but the container declares only "http".`,
			]),
		],
		"grpc": [
			{"livenessProbe": {"grpc": {"port": "http"}}},
			`The API server rejects container "web": its livenessProbe uses grpc port "http", which has to be a number.`,
		],
	}
	violations := rule.violation with input as web([named], case[0])
	{violation.message | some violation in violations} == {case[1]}
}

test_declared_ports_in_the_message[note] if {
	some note, case in {
		"none": [[], "no named port"],
		"no names": [[{"containerPort": 80}, {"containerPort": 81}], "no named port"],
		"two names": [[named, {"name": "metrics", "containerPort": 9090}], `only "http", "metrics"`],
	}
	violations := rule.violation with input as web(case[0], readiness("admin"))
	{split(violation.message, "declares ")[1] | some violation in violations} == {concat("", [case[1], "."])}
}

# A plain request would be refused by a port for TLS.
test_scheme[note] if {
	some note, case in {
		"by its name": [{"name": "https", "containerPort": 9443}, {}, {["replace", "https"], ["add", "HTTPS"]}],
		"by its number": [{"containerPort": 8443}, {}, {["replace", 8443], ["add", "HTTPS"]}],
		"another scheme": [
			{"name": "https", "containerPort": 9443},
			{"scheme": "HTTP"},
			{["replace", "https"], ["replace", "HTTPS"]},
		],
		"the same scheme": [{"name": "tls", "containerPort": 9443}, {"scheme": "HTTPS"}, {["replace", "tls"]}],
	}
	probe := {"readinessProbe": {"httpGet": object.union({"port": "http"}, case[1])}}
	fixes := rule.fix with input as web([case[0]], probe)
	{fix.class | some fix in fixes} == {"assumes"}
	{[step.op, step.value] | some fix in fixes; some step in fix.patch} == case[2]
}

test_fixes[note] if {
	name := testing.inside(["ports", 0, "name"])
	some note, case in {
		"a letter too many": [web([named], readiness("htttp")), ["replace", port, "http", "safe"]],
		"not for TLS": [web([named], readiness("https")), ["replace", port, "http", "assumes"]],
		"not a version": [
			web([{"name": "http2", "containerPort": 8080}], readiness("http")),
			["replace", port, "http2", "assumes"],
		],
		"a letter missing": [web([named], readiness("htp")), ["replace", port, "http", "safe"]],
		"another letter": [web([named], readiness("hxtp")), ["replace", port, "http", "safe"]],
		"two letters swapped": [web([named], readiness("thtp")), ["replace", port, "http", "safe"]],
		"the only port has no name": [web([unnamed], readiness("http")), ["add", name, "http", "safe"]],
		"the only port has an empty name": [
			web([{"name": "", "containerPort": 8080}], readiness("http")),
			["add", name, "http", "safe"],
		],
		"the only port has another name": [web([named], readiness("health")), ["replace", port, "http", "assumes"]],
		"no name for a port": [web([unnamed], readiness("Not A Name")), ["replace", port, 8080, "assumes"]],
		"two names for one port": [
			web([unnamed], object.union(readiness("http"), {"lifecycle": {"preStop": {"httpGet": {"port": 9000}}}})),
			["replace", port, 8080, "assumes"],
		],
	}
	fixes := rule.fix with input as case[0]
	{[step.op, step.path, step.value, object.get(fix, "class", "safe")] |
		some fix in fixes
		some step in fix.patch
	} == {case[1]}
}

test_advice[note] if {
	some note, batch in {
		"no ports": web([], readiness("http")),
		"several": web([named, {"name": "admin", "containerPort": 9000}], readiness("health")),
		"two that are as near": web([named, {"name": "htp", "containerPort": 9000}], readiness("htpp")),
		"UDP": web([{"name": "dns", "containerPort": 53, "protocol": "UDP"}], readiness("dsn")),
		"grpc of another port": web([named], {"readinessProbe": {"grpc": {"port": "admin"}}}),
	}
	fixes := rule.fix with input as batch
	{fix.class | some fix in fixes} == {"text"}
}

test_grpc[note] if {
	some note, name in {"name": "http", "digits": "8080"}
	fixes := rule.fix with input as web([named], {"readinessProbe": {"grpc": {"port": name}}})
	{step.value | some fix in fixes; some step in fix.patch} == {8080}
}

test_batch_kinds_too if {
	template := testing.set(testing.web, port, "nope").spec.template
	jobs := [
		{"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": template}},
		{"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": template}}}},
		{"apiVersion": "v1", "kind": "Pod", "spec": template.spec},
	]
	violations := rule.violation with input as testing.batch(jobs)
	{violation.at.document | some violation in violations} == {0, 1, 2}
}

test_native_sidecars_too if {
	sidecar := object.union({"name": "proxy", "restartPolicy": "Always"}, readiness("nope"))
	workload := testing.set(testing.web, ["spec", "template", "spec", "initContainers"], [sidecar])
	violations := rule.violation with input as testing.batch([workload])
	{violation.at.path[3] | some violation in violations} == {"initContainers"}
}

test_a_container_without_name if {
	workload := testing.remove_at(testing.set(testing.web, port, "nope"), testing.inside(["name"]))
	violations := rule.violation with input as testing.batch([workload])
	every violation in violations {
		startswith(violation.message, `Container "containers[0]" never becomes ready`)
	}
}
