package gracegate.lib.grace_test

import data.gracegate.lib.grace
import data.gracegate.testing

command(words) := {"command": words}

environment(name, value) := {"env": [{"name": name, "value": value}]}

test_app_seconds_of_the_fallback[note] if {
	some note, case in {
		"nothing": [{}, {}],
		"another annotation": [{"a": "b"}, {}],
		"annotation of a wrong form": [{"gracegate.dev/app-drain-seconds": "30s"}, {}],
		"proxy without drain": [{"proxy.istio.io/config": "concurrency: 2"}, {}],
	}
	grace.app_seconds(case[0], case[1], 7) == 7
}

test_app_seconds[note] if {
	some note, case in {
		"annotation": [{"gracegate.dev/app-drain-seconds": "025"}, command(["gunicorn"]), 25],
		"a flag": [{}, command(["gunicorn", "--graceful-timeout", "45"]), 45],
		"a variable": [{}, environment("SHUTDOWN_TIMEOUT", "50s"), 50],
		"proxy": [{"proxy.istio.io/config": "terminationDrainDuration: 40s"}, {}, 40],
		"the longest": [
			{"proxy.istio.io/config": "terminationDrainDuration: 10s"},
			command(["gunicorn", "--graceful-timeout", "45"]),
			45,
		],
	}
	grace.app_seconds(case[0], case[1], 7) == case[2]
}

sleeping(seconds) := testing.with_container(["lifecycle", "preStop"], {"sleep": {"seconds": seconds}})

stating(hook) := testing.set(
	testing.with_container(["env"], [{"name": "SHUTDOWN_TIMEOUT", "value": "20s"}]),
	testing.inside(["lifecycle"]),
	{"preStop": hook, "postStart": {"exec": {"command": ["date"]}}},
)

shutdowns(workload) := {[found.hook, found.drain, found.app] | some found in listed[0]} if {
	listed := grace.shutdowns with input as object.union(
		testing.batch([workload, testing.service]),
		{"cluster": {"least_drain_seconds": {}}},
	)
}

test_shutdowns[note] if {
	some note, case in {
		"unknown hook": [testing.with_container(["lifecycle", "preStop"], {"exec": {"command": ["/stop"]}}), set()],
		"long enough": [sleeping(12), {[12, 12, 10]}],
		"too short": [sleeping(2), {[2, 10, 10]}],
		"planned": [testing.remove_at(testing.web, testing.inside(["lifecycle"])), {[10, 10, 10]}],
		"planned, and a time of the app": [stating(null), {[10, 10, 20]}],
		"a hook that ends at once, and a time of the app": [stating({"exec": {"command": ["date"]}}), {[0, 0, 20]}],
		"unknown hook, and a time of the app": [stating({"exec": {"command": ["/stop"]}}), {[0, 0, 20]}],
		"a hook that asks the app to drain": [stating({"httpGet": {"path": "/preStop", "port": 80}}), {[20, 20, 20]}],
		"a hook with a defect": [
			testing.with_container(["lifecycle", "preStop"], {"exec": {"command": ["sleep 12"]}}),
			{[12, 12, 10]},
		],
	}
	shutdowns(case[0]) == case[1]
}

period := ["spec", "template", "spec", "terminationGracePeriodSeconds"]

steps(workload) := [[step.op, step.value] | some step in found] if {
	found := grace.extension_steps[0] with input as testing.batch([workload])
}

test_no_extension_steps[note] if {
	some note, workload in {
		"default": sleeping(10),
		"just enough": testing.set(sleeping(25), period, 40),
		"more than enough": testing.set(sleeping(25), period, 90),
	}
	steps(workload) == []
}

test_extension_steps[note] if {
	some note, case in {
		"default": [sleeping(16), [["add", 35]]],
		"null": [testing.set(sleeping(16), period, null), [["replace", 35]]],
		"too short": [testing.set(sleeping(10), period, 20), [["replace", 30]]],
	}
	steps(case[0]) == case[1]
}

test_zero_period[note] if {
	some note, case in {
		"default": [testing.web, set()],
		"null": [testing.set(testing.web, period, null), set()],
		"0": [testing.set(testing.web, period, 0), {0}],
		"batch": [object.union(testing.set(testing.web, period, 0), {"apiVersion": "batch/v1", "kind": "Job"}), set()],
	}
	found := grace.workloads_with_zero_period with input as testing.batch([case[0]])
	found == case[1]
}
