package gracegate.lib.target_containers_test

import data.gracegate.lib.target_containers
import data.gracegate.testing

sidecar := {"name": "proxy", "image": "proxy:1", "restartPolicy": "Always", "ports": [{"containerPort": 80}]}

with_sidecar := testing.set(testing.web, ["spec", "template", "spec", "initContainers"], [sidecar])

with_second(container) := testing.set(testing.web, ["spec", "template", "spec", "containers", 1], container)

with_metrics := testing.with_container(["ports"], [{"name": "metrics", "containerPort": 9102}])

sending_to(ports) := testing.set(testing.service, ["spec", "ports"], ports)

targets(batch) := {[target.container.title, target.services, ports, target.level] |
	found := target_containers.by_workload with input as batch
	some target in found[0]
	ports := {port.target | some port in target.ports}
}

test_no_targets[note] if {
	some note, objects in {
		"no Service": [testing.web],
		"another selector": [testing.web, testing.set(testing.service, ["spec", "selector"], {"app": "api"})],
		"a port that neither of two declares": [with_second({"name": "b"}), sending_to([{"port": 81}])],
		"UDP": [with_second({"name": "b"}), sending_to([{"port": 80, "targetPort": "http", "protocol": "UDP"}])],
		"no containers": [testing.set(testing.web, ["spec", "template", "spec", "containers"], []), testing.service],
	}
	targets(testing.batch(objects)) == set()
}

test_the_app_beside_helpers[note] if {
	some note, case in {
		"a log shipper": ["fluent/fluent-bit:3.1", {["web", {1}, {81}, "warning"]}],
		"an exporter": ["quay.io/prom/redis-exporter", {["web", {1}, {81}, "warning"]}],
		"another app": ["registry.example/exporter-of-orders:1", set()],
	}
	helper := {"name": "helper", "image": case[0]}
	targets(testing.batch([with_second(helper), sending_to([{"port": 81}])])) == case[1]
}

test_the_app_with_metrics_beside_helpers if {
	helper := {"name": "helper", "image": "fluent/fluent-bit:3.1"}
	workload := testing.set(with_metrics, ["spec", "template", "spec", "containers", 1], helper)
	scraped := sending_to([{"name": "metrics", "port": 9102}])
	batch := testing.batch([workload, scraped, sending_to([{"port": 81}])])
	targets(batch) == {["web", {1, 2}, {"metrics", 81}, "warning"]}
}

test_a_helper_beside_a_served_app[note] if {
	declared := {"name": "helper", "image": "quay.io/prometheus-operator/prometheus-config-reloader:v0.7"}
	helper := object.union(declared, {"ports": [{"name": "reload", "containerPort": 81}]})
	some note, case in {
		"both get traffic": [[{"name": "web", "port": 8080}, {"name": "reload", "port": 81}], "info"],
		"only the helper gets traffic": [[{"name": "reload", "port": 81}], "error"],
	}
	found := targets(testing.batch([with_second(helper), sending_to(case[0])]))
	{level | some ["helper", _, _, level] in found} == {case[1]}
}

test_undecided[note] if {
	third := {"name": "b", "image": "registry.example/b:2", "ports": [{"name": "grpc", "containerPort": 82}]}
	some note, case in {
		"two apps": [with_second(third), [{"port": 81}], {[`"web", "b"`, 1, 81]}],
		"the lowest port": [with_second(third), [{"port": 84}, {"port": 83}], {[`"web", "b"`, 1, 83]}],
		"helpers alone": [
			testing.set(with_second({"name": "b", "image": "fluentd"}), testing.inside(["image"]), "fluentd:1"),
			[{"port": 81}],
			{[`"web", "b"`, 1, 81]},
		],
		"one app": [testing.web, [{"port": 81}], set()],
		"a port that one declares": [with_second(third), [{"port": 81}, {"port": 82}], set()],
		"a name that none declares": [with_second(third), [{"port": 81, "targetPort": "x"}], set()],
		"for metrics": [with_second(third), [{"name": "metrics", "port": 81}], set()],
		"UDP": [with_second(third), [{"port": 81, "protocol": "UDP"}], set()],
	}
	found := target_containers.undecided_by_workload with input as testing.batch([case[0], sending_to(case[1])])
	{[undecided.titles, undecided.service, undecided.port] | some undecided in found} == case[2]
}

test_undecided_with_a_known_target if {
	second := testing.set(testing.service, ["spec", "ports"], [{"port": 81}])
	batch := testing.batch([with_second({"name": "b", "image": "b:1"}), testing.service, second])
	found := target_containers.undecided_by_workload with input as batch
	found == {}
}

test_targets[note] if {
	some note, case in {
		"by name": [[testing.web, testing.service], {["web", {1}, {"http"}, "error"]}],
		"by number": [[testing.web, sending_to([{"port": 80, "targetPort": 8080}])], {["web", {1}, {"http"}, "error"]}],
		"by the Service's own port": [[testing.web, sending_to([{"port": 8080}])], {["web", {1}, {"http"}, "error"]}],
		"an undeclared port": [
			[testing.web, sending_to([{"port": 80, "targetPort": 9090}])],
			{["web", {1}, {9090}, "error"]},
		],
		"no port": [[testing.web, sending_to([])], {["web", {1}, set(), "error"]}],
		"a sidecar that declares the port": [
			[with_sidecar, sending_to([{"port": 80}])],
			{["proxy", {1}, {80}, "error"]},
		],
		"metrics": [[testing.web, sending_to([{"name": "metrics", "port": 8080}])], {["web", {1}, {"http"}, "info"]}],
		"metrics by the number of a port with that name": [
			[with_metrics, sending_to([{"port": 80, "targetPort": 9102}])],
			{["web", {1}, {"metrics"}, "info"]},
		],
	}
	targets(testing.batch(case[0])) == case[1]
}

test_uncertain_targets[note] if {
	web := testing.document(testing.web, "apps/web.yaml")
	some note, case in {
		"Service elsewhere": [
			testing.batch_of([web, testing.document(testing.service, "far/service.yaml")]),
			{["web", {1}, {"http"}, "warning"]},
		],
		"unread file": [
			testing.with_unread_file(testing.batch_of([web])),
			{["web", set(), {"http"}, "warning"]},
		],
		"unread file and a port for metrics": [
			testing.with_unread_file(testing.batch([with_metrics])),
			{["web", set(), {"metrics"}, "warning"]},
		],
		"unread file and two containers with ports": [
			testing.with_unread_file(testing.batch([with_second({"name": "b", "ports": [{"containerPort": 81}]})])),
			set(),
		],
		"unread file and no TCP port": [
			testing.with_unread_file(testing.batch([testing.with_container(
				["ports"],
				[{"containerPort": 53, "protocol": "UDP"}],
			)])),
			set(),
		],
	}
	targets(case[0]) == case[1]
}
