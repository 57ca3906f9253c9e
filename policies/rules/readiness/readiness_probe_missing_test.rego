package gracegate.rules.readiness["readiness-probe-missing_test"]

import data.gracegate.rules.readiness["readiness-probe-missing"] as rule
import data.gracegate.testing

unready := testing.remove_at(testing.web, testing.inside(["readinessProbe"]))

tcp := {"failureThreshold": 3, "periodSeconds": 5, "tcpSocket": {"port": "http"}}

found(batch) := {[violation.at.document, violation.level] | some violation in violations} if {
	violations := rule.violation with input as batch
}

# The probe that the fix of the first document puts in.
put(batch) := {step.value | some fix in fixes; some step in fix.patch} if {
	fixes := rule.fix with input as batch
}

# Unready, with these fields in its container.
behind(fields) := testing.batch([
	testing.replace_at(unready, testing.container, object.union(unready.spec.template.spec.containers[0], fields)),
	testing.service,
])

test_a_served_container_without_probe if {
	at := {"document": 0, "path": testing.container}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([unready, testing.service])
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat("", [
				`Container "web" gets traffic before it can serve: it has no readinessProbe, `,
				`and Service "web" sends to it as soon as its process runs.`,
			]),
		}},
		"fix": {{
			"at": at,
			"advice": "If the app has a path that reports whether it can serve, an httpGet probe checks more than an open port.",
			"patch": [{"op": "add", "path": testing.inside(["readinessProbe"]), "value": tcp}],
		}},
	}
}

test_the_only_pod_stops_first[note] if {
	some note, case in {
		"the only pod": [1, 1, {"assumes"}],
		"both pods": [2, 2, {"safe"}],
		"one more first": [1, 0, {"safe"}],
	}
	some probes in [{}, {"livenessProbe": {"tcpSocket": {"port": "http"}}}]
	probed := object.union(unready.spec.template.spec.containers[0], probes)
	strategy := {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": case[1]}}
	workload := testing.set(
		testing.set(testing.replace_at(unready, testing.container, probed), ["spec", "strategy"], strategy),
		["spec", "replicas"],
		case[0],
	)
	fixes := rule.fix with input as testing.batch([workload, testing.service])
	{object.get(fix, "class", "safe") | some fix in fixes} == case[2]
}

test_silent_on[note] if {
	some note, batch in {
		"a probe": testing.batch([testing.web, testing.service]),
		"an empty probe, which is refused": behind({"readinessProbe": {}}),
		"nothing that selects it": testing.batch([unready]),
		"zero replicas": testing.batch([testing.set(unready, ["spec", "replicas"], 0), testing.service]),
		"a Job": testing.batch([object.union(unready, {"apiVersion": "batch/v1", "kind": "Job"}), testing.service]),
		"a Service that publishes the unready": testing.batch([
			unready,
			testing.set(testing.service, ["spec", "publishNotReadyAddresses"], true),
		]),
		"a fragment": testing.batch_of([
			testing.fragment(unready, "apps/web.yaml"),
			testing.document(testing.service, "apps/service.yaml"),
		]),
		"several containers, and one with a probe": testing.batch([
			testing.set(unready, ["spec", "template", "spec", "containers", 1], {"readinessProbe": {"exec": {}}}),
			testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 9999),
		]),
		"several containers whose Service publishes the unready": testing.batch([
			testing.set(unready, ["spec", "template", "spec", "containers", 1], {"name": "side"}),
			testing.set(
				testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 9999),
				["spec", "publishNotReadyAddresses"],
				true,
			),
		]),
		"no service and several that listen": testing.with_unread_file(testing.batch([testing.set(
			unready,
			["spec", "template", "spec", "containers", 1],
			{"name": "side", "ports": [{"containerPort": 1}]},
		)])),
	}
	found(batch) == set()
}

test_several_containers_without_the_port if {
	workload := testing.set(unready, ["spec", "template", "spec", "containers", 1], {"name": "side"})
	service := testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 9999)
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([workload, service])
	at := {"document": 0, "path": testing.container}
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat(" ", [
				`One of the containers "web", "side" gets traffic before it can serve: none of them has a readinessProbe`,
				`or declares port 9999, to which Service "web" sends.`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": concat(" ", [
				"Declare the port in the container that listens on it,",
				"and add a readinessProbe there that checks whether the app can serve.",
			]),
		}},
	}
}

test_null_probe if {
	batch := behind({"readinessProbe": null})
	found(batch) == {[0, "error"]}
	put(batch) == {tcp}
}

test_levels[note] if {
	pod := {
		"apiVersion": "v1",
		"kind": "Pod",
		"metadata": unready.spec.template.metadata,
		"spec": unready.spec.template.spec,
	}
	some note, case in {
		"elsewhere": [unready, testing.document(testing.service, "other/service.yaml"), "warning"],
		"elsewhere without a namespace": [
			testing.set(unready, ["metadata", "namespace"], "shop"),
			testing.document(testing.service, "other/service.yaml"),
			"warning",
		],
		"elsewhere in the same namespace": [
			testing.set(unready, ["metadata", "namespace"], "shop"),
			testing.document(testing.set(testing.service, ["metadata", "namespace"], "shop"), "other/service.yaml"),
			"error",
		],
		"a bare pod": [pod, testing.document(testing.service, "apps/service.yaml"), "info"],
		"metrics only": [
			unready,
			testing.document(testing.set(testing.service, ["spec", "ports", 0, "name"], "prometheus"), "apps/x.yaml"),
			"info",
		],
	}
	found(testing.batch_of([testing.document(case[0], "apps/web.yaml"), case[1]])) == {[0, case[2]]}
}

test_elsewhere_in_another_namespace if {
	workload := testing.set(unready, ["metadata", "namespace"], "shop")
	service := testing.set(testing.service, ["metadata", "namespace"], "bank")
	documents := [testing.document(workload, "apps/a.yaml"), testing.document(service, "other/b.yaml")]
	found(testing.batch_of(documents)) == set()
}

test_a_service_in_an_unread_file if {
	violations := rule.violation with input as testing.with_unread_file(testing.batch([unready]))
	{[violation.level, violation.message] | some violation in violations} == {["warning", concat("", [
		`Container "web" gets traffic before it can serve: it has no readinessProbe, `,
		"and a Service in a file that could not be read may send to it.",
	])]}
}

# Only what scrapes it asks for the metrics.
test_an_exporter_in_the_service_of_the_app if {
	exporter := {"name": "exporter", "image": "x", "ports": [{"name": "metrics", "containerPort": 9090}]}
	workload := testing.set(testing.web, ["spec", "template", "spec", "containers", 1], exporter)
	service := testing.set(testing.service, ["spec", "ports", 1], {"name": "metrics", "port": 9090, "targetPort": 9090})
	found(testing.batch([workload, service])) == {[0, "info"]}
}

test_a_name_of_two_containers if {
	helper := {"name": "helper", "image": "x", "ports": [{"name": "http", "containerPort": 9000}]}
	workload := testing.set(testing.web, ["spec", "template", "spec", "containers", 1], helper)
	found(testing.batch([workload, testing.service])) == set()
}

test_a_patch_brings_the_probe if {
	patch := {
		"apiVersion": "apps/v1",
		"kind": "Deployment",
		"metadata": {"name": "web"},
		"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"tcpSocket": {"port": 1}}}]}}},
	}
	documents := [
		testing.document(unready, "apps/web.yaml"),
		testing.document(testing.service, "apps/web.yaml"),
		testing.fragment(patch, "overlay/web.yaml"),
	]
	found(testing.batch_of(documents)) == {[0, "warning"]}
}

test_owned_by_another_document if {
	owner := {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": true}
	owned := object.union(unready, {
		"kind": "ReplicaSet",
		"metadata": {"name": "web-7c9", "ownerReferences": [owner]},
	})
	found(testing.batch([owned, testing.service])) == {[0, "error"]}
	found(testing.batch([testing.web, owned, testing.service])) == set()
}

test_probes[note] if {
	some note, case in {
		"the name of the port": [{}, tcp],
		"a livenessProbe of another host": [
			{"livenessProbe": {"httpGet": {"path": "/live", "port": "http", "host": "127.0.0.1"}}},
			tcp,
		],
		"a livenessProbe with a program that the image lacks": [
			{"image": "mongo:4.4", "livenessProbe": {"exec": {"command": ["mongosh", "--eval", "1"]}}},
			tcp,
		],
		"a livenessProbe whose command fails": [{"livenessProbe": {"exec": {"command": ["test -f /x"]}}}, tcp],
		"a livenessProbe of a port that is not declared": [{"livenessProbe": {"tcpSocket": {"port": 9000}}}, tcp],
		"liveness": [
			{"livenessProbe": {"httpGet": {"path": "/live", "port": "http"}, "initialDelaySeconds": 60}},
			{"failureThreshold": 3, "periodSeconds": 5, "httpGet": {"path": "/live", "port": "http"}},
		],
		"startup": [
			{"startupProbe": {"exec": {"command": ["/up"]}, "failureThreshold": 60, "successThreshold": 1}},
			{"failureThreshold": 3, "periodSeconds": 5, "exec": {"command": ["/up"]}},
		],
		"timeout": [
			{"livenessProbe": {"grpc": {"port": 8080}, "timeoutSeconds": 30}},
			{"failureThreshold": 3, "periodSeconds": 5, "timeoutSeconds": 5, "grpc": {"port": 8080}},
		],
		"a livenessProbe without a port of its own": [
			{"livenessProbe": {"httpGet": {"path": "/live", "port": "nope"}}},
			tcp,
		],
		"a livenessProbe with a quoted port": [
			{"livenessProbe": {"httpGet": {"path": "/live", "port": "8080"}}},
			{"failureThreshold": 3, "periodSeconds": 5, "httpGet": {"path": "/live", "port": 8080}},
		],
		"a livenessProbe that the API server rejects": [{"livenessProbe": {"tcpSocket": {"port": 0}}}, tcp],
		"a liveness of no command": [{"livenessProbe": {"exec": {"command": []}}}, tcp],
		"a liveness of two minds": [
			{"livenessProbe": {"httpGet": {"port": 80}, "exec": {"command": ["x"]}}},
			tcp,
		],
	}
	put(behind(case[0])) == {case[1]} - {{}}
}

test_number_of_the_service if {
	workload := testing.set(unready, testing.inside(["ports"]), [{"containerPort": 8080}])
	service := testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 8080)
	put(testing.batch([workload, service])) == {object.union(tcp, {"tcpSocket": {"port": 8080}})}
}

test_a_port_that_the_service_does_not_name[note] if {
	workload := testing.set(unready, testing.inside(["ports"]), [{"containerPort": 8080}])
	some note, service in {
		"another number": testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 80),
		"another name": testing.set(testing.service, ["spec", "ports", 0, "targetPort"], "web"),
	}
	fixes := rule.fix with input as testing.batch([workload, service])
	[[fix.class, fix.patch[0].value.tcpSocket.port] | some fix in fixes] == [["assumes", 8080]]
}

test_a_headless_port_proves_nothing if {
	workload := testing.remove_at(unready, testing.inside(["ports"]))
	service := testing.set(testing.service, ["spec"], {
		"clusterIP": "None",
		"selector": {"app": "web"},
		"ports": [{"port": 1}],
	})
	fixes := rule.fix with input as testing.batch([workload, service])
	[fix.class | some fix in fixes] == ["text"]
}

test_undeclared_number if {
	workload := testing.remove_at(unready, testing.inside(["ports"]))
	moved := testing.set(testing.service, ["spec", "ports", 0, "port"], 9000)
	service := testing.remove_at(moved, ["spec", "ports", 0, "targetPort"])
	put(testing.batch([workload, service])) == {object.union(tcp, {"tcpSocket": {"port": 9000}})}
}

test_not_the_metrics_port if {
	workload := testing.set(unready, testing.inside(["ports"]), [
		{"name": "metrics", "containerPort": 9090},
		{"name": "http", "containerPort": 8080},
	])
	service := testing.set(testing.service, ["spec", "ports"], [
		{"port": 9090, "targetPort": "metrics"},
		{"port": 80, "targetPort": "http"},
		"x",
	])
	put(testing.batch([workload, service])) == {tcp}
}

# A livenessProbe with the same handler has to be the more patient one.
test_patient_threshold_of_the_fix[note] if {
	some note, case in {
		"defaults": [{}, set()],
		"as fast": [{"periodSeconds": 5, "failureThreshold": 3}, {6}],
		"hasty": [{"periodSeconds": 1, "failureThreshold": 1}, {30}],
		"zero is the default": [{"periodSeconds": 0, "failureThreshold": 0}, set()],
	}
	liveness := object.union({"tcpSocket": {"port": "http"}}, case[0])
	{threshold | some threshold in put(behind({"livenessProbe": liveness})); is_number(threshold)} == case[1]
}

test_advice[note] if {
	some note, batch in {
		"UDP": testing.batch([
			testing.set(unready, testing.inside(["ports", 0, "protocol"]), "UDP"),
			testing.set(testing.service, ["spec", "ports", 0, "protocol"], "UDP"),
		]),
		"an undeclared name": behind({"ports": []}),
		"mysql": behind({"image": "docker.io/library/mysql:8"}),
		"several ports and no Service": testing.with_unread_file(testing.batch([testing.set(
			unready,
			testing.inside(["ports", 1]),
			{"name": "admin", "containerPort": 9000},
		)])),
	}
	fixes := rule.fix with input as batch
	{fix.class | some fix in fixes} == {"text"}
}

test_hints[note] if {
	some note, case in {"grpc": ["grpc", "grpc.health.v1"], "web": ["web", "httpGet"], "redis": ["redis", ""]}
	service := testing.set(testing.service, ["spec", "ports", 0, "targetPort"], case[0])
	workload := testing.set(unready, testing.inside(["ports", 0, "name"]), case[0])
	fixes := rule.fix with input as testing.batch([workload, service])
	every fix in fixes {
		contains(object.get(fix, "advice", ""), case[1])
	}
}

test_a_native_sidecar_that_serves if {
	proxy := {"name": "proxy", "image": "x", "restartPolicy": "Always", "ports": [{"name": "http", "containerPort": 80}]}
	app := testing.set(unready, testing.inside(["ports"]), [{"containerPort": 9000}])
	workload := testing.set(app, ["spec", "template", "spec", "initContainers"], [proxy])
	violations := rule.violation with input as testing.batch([workload, testing.service])
	{violation.at.path[3] | some violation in violations} == {"initContainers"}
}

test_fixed[note] if {
	some note, fields in {"tcp": {}, "copy": {"livenessProbe": {"tcpSocket": {"port": "http"}}}}
	fixes := rule.fix with input as behind(fields)
	found(object.union(behind(fields), testing.fixed_documents(behind(fields), fixes))) == set()
}
