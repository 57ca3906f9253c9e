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
		"another command": [{}, command(["/app", "--timeout", "20"])],
		"command of a wrong type": [{}, {"command": "gunicorn", "args": null, "env": "x"}],
		"another variable": [{}, environment("TIMEOUT", "30s")],
		"value of a wrong type": [{}, environment("SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", 30)],
		"proxy without drain": [{"proxy.istio.io/config": "concurrency: 2"}, {}],
	}
	grace.app_seconds(case[0], case[1], 7) == 7
}

test_app_seconds[note] if {
	some note, case in {
		"annotation": [{"gracegate.dev/app-drain-seconds": "025"}, command(["gunicorn"]), 25],
		"gunicorn": [{}, command(["/usr/bin/gunicorn", "app"]), 30],
		"gunicorn with a flag": [{}, command(["gunicorn", "--graceful-timeout", "45"]), 45],
		"gunicorn by its environment": [{}, environment("GUNICORN_CMD_ARGS", "--graceful-timeout=50"), 50],
		"uvicorn": [{}, {"args": ["--timeout-graceful-shutdown=20"]}, 20],
		"Spring": [{}, environment("SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", "1m"), 60],
		"Spring in ISO 8601": [{}, environment("SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", "PT20S"), 20],
		"Spring in milliseconds": [{}, environment("SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", "1500"), 2],
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
