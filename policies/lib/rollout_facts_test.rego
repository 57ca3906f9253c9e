package gracegate.lib.rollout_facts_test

import data.gracegate.lib.rollout_facts
import data.gracegate.testing

probe := {"initial_delay": 0, "period": 10, "success_threshold": 1, "connects": false}

facts := {
	"container": "web",
	"replicas": 1,
	"surge": 1,
	"unavailable": 0,
	"recreates": false,
	"min_ready": 0,
	"readiness": probe,
	"startup": null,
	"start": null,
	"prestop": 10,
	"grace": 30,
	"exposure": "cluster",
	"drain": 10,
	"publishes_unready": false,
	"gated": false,
}

found(objects) := by_workload if {
	by_workload := rollout_facts.by_workload with input as testing.batch(objects)
}

of(web) := found([web, testing.service])[0]

with_spec(path, value) := testing.set(testing.web, array.concat(["spec"], path), value)

with_pod(path, value) := with_spec(array.concat(["template", "spec"], path), value)

with_service(path, value) := testing.set(testing.service, path, value)

test_nothing if found([]) == {}

test_no_rollouts_of_what_does_not_roll if {
	found([testing.service, testing.budget, object.union(testing.web, {"apiVersion": "batch/v1", "kind": "Job"})]) == {}
}

test_none_of_facts_and_fragments if {
	documents := [testing.fact(testing.web, "apps/a"), testing.fragment(testing.web, "apps/b")]
	found := rollout_facts.by_workload with input as testing.batch_of(documents)
	found == {}
}

test_facts[note] if {
	some note, case in {
		"the defaults": [testing.web, {}],
		"replicas": [testing.with_replicas(8), {"replicas": 8, "surge": 2, "unavailable": 2}],
		"numbers": [
			with_spec(["strategy"], {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "100%"}}),
			{"surge": 0, "unavailable": 1},
		],
		"rounded to nothing": [
			with_spec(["strategy"], {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "10%"}}),
			{"surge": 0, "unavailable": 1},
		],
		"Recreate": [with_spec(["strategy"], {"type": "Recreate"}), {"surge": 0, "recreates": true}],
		"minReadySeconds": [with_spec(["minReadySeconds"], 5), {"min_ready": 5}],
		"grace": [with_pod(["terminationGracePeriodSeconds"], 60), {"grace": 60}],
		"no probe": [testing.remove_at(testing.web, testing.inside(["readinessProbe"])), {"readiness": null}],
		"a probe": [
			testing.with_container(["readinessProbe"], {
				"tcpSocket": {"port": 80},
				"initialDelaySeconds": 7,
				"periodSeconds": 3,
				"successThreshold": 2,
			}),
			{
				"readiness": {"initial_delay": 7, "period": 3, "success_threshold": 2, "connects": true},
				"start": 7,
			},
		],
		"a startupProbe": [
			testing.with_container(["startupProbe"], {"exec": {"command": ["up"]}, "periodSeconds": 2}),
			{"startup": {"initial_delay": 0, "period": 2, "success_threshold": 1, "connects": false}},
		],
		"a livenessProbe says how long it takes": [
			testing.with_container(["livenessProbe"], {"httpGet": {"port": 80}, "initialDelaySeconds": 30}),
			{"start": 30},
		],
		"no hook": [testing.remove_at(testing.web, testing.inside(["lifecycle"])), {"prestop": 0}],
		"a hook that fails": [with_hook(["sleep 5"]), {"prestop": 0}],
		"a hook whose program is not there": [
			json.patch(testing.web, [
				{"op": "add", "path": testing.inside(["image"]), "value": "gcr.io/distroless/static"},
				{"op": "add", "path": testing.inside(["lifecycle", "preStop"]), "value": {"exec": {"command": ["sleep", "5"]}}},
			]),
			{"prestop": 0},
		],
		"a gate": [with_pod(["readinessGates"], [{"conditionType": "x"}]), {"gated": true}],
	}
	of(case[0]).facts == object.union(facts, case[1])
}

test_facts_of_the_service[note] if {
	some note, case in {
		"not ready": [with_service(["spec", "publishNotReadyAddresses"], true), {"publishes_unready": true}],
		"a node": [with_service(["spec", "type"], "NodePort"), {"exposure": "node", "drain": 16}],
		"a NEG": [
			with_service(["metadata", "annotations"], {"cloud.google.com/neg": `{"ingress": true}`}),
			{"exposure": "neg", "drain": 40, "gated": true},
		],
	}
	found([testing.web, case[0]])[0].facts == object.union(facts, case[1])
}

headless := with_service(["spec", "clusterIP"], "None")

test_the_faster_of_a_headless_and_another_service if {
	other := testing.set(headless, ["metadata", "name"], "peers")
	found([testing.web, testing.service, other])[0].facts == facts
}

sidecar := {"name": "proxy", "image": "x", "readinessProbe": {"httpGet": {"port": 1}}}

test_unknown_workloads[note] if {
	some note, case in {
		"another kind": [object.union(testing.web, {"kind": "StatefulSet"}), "other_kind"],
		"idle": [testing.with_replicas(0), "idle"],
		"drains by itself": [
			with_spec(["template", "metadata", "annotations"], {"gracegate.dev/drain": "app"}),
			"app_drains",
		],
		"a hook of unknown length": [with_hook(["/stop"]), "unknown_hook"],
		"a readinessProbe of no port": [
			testing.with_container(["readinessProbe"], {"httpGet": {"port": "none"}}),
			"never_ready",
		],
		"a readinessProbe that always fails": [
			testing.with_container(["readinessProbe"], {"exec": {"command": ["cat /ready"]}}),
			"never_ready",
		],
		"a startupProbe of no port": [
			testing.with_container(["startupProbe"], {"tcpSocket": {"port": "none"}}),
			"never_ready",
		],
		"a hook that stops the app": [with_hook(["sh", "-c", "nginx -s quit; sleep 5"]), "early_stop"],
		"a number that is wrong": [with_spec(["minReadySeconds"], -1), "unknown_number"],
		"variable replicas": [testing.with_replicas("${REPLICAS}"), "unknown_number"],
		"a variable period": [
			testing.with_container(["readinessProbe"], {"httpGet": {"port": 80}, "periodSeconds": "$PERIOD"}),
			"unknown_number",
		],
		"a wrong probe": [testing.with_container(["readinessProbe"], "x"), "unknown_number"],
		"a rejected strategy": [
			with_spec(["strategy"], {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
			"unknown_number",
		],
		"another container is ready": [
			json.patch(testing.web, [
				{"op": "remove", "path": testing.inside(["readinessProbe"])},
				{"op": "add", "path": ["spec", "template", "spec", "containers", "-"], "value": sidecar},
			]),
			"readiness_of_sidecar",
		],
		"a native sidecar": [
			json.patch(testing.web, [
				{"op": "remove", "path": testing.inside(["ports"])},
				{"op": "add", "path": ["spec", "template", "spec", "initContainers"], "value": [native]},
			]),
			"several_containers",
		],
	}
	found([case[0], testing.service])[0] == {"unknown": case[1]}
}

test_unserved if found([testing.web])[0] == {"unknown": "unserved"}

test_unknown_services[note] if {
	some note, case in {
		"headless": [testing.web, headless, "headless"],
		"for metrics": [
			testing.web,
			with_service(["spec", "ports"], [{"name": "metrics", "port": 9}]),
			"unserved",
		],
		"two containers": [
			two_containers(["http", "https"]),
			with_service(["spec", "ports"], [{"port": 1, "targetPort": "http"}, {"port": 2, "targetPort": "https"}]),
			"several_containers",
		],
		"nobody knows which container": [
			two_containers(["a", "b"]),
			with_service(["spec", "ports"], [{"port": 8080}]),
			"several_containers",
		],
	}
	found([case[0], case[1]])[0] == {"unknown": case[2]}
}

with_hook(command) := testing.with_container(["lifecycle", "preStop"], {"exec": {"command": command}})

native := {
	"name": "proxy",
	"image": "x",
	"restartPolicy": "Always",
	"ports": [{"name": "http", "containerPort": 1}],
}

two_containers(port_names) := with_pod(["containers"], [container |
	some index, name in port_names
	container := {"name": name, "image": "x", "ports": [{"name": name, "containerPort": index + 1}]}
])

rollout := {
	"apiVersion": "argoproj.io/v1alpha1",
	"kind": "Rollout",
	"metadata": {"name": "web"},
	"spec": {"workloadRef": {"kind": "Deployment", "name": "web"}},
}

test_a_deployment_that_a_rollout_runs if {
	found([testing.web, testing.service, rollout])[0] == {"unknown": "other_kind"}
}

test_a_service_in_a_file_that_could_not_be_read if {
	batch := testing.with_unread_file(testing.batch([testing.web]))
	found := rollout_facts.by_workload with input as batch
	found == {0: {"unknown": "unknown_service"}}
}

test_an_ingress_in_a_file_that_could_not_be_read if {
	batch := testing.with_unread_file(testing.batch([testing.web, testing.service]))
	found := rollout_facts.by_workload with input as batch
	found == {0: {"unknown": "unknown_service"}}
}

spec_path := ["spec", "template", "spec"]

container_path := array.concat(spec_path, ["containers", 0])

grace_path := array.concat(spec_path, ["terminationGracePeriodSeconds"])

grace_period := {"name": "grace period", "seconds": 30, "path": grace_path}

test_shutdowns[note] if {
	prestop := {"name": "preStop", "seconds": 10, "path": array.concat(container_path, ["lifecycle", "preStop"])}
	app := {"name": "shutdown of the app", "seconds": 10, "path": container_path}
	environment := [{"name": "SHUTDOWN_TIMEOUT", "value": "20s"}]
	stated := {"name": "SHUTDOWN_TIMEOUT", "seconds": 20, "path": array.concat(container_path, ["env", 0, "value"])}
	some note, case in {
		"nothing is stated": [testing.web, [prestop, app]],
		"no hook": [testing.remove_at(testing.web, testing.inside(["lifecycle"])), [app]],
		"stated": [testing.with_container(["env"], environment), [prestop, stated]],
		"annotated": [
			testing.set(
				testing.with_container(["env"], environment),
				["metadata", "annotations"],
				{"gracegate.dev/app-drain-seconds": "7"},
			),
			[prestop, object.union(app, {"seconds": 7})],
		],
	}
	of(case[0]).shutdown == {
		"services": [{"document": 1, "seconds": 10}],
		"steps": case[1],
		"grace": grace_period,
	}
}
