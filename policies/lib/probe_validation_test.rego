package gracegate.lib.probe_validation_test

import data.gracegate.lib.probe_validation

declared := [
	{"name": "http", "number": 8080, "protocol": "TCP"},
	{"name": "TOO_LONG", "number": 1, "protocol": "TCP"},
	{"name": "dns", "number": 53, "protocol": "UDP"},
]

http_get(port) := {"httpGet": {"port": port}}

errors(container) := {[error.path, object.get(error, "step", null)] |
	some error in probe_validation.errors(container)
}

test_no_errors[note] if {
	some note, container in {
		"nothing": {},
		"null": {"livenessProbe": null, "lifecycle": null},
		"a number": {"livenessProbe": http_get(8080)},
		"a name": {"readinessProbe": object.union(http_get("http"), {"successThreshold": 2})},
		"an undeclared name": {"readinessProbe": http_get("web")},
		"a name for grpc": {"readinessProbe": {"grpc": {"port": "http"}}},
		"exec": {"startupProbe": {"exec": {"command": ["sh", "-c", "true"]}}},
		"a command that fails when it runs": {"startupProbe": {"exec": {"command": ["cat /ready"]}}},
		"hooks": {"lifecycle": {"postStart": {"exec": {"command": ["a"]}}, "preStop": http_get(8080)}},
		"a preStop hook with a defect": {"lifecycle": {"preStop": {}}},
	}
	errors(container) == set()
}

test_errors_of_probes[note] if {
	some note, case in {
		"no handler": [{"periodSeconds": 1}, [], null],
		"no object": ["x", [], null],
		"two handlers": [object.union(http_get(1), {"exec": {"command": ["a"]}}), [], null],
		"a negative number": [object.union(http_get(1), {"periodSeconds": -1}), ["periodSeconds"], {"op": "remove"}],
		"a negative threshold": [
			object.union(http_get(1), {"failureThreshold": -1}),
			["failureThreshold"],
			{"op": "replace", "value": 3},
		],
		"successThreshold": [
			object.union(http_get(1), {"successThreshold": 2}),
			["successThreshold"],
			{"op": "replace", "value": 1},
		],
		"grace period": [
			object.union(http_get(1), {"terminationGracePeriodSeconds": 0}),
			["terminationGracePeriodSeconds"],
			{"op": "remove"},
		],
		"no port": [http_get(0), ["httpGet"], null],
		"a port out of range": [http_get(70000), ["httpGet", "port"], null],
		"a number in quotes": [http_get("8080"), ["httpGet", "port"], {"op": "replace", "value": 8080}],
		"a number out of range in quotes": [http_get("70000"), ["httpGet", "port"], null],
		"a command with a number": [
			{"exec": {"command": ["sleep", 1]}},
			["exec", "command", 1],
			{"op": "replace", "path": ["livenessProbe", "exec", "command"], "value": ["sleep", "1"]},
		],
		"an empty command": [{"exec": {"command": []}}, ["exec", "command"], null],
	}
	errors({"livenessProbe": case[0]}) == {[array.concat(["livenessProbe"], case[1]), case[2]]}
}

test_grace_period_of_a_readiness_probe if {
	container := {"readinessProbe": object.union(http_get(1), {"terminationGracePeriodSeconds": 30})}
	errors(container) == {[["readinessProbe", "terminationGracePeriodSeconds"], {"op": "remove"}]}
}

test_errors_of_hooks[note] if {
	some note, case in {
		"nothing to do": [{"postStart": {}}, ["postStart"], null],
		"tcpSocket": [{"postStart": {"tcpSocket": {"port": 1}}}, ["postStart", "tcpSocket"], null],
		"a number in quotes": [
			{"preStop": http_get("8080")},
			["preStop", "httpGet", "port"],
			{"op": "replace", "value": 8080},
		],
	}
	errors({"lifecycle": case[0]}) == {[array.concat(["lifecycle"], case[1]), case[2]]}
}

test_valid_handlers[note] if {
	some note, case in {
		"a name": [http_get("http"), {"livenessProbe": http_get("http")}],
		"a number in quotes": [http_get("8080"), {"livenessProbe": http_get(8080)}],
		"a command with a number": [
			{"exec": {"command": ["sleep", 1]}},
			{"livenessProbe": {"exec": {"command": ["sleep", "1"]}}},
		],
		"an undeclared name": [http_get("web"), {}],
		"a port for UDP": [http_get("dns"), {}],
		"no port": [http_get(null), {}],
		"no handler": [{}, {}],
		"null": [null, {}],
	}
	probe_validation.valid_handlers({"livenessProbe": case[0]}, declared) == case[1]
}

test_init_container_errors if {
	container := {"livenessProbe": {}, "lifecycle": {}, "readinessProbe": null}
	ending := probe_validation.init_container_errors(container, false)
	{[error.path, error.step] | some error in ending} == {
		[["livenessProbe"], {"op": "remove"}],
		[["lifecycle"], {"op": "remove"}],
	}
	helper := probe_validation.init_container_errors(container, true)
	{error.path | some error in helper; error.advice; not error.step} == {["livenessProbe"], ["lifecycle"]}
	probe_validation.init_container_errors({"name": "init"}, false) == set()
}
