package gracegate.lib.probes_test

import data.gracegate.lib.probes

declared := [{"name": "http", "number": 8080, "protocol": "TCP"}]

http_get(port) := {"httpGet": {"port": port}}

test_has_probe if {
	{"a", "b"} == {field |
		some field, probe in {"a": {}, "b": "x", "c": null}
		probes.has_probe({field: probe}, field)
	}
	not probes.has_probe({}, "a")
}

test_no_port_refs[note] if {
	some note, container in {
		"nothing": {},
		"null": {"livenessProbe": null, "lifecycle": null},
		"exec": {"livenessProbe": {"exec": {"command": ["a"]}}},
		"a string": {"livenessProbe": "http", "lifecycle": {"preStop": "http"}},
		"no port": {"livenessProbe": {"httpGet": {"path": "/"}}},
	}
	probes.port_refs(container) == set()
}

test_port_refs if {
	container := {
		"readinessProbe": http_get("http"),
		"livenessProbe": {"grpc": {"port": 9}},
		"lifecycle": {"preStop": http_get(8080), "postStart": {"tcpSocket": {"port": 1}}},
	}
	probes.port_refs(container) == {
		{
			"path": ["readinessProbe", "httpGet", "port"],
			"by": "readinessProbe",
			"handler": "httpGet",
			"port": "http",
			"scheme": "",
		},
		{"path": ["livenessProbe", "grpc", "port"], "by": "livenessProbe", "handler": "grpc", "port": 9, "scheme": ""},
		{
			"path": ["lifecycle", "preStop", "httpGet", "port"],
			"by": "preStop",
			"handler": "httpGet",
			"port": 8080,
			"scheme": "",
		},
	}
}

test_with_undefined_port[note] if {
	some note, case in {
		"a declared name": [http_get("http"), set()],
		"a number": [http_get(1), set()],
		"digits": [http_get("1"), set()],
		"a placeholder": [http_get("$PORT"), set()],
		"a number of grpc": [{"grpc": {"port": 1}}, set()],
		"another name": [http_get("web"), {"livenessProbe"}],
		"a declared name of grpc": [{"grpc": {"port": "http"}}, {"livenessProbe"}],
	}
	probes.with_undefined_port({"livenessProbe": case[0]}, declared) == case[1]
}

test_no_handler[note] if {
	some note, probe in {
		"null": null,
		"a string": "x",
		"none": {"periodSeconds": 1},
		"two": {"exec": {}, "tcpSocket": {}},
		"null for a handler": {"exec": null},
	}
	not probes.handler(probe)
}

test_handler if probes.handler({"exec": {"command": ["a"]}, "tcpSocket": null}) == {"exec": {"command": ["a"]}}

test_normal_handler[note] if {
	normal := {"httpGet": {"path": "/", "scheme": "HTTP", "port": 8080}}
	some note, case in {
		"a number": [http_get(8080), normal],
		"a name": [http_get("http"), normal],
		"a number in quotes": [http_get("8080"), normal],
		"explicit defaults": [{"httpGet": {"port": 8080, "path": "/", "scheme": "HTTP", "host": null}}, normal],
		"another path": [
			{"httpGet": {"port": 8080, "path": "/ready"}},
			{"httpGet": {"path": "/ready", "scheme": "HTTP", "port": 8080}},
		],
		"an undefined name": [http_get("web"), {"httpGet": {"path": "/", "scheme": "HTTP", "port": "web"}}],
		"exec": [{"exec": {"command": ["a"]}}, {"exec": {"command": ["a"], "port": 0}}],
	}
	probes.normal_handler(case[0], declared) == case[1]
}

timing(probe) := [
	probes.delay(probe),
	probes.timeout(probe),
	probes.period(probe),
	probes.threshold(probe),
	probes.budget(probe),
]

test_timing[note] if {
	some note, case in {
		"defaults": [{}, [0, 1, 10, 3, 30]],
		"0": [{"timeoutSeconds": 0, "periodSeconds": 0, "failureThreshold": 0}, [0, 1, 10, 3, 30]],
		"null": [{"initialDelaySeconds": null, "periodSeconds": null}, [0, 1, 10, 3, 30]],
		"negative": [{"periodSeconds": -1}, [0, 1, 10, 3, 30]],
		"explicit": [
			{"initialDelaySeconds": 9, "timeoutSeconds": 2, "periodSeconds": 5, "failureThreshold": 4},
			[9, 2, 5, 4, 20],
		],
	}
	timing(case[0]) == case[1]
}

test_unknown_timing[note] if {
	some note, value in {"a string": "5", "a variable": "${SECONDS}", "a fraction": 0.5, "an object": {}}
	probe := {
		"initialDelaySeconds": value,
		"timeoutSeconds": value,
		"periodSeconds": value,
		"failureThreshold": value,
	}
	not probes.delay(probe)
	not probes.timeout(probe)
	not probes.period(probe)
	not probes.threshold(probe)
	not probes.budget(probe)
}

test_patient_threshold if [probes.patient_threshold(s) | some s in [1, 5, 7, 10, 60]] == [30, 6, 5, 3, 3]
