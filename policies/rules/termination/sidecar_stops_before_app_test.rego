package gracegate.rules.termination["sidecar-stops-before-app_test"]

import data.gracegate.rules.termination["grace-period-exhausted"] as exhausted
import data.gracegate.rules.termination["prestop-drain-missing"] as missing
import data.gracegate.rules.termination["sidecar-stops-before-app"] as rule
import data.gracegate.testing

place := ["spec", "template", "spec", "containers", 1]

proxy := {"name": "cloud-sql-proxy", "image": "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.14.1"}

beside(workload, container) := testing.set(workload, place, container)

batch_for(objects) := meshed(objects, "native")

meshed(objects, mesh) := object.union(testing.batch(objects), {"params": {"sidecar-stops-before-app": {"mesh": mesh}}})

found(batch) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_a_proxy_without_a_hook if {
	at := {"document": 0, "path": place}
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch_for([beside(testing.web, proxy)])
	got.violation == {{
		"at": at,
		"message": concat("", [
			`Container "cloud-sql-proxy" stops before the app does: it has no preStop hook, `,
			`and container "web" needs it for another 10 s.`,
		]),
	}}
	[[fix.patch, contains(fix.advice, "initContainers"), fix.assumption != ""] | some fix in got.fix] == [[
		[{
			"op": "add",
			"path": array.concat(place, ["lifecycle"]),
			"value": {"preStop": {"sleep": {"seconds": 10}}},
		}],
		true, true,
	]]
}

test_silent_on[note] if {
	some note, objects in {
		"no proxy": [testing.web],
		"a proxy with a hook": [beside(
			testing.web,
			object.union(proxy, {"lifecycle": {"preStop": {"httpGet": {"port": 1}}}}),
		)],
		"another container": [beside(testing.web, {"name": "pgbouncer-exporter", "image": "x/pgbouncer-exporter"})],
		"a proxy that is injected": [beside(testing.web, {"name": "istio-proxy", "image": "auto"})],
		"an app that does not wait": [beside(testing.remove_at(testing.web, testing.inside(["lifecycle"])), proxy)],
		"an app with a hook of unknown duration": [beside(
			testing.with_container(["lifecycle", "preStop"], {"exec": {"command": ["/stop"]}}),
			proxy,
		)],
		"a proxy alone": [testing.set(testing.web, testing.inside(["name"]), "envoy")],
		"a native sidecar": [testing.set(
			testing.web,
			["spec", "template", "spec", "initContainers"],
			[object.union(proxy, {"restartPolicy": "Always"})],
		)],
		"a proxy that a Service sends to, which another rule reports": [
			beside(testing.web, object.union(proxy, {"ports": [{"name": "sql", "containerPort": 9}]})),
			testing.set(testing.service, ["spec", "ports", 0, "targetPort"], "sql"),
		],
		"a Job": [object.union(beside(testing.web, proxy), {"apiVersion": "batch/v1", "kind": "Job"})],
		"names that are no string": [beside(testing.web, {"name": 1, "image": {}})],
	}
	found(batch_for(objects)) == set()
}

test_silent_on_fragments if {
	rule.violation == set() with input as testing.batch_of([testing.fragment(beside(testing.web, proxy), "a/b")])
}

test_proxies[note] if {
	some note, container in {
		"by name": {"name": "istio-proxy", "image": "registry.example/istio/proxyv2:1.29"},
		"by a longer name": {"name": "web-envoy-sidecar", "image": "x"},
		"by image": {"name": "side", "image": "localhost:5000/edoburu/pgbouncer:1.23@sha256:0"},
		"by an old name": {"name": "cloudsql-proxy", "image": "gcr.io/cloudsql-docker/gce-proxy:1.33"},
		"oauth2": {"name": "auth", "image": "quay.io/oauth2-proxy/oauth2-proxy"},
		"vault": {"name": "vault-agent", "image": "x", "lifecycle": null},
		"an empty hook": {"name": "linkerd-proxy", "image": "x", "lifecycle": {"preStop": null}},
	}
	batch := batch_for([beside(testing.web, container)])
	found(batch) == {place}
	fixes := rule.fix with input as batch
	found(object.union(batch, testing.fixed_documents(batch, fixes))) == set()
}

test_no_program_to_sleep_with if {
	batch := testing.at_version(batch_for([beside(testing.web, {"name": "envoy", "image": "envoy:distroless-v1"})]), 29)
	fixes := rule.fix with input as batch
	[fix.class | some fix in fixes] == ["text"]
}

test_a_suggested_drain_counts if {
	without_drain := testing.remove_at(testing.web, testing.inside(["lifecycle"]))
	batch := batch_for([beside(without_drain, proxy), testing.service])
	messages := {violation.message | some violation in rule.violation} with input as batch
	messages == {concat("", [
		`Container "cloud-sql-proxy" stops before the app does: it has no preStop hook, `,
		`and container "web" needs it for a drain of 10 s.`,
	])}
	fixes := missing.fix with input as batch
	found(object.union(batch, testing.fixed_documents(batch, fixes))) == {place}
}

test_extends_the_grace_period if {
	workload := testing.set(
		testing.with_container(["lifecycle", "preStop"], {"sleep": {"seconds": 20}}),
		["metadata", "annotations"],
		{"gracegate.dev/app-drain-seconds": "10"},
	)
	fixes := rule.fix with input as batch_for([beside(workload, proxy)])
	[step.value | some fix in fixes; some step in fix.patch] == [{"preStop": {"sleep": {"seconds": 20}}}, 35]
}

metadata := ["spec", "template", "metadata"]

key := "proxy.istio.io/config"

injected := testing.set(testing.web, array.concat(metadata, ["labels", "sidecar.istio.io/inject"]), "true")

configured(text) := testing.set(injected, array.concat(metadata, ["annotations"]), {key: text})

test_a_classic_mesh if {
	at := {"document": 0, "path": array.concat(metadata, ["annotations", key])}
	batch := meshed([configured("concurrency: 2\n"), testing.service], "classic")
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"measure": 15,
			"message": concat("", [
				`The proxy of Deployment "web" stops before the app does: `,
				"it drains for 5 s, but the containers need 20 s to stop.",
			]),
		}},
		"fix": {{"at": at, "class": "safe", "patch": [
			{"op": "replace", "path": at.path, "value": "concurrency: 2\nterminationDrainDuration: 20s\n"},
			{
				"op": "add",
				"path": ["spec", "template", "spec", "terminationGracePeriodSeconds"],
				"value": 35,
				"reason": "preStop (10 s) and the proxy's drain (20 s) have to fit",
			},
		]}},
	}
	fixed := object.union(batch, testing.fixed_documents(batch, got.fix))
	found(fixed) == set()
	exhausted.violation == set() with input as fixed
}

test_silent_on_meshes[note] if {
	some note, case in {
		"native": [[injected, testing.service], "native"],
		"none": [[injected, testing.service], "none"],
		"null": [[injected, testing.service], null],
		"a number": [[injected, testing.service], 1],
		"no proxy": [[testing.web, testing.service], "classic"],
		"a proxy that is refused": [
			[
				testing.set(
					testing.set(testing.web, array.concat(metadata, ["labels", "sidecar.istio.io/inject"]), "false"),
					array.concat(metadata, ["annotations"]),
					{"sidecar.istio.io/inject": "true"},
				),
				testing.service,
			],
			"classic",
		],
		"not served": [[injected], "classic"],
		"long enough": [[configured("terminationDrainDuration: 20s"), testing.service], "classic"],
		"no drain": [[testing.remove_at(injected, testing.inside(["lifecycle"]))], "classic"],
		"a hook of unknown duration": [
			[testing.set(injected, testing.inside(["lifecycle", "preStop"]), {"exec": {"command": ["/stop"]}}), testing.service],
			"classic",
		],
	}
	found(meshed(case[0], case[1])) == set()
}

test_silent_without_the_parameter if rule.violation == set() with input as testing.batch([injected, testing.service])

test_injection_by_annotation if {
	workload := testing.set(testing.web, array.concat(metadata, ["annotations"]), {"sidecar.istio.io/inject": "true"})
	count(found(meshed([workload, testing.service], "classic"))) == 1
}

# The drain of the proxy itself is no part of what its app needs.
test_required_seconds_of_a_proxy if {
	annotations := {key: "terminationDrainDuration: 15s", "gracegate.dev/app-drain-seconds": "25"}
	workload := testing.set(injected, array.concat(metadata, ["annotations"]), annotations)
	violations := rule.violation with input as meshed([workload, testing.service], "classic")
	{violation.measure | some violation in violations} == {35 - 15}
}

test_configuration_of_the_proxy[note] if {
	some note, case in {
		"no annotations": [injected, {key: "terminationDrainDuration: 20s\n"}],
		"an empty one": [configured(""), "terminationDrainDuration: 20s\n"],
		"too short": [configured(`terminationDrainDuration: "10s"`), `terminationDrainDuration: "20s"`],
		"indented": [configured("a:\n  b: 1"), "a:\n  b: 1\nterminationDrainDuration: 20s\n"],
		"of another form": [configured("{concurrency: 2}"), null],
		"of no seconds": [configured("terminationDrainDuration: soon"), null],
	}
	fixes := rule.fix with input as meshed([case[0], testing.service], "classic")
	[object.get(fix, ["patch", 0, "value"], null) | some fix in fixes] == [case[1]]
}

waiting := "config.alpha.linkerd.io/proxy-wait-before-exit-seconds"

test_linkerd if {
	path := array.concat(metadata, ["annotations"])
	workload := testing.set(testing.web, path, {"linkerd.io/inject": "enabled"})
	at := {"document": 0, "path": array.concat(path, [waiting])}
	batch := meshed([workload, testing.service], "classic")
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"measure": 20,
			"message": concat(" ", [
				`The proxy of Deployment "web" stops before the app does:`,
				"it drains for 0 s, but the containers need 20 s to stop.",
			]),
		}},
		"fix": {{"at": at, "class": "safe", "patch": [
			{"op": "add", "path": at.path, "value": "20"},
			{
				"op": "add",
				"path": ["spec", "template", "spec", "terminationGracePeriodSeconds"],
				"value": 35,
				"reason": "preStop (10 s) and the proxy's drain (20 s) have to fit",
			},
		]}},
	}
}
