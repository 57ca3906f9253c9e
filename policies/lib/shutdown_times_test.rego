package gracegate.lib.shutdown_times_test

import data.gracegate.lib.shutdown_times

command(words) := {"command": words}

environment(name, value) := {"env": [{"name": name, "value": value}]}

named(spec) := [[setting.name, setting.seconds] | some setting in shutdown_times.stated(spec)]

test_nothing_stated[note] if {
	some note, spec in {
		"nothing": {},
		"wrong types": {"command": "gunicorn", "args": null, "env": "x"},
		"wrong types inside": {"command": [7, {}], "args": [null], "env": [7, {"name": 7, "value": "30"}, "x"]},
		"a variable from elsewhere": {"env": [{"name": "SHUTDOWN_TIMEOUT", "valueFrom": {}}]},
		"a number that is no text": environment("SHUTDOWN_TIMEOUT", 30),
		"another flag": command(["/app", "--timeout", "20"]),
		"another variable": environment("TIMEOUT", "30s"),
		"the grace period itself": environment("TERMINATION_GRACE_PERIOD_SECONDS", "300"),
		"a drain of nodes": command(["kured", "--node-drain-timeout=10m"]),
		"shutdown of something idle": environment("IDLE_SHUTDOWN_TIMEOUT", "30m"),
		"a number of connections": environment("MAX_DRAIN_CONNECTIONS", "100"),
		"a switch": environment("GRACEFUL_SHUTDOWN", "true"),
		"a port": environment("SHUTDOWN_PORT", "8005"),
		"a variable for a value": environment("SHUTDOWN_TIMEOUT", "$(LIMIT)"),
		"a number of no likely unit": environment("SHUTDOWN_TIMEOUT", "500"),
		"another word after a flag": command(["app", "--shutdown-timeout", "--verbose"]),
		"another word in a variable": environment("JAVA_OPTS", "-Xmx512m"),
	}
	shutdown_times.stated(spec) == []
}

test_documented[note] if {
	some note, case in {
		"gunicorn": [command(["/usr/bin/gunicorn", "app"]), ["gunicorn", 30]],
		"gunicorn with a flag": [command(["gunicorn", "--graceful-timeout", "45"]), ["--graceful-timeout", 45]],
		"gunicorn in a script": [
			command(["sh", "-c", "exec gunicorn --graceful-timeout 20 app"]),
			["--graceful-timeout", 20],
		],
		"gunicorn by its variable": [
			environment("GUNICORN_CMD_ARGS", "--graceful-timeout=50"),
			["--graceful-timeout", 50],
		],
		"uvicorn": [{"args": ["--timeout-graceful-shutdown=20"]}, ["--timeout-graceful-shutdown", 20]],
		"uvicorn by its variable": [
			environment("UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN", "200"),
			["UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN", 200],
		],
		"vLLM": [
			{"command": ["vllm", "serve", "m"], "args": ["--shutdown-timeout", "600"]},
			["--shutdown-timeout", 600],
		],
		"nginx": [{"args": ["-g", "daemon off; worker_shutdown_timeout 4m;"]}, ["worker_shutdown_timeout", 240]],
		"ingress-nginx": [{"args": ["--shutdown-grace-period=360"]}, ["--shutdown-grace-period", 360]],
		"Spring": [
			environment("SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", "1m"),
			["SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", 60],
		],
		"Spring in milliseconds": [
			environment("SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", "1500"),
			["SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", 2],
		],
		"Spring in ISO 8601": [
			environment("SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", "PT1M20S"),
			["SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", 80],
		],
		"Spring by a property": [
			environment("JAVA_TOOL_OPTIONS", "-Xmx1g -Dspring.lifecycle.timeout-per-shutdown-phase=45s"),
			["-Dspring.lifecycle.timeout-per-shutdown-phase", 45],
		],
		"Quarkus": [environment("QUARKUS_SHUTDOWN_TIMEOUT", "40"), ["QUARKUS_SHUTDOWN_TIMEOUT", 40]],
	}
	named(case[0]) == [case[1]]
	every setting in shutdown_times.stated(case[0]) {
		setting.is_documented
	}
}

test_by_name[note] if {
	some note, case in {
		"milliseconds in the name": [environment("SHUTDOWN_GRACE_MS", "300000"), ["SHUTDOWN_GRACE_MS", 300]],
		"seconds in the name": [environment("DRAIN_TIMEOUT_SECONDS", "600"), ["DRAIN_TIMEOUT_SECONDS", 600]],
		"minutes in the name": [environment("SHUTDOWN_WAIT_MINUTES", "2"), ["SHUTDOWN_WAIT_MINUTES", 120]],
		"a unit": [environment("GRACEFUL_SHUTDOWN_TIMEOUT", "1m30s"), ["GRACEFUL_SHUTDOWN_TIMEOUT", 90]],
		"a fraction": [environment("GRACEFUL_SHUTDOWN_TIMEOUT", "1.5m"), ["GRACEFUL_SHUTDOWN_TIMEOUT", 90]],
		"likely seconds": [environment("GRACEFUL_SHUTDOWN_TIMEOUT", "45"), ["GRACEFUL_SHUTDOWN_TIMEOUT", 45]],
		"likely milliseconds": [environment("shutdownTimeout", "45000"), ["shutdownTimeout", 45]],
		"a flag": [command(["app", "--server.graceful-shutdown-timeout=45s"]), ["--server.graceful-shutdown-timeout", 45]],
		"Traefik": [
			{"args": ["--entryPoints.web.transport.lifeCycle.graceTimeOut=42s"]},
			["--entryPoints.web.transport.lifeCycle.graceTimeOut", 42],
		],
	}
	named(case[0]) == [case[1]]
	every setting in shutdown_times.stated(case[0]) {
		not setting.is_documented
	}
}

# First the wait, then the longest limit.
test_all_that_is_stated if {
	spec := {
		"args": ["--shutdown-delay=5s"],
		"env": [
			{"name": "DRAIN_INITIAL_DELAY", "value": "15"},
			{"name": "DRAIN_MAX_WAIT", "value": "55"},
			{"name": "SHUTDOWN_TIMEOUT", "value": "20s"},
		],
	}
	times := shutdown_times.stated(spec)
	times == [
		{"name": "DRAIN_INITIAL_DELAY", "seconds": 15, "path": ["env", 0, "value"], "is_documented": false},
		{"name": "DRAIN_MAX_WAIT", "seconds": 55, "path": ["env", 1, "value"], "is_documented": false},
	]
	shutdown_times.total(times) == 70
}
