package gracegate.lib.startup_test

import data.gracegate.lib.startup
import data.gracegate.testing

path := testing.container

http_get := {"httpGet": {"port": "http"}}

web(fields) := testing.set(testing.web, path, object.union(
	{"name": "web", "image": "web:1", "ports": [{"name": "http", "containerPort": 8080}]},
	fields,
))

live(fields) := {"livenessProbe": object.union(http_get, fields)}

candidates(workload) := {found.why | some found in listed[0]} if {
	listed := startup.probe_candidates with input as testing.batch([workload])
}

test_no_candidates[note] if {
	some note, fields in {
		"no probes": {},
		"default livenessProbe": live({}),
		"startupProbe": object.union(live({"initialDelaySeconds": 90}), {"startupProbe": http_get}),
		"readinessProbe in time": object.union(
			live({}),
			{"readinessProbe": object.union(http_get, {"initialDelaySeconds": 5})},
		),
		"slow image with time": object.union(live({"initialDelaySeconds": 50}), {"image": "tomcat:10"}),
		"exporter for a slow image": object.union(live({}), {"image": "elasticsearch-exporter:1"}),
	}
	candidates(web(fields)) == set()
}

test_candidates[note] if {
	some note, case in {
		"late readinessProbe": [
			object.union(live({}), {"readinessProbe": object.union(http_get, {"initialDelaySeconds": 40})}),
			"killed",
		],
		"slow image": [object.union(live({}), {"image": "registry.example/tomcat:10"}), "slow"],
		"long delay": [live({"initialDelaySeconds": 60}), "delayed"],
	}
	candidates(web(case[0])) == {case[1]}
}

probe(fields) := found[0][path].probe if {
	found := startup.without_startup_probe with input as testing.batch([web(fields)])
}

test_probe[note] if {
	some note, case in {
		"default": [live({}), object.union(http_get, {"failureThreshold": 30, "periodSeconds": 5})],
		"long delay": [
			live({"initialDelaySeconds": 120}),
			object.union(http_get, {"failureThreshold": 36, "periodSeconds": 5}),
		],
		"timeout": [
			live({"timeoutSeconds": 10}),
			object.union(http_get, {"failureThreshold": 15, "periodSeconds": 10, "timeoutSeconds": 10}),
		],
		"undefined port": [
			{"livenessProbe": {"httpGet": {"port": "other"}}},
			{"failureThreshold": 30, "periodSeconds": 5},
		],
	}
	probe(case[0]) == case[1]
}

deadlines(objects) := {i: [found.seconds, found.longest, found.ready, found.deadline, found.steps[0].value] |
	listed := startup.progress_deadlines with input as testing.batch(objects)
	some i, found in listed
}

test_progress_deadlines[note] if {
	some note, case in {
		"no probes": [[web({})], {0: [0, 0, 0, 600, 60]}],
		"startupProbe": [
			[web({"startupProbe": object.union(http_get, {"periodSeconds": 10, "failureThreshold": 90})})],
			{0: [900, 900, 0, 600, 1140]},
		],
		"delay of a readinessProbe": [
			[web({"readinessProbe": object.union(http_get, {"initialDelaySeconds": 70})})],
			{0: [70, 70, 0, 600, 120]},
		],
		"candidate": [[web(live({"initialDelaySeconds": 60}))], {0: [60, 150, 0, 600, 240]}],
		"explicit numbers": [
			[object.union(web({}), {"spec": {"minReadySeconds": 30, "progressDeadlineSeconds": 300}})],
			{0: [0, 0, 30, 300, 60]},
		],
		"another kind": [[object.union(web({}), {"kind": "StatefulSet"})], {}],
	}
	deadlines(case[0]) == case[1]
}

test_deadline_of_a_rollout if {
	rollout := {
		"apiVersion": "argoproj.io/v1alpha1",
		"kind": "Rollout",
		"metadata": {"name": "web"},
		"spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
	}
	workload := web({"readinessProbe": object.union(http_get, {"initialDelaySeconds": 70})})
	deadlines([workload, rollout]) == {1: [70, 70, 0, 600, 120]}
}
