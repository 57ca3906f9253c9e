package gracegate.lib.api_consistency_test

import data.gracegate.lib.api_consistency
import data.gracegate.testing

found(batch) := {[error.path, error.why] |
	errors := api_consistency.errors with input as batch
	some of_document in errors
	some error in of_document
}

with_pod(field, value) := testing.set(testing.web, ["spec", "template", "spec", field], value)

with_ports(ports) := testing.with_container(["ports"], ports)

sending_to(ports) := testing.set(testing.service, ["spec", "ports"], ports)

job(policy) := {
	"apiVersion": "batch/v1",
	"kind": "Job",
	"metadata": {"name": "once"},
	"spec": {"template": {"spec": object.union({"containers": [{"name": "a", "image": "b"}]}, policy)}},
}

scaler(least, most) := {
	"apiVersion": "autoscaling/v2",
	"kind": "HorizontalPodAutoscaler",
	"metadata": {"name": "web"},
	"spec": {"minReplicas": least, "maxReplicas": most},
}

test_consistent[note] if {
	some note, manifest in {
		"an honest Deployment": testing.web,
		"an honest Service": testing.service,
		"a selector with a variable": testing.set(testing.web, ["spec", "selector"], {"matchLabels": {"app": "${APP}"}}),
		"labels with a variable": testing.set(testing.web, ["spec", "template", "metadata", "labels"], {"app": "@APP@"}),
		"a selector of a wrong type": testing.set(testing.web, ["spec", "selector"], "web"),
		"a custom selector": object.union(testing.web, {
			"apiVersion": "argoproj.io/v1alpha1",
			"kind": "Rollout",
			"spec": {"selector": {"matchLabels": {"app": "other"}}},
		}),
		"Always": with_pod("restartPolicy", "Always"),
		"a Job that ends": job({"restartPolicy": "OnFailure"}),
		"a Pod that ends": {"apiVersion": "v1", "kind": "Pod", "spec": {"restartPolicy": "Never", "containers": []}},
		"ports without names": with_ports([{"containerPort": 80}, {"containerPort": 81}]),
		"a port with a variable": with_ports([{"name": "${PORT_NAME_OF_THE_APP}", "containerPort": 80}]),
		"one port without a name": sending_to([{"port": 80}]),
		"ports with names": sending_to([{"name": "a", "port": 80}, {"name": "b", "port": 81}]),
		"ports of a wrong type": sending_to([80, 81]),
		"no ports of a headless Service": object.union(sending_to([]), {"spec": {"clusterIP": "None"}}),
		"no ports of another name": object.union(sending_to([]), {"spec": {"type": "ExternalName"}}),
		"a Service that is a string": object.union(testing.service, {"spec": "none"}),
		"as many as there are": scaler(3, 3),
		"a variable number": scaler("${LEAST}", 3),
	}
	found(testing.batch([manifest])) == set()
}

inconsistent := {
	"another selector": [
		testing.set(testing.web, ["spec", "selector"], {"matchLabels": {"app": "webb"}}),
		["spec", "selector"],
		"selects labels that its own pods do not have",
	],
	"an empty selector": [
		testing.set(testing.web, ["spec", "selector"], {}),
		["spec", "selector"],
		"selects labels that its own pods do not have",
	],
	"Never": [
		with_pod("restartPolicy", "Never"),
		["spec", "template", "spec", "restartPolicy"],
		"has restartPolicy Never, but its pods have to restart Always",
	],
	"a Job without a policy": [
		job({}),
		["spec", "template", "spec"],
		"has no restartPolicy that lets its pods end",
	],
	"a Job for ever": [
		job({"restartPolicy": "Always"}),
		["spec", "template", "spec", "restartPolicy"],
		"has no restartPolicy that lets its pods end",
	],
	"containers of one name": [
		with_pod("initContainers", [{"name": "a"}, {"name": "a"}]),
		["spec", "template", "spec", "initContainers", 1, "name"],
		`has two containers called "a"`,
	],
	"a container like an init container": [
		with_pod("initContainers", [{"name": "web"}]),
		["spec", "template", "spec", "initContainers", 0, "name"],
		`has two containers called "web"`,
	],
	"a long name": [
		with_ports([{"name": "http-metrics-and-more", "containerPort": 80}]),
		testing.inside(["ports", 0, "name"]),
		concat(" ", [
			`has a port called "http-metrics-and-more", but a name has at most 15 of a to z, 0 to 9`,
			"and single dashes, and needs a letter",
		]),
	],
	"ports of one name": [
		with_ports([{"name": "http", "containerPort": 80}, {"name": "http", "containerPort": 81}]),
		testing.inside(["ports", 1, "name"]),
		`has two ports called "http" in container "web"`,
	],
	"a Service with a port without a name": [
		sending_to([{"name": "a", "port": 80}, {"port": 81}]),
		["spec", "ports", 1],
		"has several ports, and one of them has no name",
	],
	"a Service with ports of one name": [
		sending_to([{"name": "a", "port": 80}, {"name": "a", "port": 81}]),
		["spec", "ports", 1, "name"],
		`has two ports called "a"`,
	],
	"a Service without ports": [sending_to([]), ["spec"], "has no ports"],
	"fewer than the least": [scaler(5, 3), ["spec", "maxReplicas"], "has maxReplicas 3, less than minReplicas 5"],
	"fewer than one": [scaler(null, 0), ["spec", "maxReplicas"], "has maxReplicas 0, less than minReplicas 1"],
}

test_inconsistent[note] if {
	some note, case in inconsistent
	found(testing.batch([case[0]])) == {[case[1], case[2]]}
}

test_only_what_may_be_reported if {
	found(testing.batch_of([
		testing.fact(sending_to([]), "a/b.yaml"),
		testing.fact(scaler(5, 3), "a/b.yaml"),
		testing.fragment(scaler(5, 3), "a/b.yaml"),
		testing.fragment(sending_to([]), "a/b.yaml"),
		testing.fragment(with_pod("restartPolicy", "Never"), "a/b.yaml"),
	])) == set()
}
