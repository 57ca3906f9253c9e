package gracegate.lib.api_validation_test

import data.gracegate.lib.api_validation
import data.gracegate.testing

pod := ["spec", "template", "spec"]

steps(manifest) := {[error.path, error.steps] | some error in object.get(found, 0, set())} if {
	found := api_validation.errors with input as testing.batch([manifest])
}

daemon_set(settings) := testing.set(
	object.union(testing.web, {"kind": "DaemonSet"}),
	["spec", "updateStrategy"],
	{"rollingUpdate": settings},
)

strategy(value) := testing.set(testing.web, ["spec", "strategy"], value)

deadline(seconds, ready) := object.union(
	testing.web,
	{"spec": {"progressDeadlineSeconds": seconds, "minReadySeconds": ready}},
)

ports(port) := testing.set(
	testing.set(testing.web, array.concat(pod, ["hostNetwork"]), true),
	testing.inside(["ports"]),
	[port],
)

budget(fields) := testing.set(testing.budget, ["spec"], fields)

surge := ["spec", "updateStrategy", "rollingUpdate", "maxSurge"]

unavailable := ["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]

test_no_errors[note] if {
	some note, manifest in {
		"Deployment": testing.web,
		"one pod more": strategy({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),
		"Recreate": strategy({"type": "Recreate", "rollingUpdate": null}),
		"deadline": deadline(31, 30),
		"DaemonSet with defaults": daemon_set({}),
		"DaemonSet with surge": daemon_set({"maxSurge": 1, "maxUnavailable": 0}),
		"DaemonSet OnDelete": testing.set(
			daemon_set({"maxSurge": 0, "maxUnavailable": 0}),
			["spec", "updateStrategy", "type"], "OnDelete",
		),
		"same port on the node": ports({"containerPort": 80, "hostPort": 80}),
		"no port on the node": ports({"containerPort": 80}),
		"no ephemeral containers": testing.set(testing.web, array.concat(pod, ["ephemeralContainers"]), []),
		"budget": testing.budget,
		"budget with null": budget({"maxUnavailable": null, "minAvailable": 1}),
		"budget with 100 %": budget({"minAvailable": "100%"}),
		"budget without a spec": testing.set(testing.budget, ["spec"], "x"),
		"Service": testing.service,
	}
	steps(manifest) == set()
}

test_errors_of_workloads[note] if {
	some note, case in {
		"no progress": [
			strategy({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}),
			["spec", "strategy", "rollingUpdate", "maxSurge"],
			[["replace", 1]],
		],
		"Recreate with settings": [
			strategy({"type": "Recreate", "rollingUpdate": {}}),
			["spec", "strategy", "rollingUpdate"],
			[["remove", null]],
		],
		"deadline before the pods are available": [deadline(30, 30), ["spec", "minReadySeconds"], [["replace", 60]]],
		"DaemonSet without progress": [daemon_set({"maxSurge": 0, "maxUnavailable": 0}), unavailable, [["replace", 1]]],
		"DaemonSet with both": [daemon_set({"maxSurge": 1}), surge, [["add", 0]]],
		"DaemonSet with surge and a port of the node": [
			testing.set(
				daemon_set({"maxSurge": 1, "maxUnavailable": 0}),
				testing.inside(["ports", 0, "hostPort"]), 80,
			),
			surge,
			[["remove", null], ["replace", 1]],
		],
		"ephemeral containers": [
			testing.set(testing.web, array.concat(pod, ["ephemeralContainers"]), [{"name": "debug"}]),
			array.concat(pod, ["ephemeralContainers"]),
			[["remove", null]],
		],
		"another port on the node": [
			ports({"containerPort": 80, "hostPort": 8080}),
			testing.inside(["ports", 0, "hostPort"]),
			[["replace", 80]],
		],
	}
	[[path, found]] := [error | some error in steps(case[0])]
	path == case[1]
	[[step.op, object.get(step, "value", null)] | some step in found] == case[2]
}

test_errors_of_budgets[note] if {
	some note, case in {
		"both": [{"maxUnavailable": 1, "minAvailable": 1}, {"minAvailable"}, [["remove", null]]],
		"both, and none may go": [{"maxUnavailable": 0, "minAvailable": 1}, {"maxUnavailable"}, [["remove", null]]],
		"more than 100 %": [{"maxUnavailable": "150%"}, {"maxUnavailable"}, [["replace", "100%"]]],
		"more than 100 % have to stay": [{"minAvailable": "150%"}, {"minAvailable"}, []],
		"below 0": [{"maxUnavailable": -1}, {"maxUnavailable"}, []],
	}
	found := steps(budget(case[0]))
	{path[1] | some [path, _] in found} == case[1]
	[[step.op, object.get(step, "value", null)] | some [_, listed] in found; some step in listed] == case[2]
}
