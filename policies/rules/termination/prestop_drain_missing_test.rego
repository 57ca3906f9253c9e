package gracegate.rules.termination["prestop-drain-missing_test"]

import data.gracegate.rules.termination["prestop-drain-missing"] as rule
import data.gracegate.testing

without_drain := testing.remove_at(testing.web, testing.inside(["lifecycle"]))

found(batch) := {[violation.at.document, violation.level] | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_a_served_container_without_drain if {
	at := {"document": 0, "path": testing.container}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([without_drain, testing.service])
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat(" ", [
				`Container "web" stops before traffic does: it has no preStop drain,`,
				`and Service "web" still sends to it for up to 10 s.`,
			]),
		}},
		"fix": {{"at": at, "patch": [{
			"op": "add",
			"path": testing.inside(["lifecycle"]),
			"value": {"preStop": {"sleep": {"seconds": 10}}},
		}]}},
	}
}

test_several_containers_without_the_port if {
	workload := testing.set(without_drain, ["spec", "template", "spec", "containers", 1], {"name": "side"})
	service := testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 9999)
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([workload, service])
	at := {"document": 0, "path": testing.container}
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat(" ", [
				`One of the containers "web", "side" stops before traffic does: none of them has a preStop drain`,
				`or declares port 9999, to which Service "web" sends.`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": "Declare the port in the container that listens on it, and add a preStop sleep there.",
		}},
	}
}

test_several_containers_of_which_one_drains if {
	drained := {"name": "side", "lifecycle": {"preStop": {"sleep": {"seconds": 10}}}}
	workload := testing.set(without_drain, ["spec", "template", "spec", "containers", 1], drained)
	service := testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 9999)
	found(testing.batch([workload, service])) == set()
}

test_a_service_that_publishes_the_unready if {
	publishing := testing.set(testing.service, ["spec", "publishNotReadyAddresses"], true)
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([without_drain, publishing])
	at := {"document": 0, "path": testing.container}
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat(" ", [
				`Container "web" stops before traffic does: it has no preStop drain,`,
				`and Service "web" sends to it until it is gone, as publishNotReadyAddresses says.`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": "Remove publishNotReadyAddresses from the Service and add a preStop sleep: alone, neither helps.",
		}},
	}
}

test_a_service_beside_one_that_publishes_the_unready if {
	publishing := testing.set(testing.service, ["spec", "publishNotReadyAddresses"], true)
	fixes := rule.fix with input as testing.batch([without_drain, publishing, testing.service])
	{count(fix.patch) | some fix in fixes} == {1}
}

test_a_hint_for_tke if {
	direct := testing.set(
		testing.set(testing.service, ["spec", "type"], "LoadBalancer"),
		["metadata", "annotations"],
		{"service.cloud.tencent.com/direct-access": "true"},
	)
	fixes := rule.fix with input as testing.batch([without_drain, direct])
	{[step.value.preStop.sleep.seconds, contains(fix.advice, "enable-grace-deletion")] |
		some fix in fixes
		some step in fix.patch
	} == {[20, true]}
}

test_uncertain[note] if {
	patched := testing.set(without_drain, testing.inside(["lifecycle"]), {"preStop": {"sleep": {"seconds": 5}}})
	some note, case in {
		"a patch": [without_drain, [testing.fragment(patched, "overlay/web.yaml")]],
		"Recreate": [testing.set(without_drain, ["spec", "strategy"], {"type": "Recreate"}), []],
	}
	documents := [testing.document(case[0], "apps/web.yaml"), testing.document(testing.service, "apps/web.yaml")]
	found(testing.batch_of(array.concat(documents, case[1]))) == {[0, "warning"]}
}

test_the_seconds_of_the_level if {
	port := testing.set(testing.service, ["spec", "type"], "NodePort")
	headless := testing.set(testing.service, ["spec", "clusterIP"], "None")
	violations := rule.violation with input as testing.batch([without_drain, port, headless])
	{violation.message | some violation in violations} == {concat(" ", [
		`Container "web" stops before traffic does: it has no preStop drain,`,
		`and Service "web" still sends to it for up to 16 s.`,
	])}
}

test_a_hook_that_ends_at_once if {
	at := {"document": 0, "path": testing.inside(["lifecycle", "preStop"])}
	workload := testing.with_container(["lifecycle", "preStop"], {"exec": {"command": ["rm", "-f", "/tmp/ready"]}})
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([workload, testing.service])
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat(" ", [
				`Container "web" stops before traffic does: its preStop hook ends at once,`,
				`and Service "web" still sends to it for up to 10 s.`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": concat(" ", [
				"Let the hook sleep too until traffic has left, or sleep instead:",
				"readiness takes seconds to spread.",
			]),
		}},
	}
}

# Other rules report some of them.
test_silent_on_hooks[note] if {
	some note, case in {
		"a program that may take its time": [["/app/drain"], "web"],
		"one that stops the app": [["nginx", "-s", "quit"], "web"],
		"one that the image lacks": [["rm", "/tmp/ready"], "scratch"],
		"no sleep at all": [["sleep", "0"], "web"],
		"a broken one": [["touch /tmp/stop"], "web"],
	}
	hooked := testing.with_container(["lifecycle", "preStop"], {"exec": {"command": case[0]}})
	workload := testing.set(hooked, testing.inside(["image"]), case[1])
	found(testing.batch([workload, testing.service])) == set()
}

# A sleep longer than the grace period is rejected.
test_a_variable_grace_period if {
	workload := testing.set(
		without_drain,
		["spec", "template", "spec", "terminationGracePeriodSeconds"], "${GRACE}",
	)
	fixes := rule.fix with input as testing.batch([workload, testing.service])
	[[fix.class, fix.patch] | some fix in fixes] == [["text", []]]
}

test_silent_on[note] if {
	some note, objects in {
		"a drained container": [testing.web, testing.service],
		"nothing that selects it": [without_drain],
		"a Service of other pods": [without_drain, testing.set(testing.service, ["spec", "selector"], {"app": "api"})],
		"a Service that selects by more": [
			without_drain,
			testing.set(testing.service, ["spec", "selector"], {"app": "web", "tier": "front"}),
		],
		"an ExternalName": [without_drain, testing.set(testing.service, ["spec", "type"], "ExternalName")],
		"a Service without selector": [without_drain, testing.remove_at(testing.service, ["spec", "selector"])],
		"an empty selector": [without_drain, testing.set(testing.service, ["spec", "selector"], {})],
		"a Knative Service": [without_drain, testing.set(testing.service, ["apiVersion"], "serving.knative.dev/v1")],
		"another namespace": [
			testing.set(without_drain, ["metadata", "namespace"], "shop"),
			testing.set(testing.service, ["metadata", "namespace"], "bank"),
		],
		"a Job": [object.union(without_drain, {"apiVersion": "batch/v1", "kind": "Job"}), testing.service],
		"a bare Pod": [
			{
				"apiVersion": "v1",
				"kind": "Pod",
				"metadata": without_drain.spec.template.metadata,
				"spec": without_drain.spec.template.spec,
			},
			testing.service,
		],
		"zero replicas": [testing.set(without_drain, ["spec", "replicas"], 0), testing.service],
		"an app that drains itself": [
			testing.set(without_drain, ["metadata", "annotations"], {"gracegate.dev/drain": "app"}),
			testing.service,
		],
		"a custom hook": [
			testing.with_container(["lifecycle", "preStop"], {"exec": {"command": ["/stop.sh"]}}),
			testing.service,
		],
		"a hook that is wrong": [testing.with_container(["lifecycle", "preStop"], {}), testing.service],
		"a Deployment of somebody else": [
			testing.set(without_drain, ["apiVersion"], "cloud.example/v1"),
			testing.service,
		],
		"a pod that is no object": [testing.set(without_drain, ["spec", "template", "spec"], "x"), testing.service],
		"containers that are no list": [
			testing.set(without_drain, ["spec", "template", "spec", "containers"], {"web": {}}),
			testing.service,
		],
		"a container that is no object": [
			testing.set(without_drain, ["spec", "template", "spec", "containers"], ["web"]),
			testing.service,
		],
		"labels that are no object": [
			testing.set(without_drain, ["spec", "template", "metadata", "labels"], ["app"]),
			testing.service,
		],
	}
	found(testing.batch(objects)) == set()
}

test_defaults[note] if {
	some note, lifecycle in {"null": null, "empty": {}, "preStop null": {"preStop": null}}
	batch := testing.batch([testing.with_container(["lifecycle"], lifecycle), testing.service])
	found(batch) == {[0, "error"]}
	fixes := rule.fix with input as batch
	found(object.union(batch, testing.fixed_documents(batch, fixes))) == set()
}

test_kinds[kind] if {
	some kind, version in {
		"StatefulSet": "apps/v1",
		"DaemonSet": "apps/v1",
		"ReplicaSet": "apps/v1",
		"ReplicationController": "v1",
		"Rollout": "argoproj.io/v1alpha1",
		"DeploymentConfig": "apps.openshift.io/v1",
		"CloneSet": "apps.kruise.io/v1alpha1",
	}
	workload := object.union(without_drain, {"apiVersion": version, "kind": kind})
	found(testing.batch([workload, testing.service])) == {[0, "error"]}
}

test_levels[note] if {
	some note, case in {
		"same directory": [testing.document(testing.service, "apps/service.yaml"), "error"],
		"elsewhere": [testing.document(testing.service, "other/service.yaml"), "warning"],
		"metrics only": [
			testing.document(testing.set(testing.service, ["spec", "ports", 0, "name"], "metrics"), "apps/x.yaml"),
			"info",
		],
		"headless": [
			testing.document(testing.set(testing.service, ["spec", "clusterIP"], "None"), "apps/x.yaml"),
			"info",
		],
	}
	found(testing.batch_of([testing.document(without_drain, "apps/web.yaml"), case[0]])) == {[0, case[1]]}
}

test_a_service_in_an_unread_file if {
	batch := testing.with_unread_file(testing.batch([without_drain]))
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	{violation.message | some violation in got.violation} == {concat("", [
		`Container "web" stops before traffic does: it has no preStop drain, and `,
		"a Service in a file that could not be read may still send to it.",
	])}
	{fix.class | some fix in got.fix} == {"text"}
}

test_seconds[note] if {
	aws := "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"
	some note, case in {
		"headless": [{"spec": {"clusterIP": "None"}}, [], 35],
		"NodePort": [{"spec": {"type": "NodePort"}}, [], 16],
		"LoadBalancer": [{"spec": {"type": "LoadBalancer"}}, [], 16],
		"NLB to pods": [{"spec": {"type": "LoadBalancer"}, "metadata": {"annotations": {aws: "ip"}}}, [], 180],
		"NEG": [{"metadata": {"annotations": {"cloud.google.com/neg": `{"ingress": true}`}}}, [], 40],
		"Ingress": [{}, [ingress], 15],
		"Ingress before 1.19": [{}, [old_ingress], 15],
		"HTTPRoute": [{}, [route], 15],
		"ALB to pods": [{}, [alb], 30],
		"ALB of a class to pods": [
			{"metadata": {"annotations": {"alb.ingress.kubernetes.io/target-type": "ip"}}},
			[testing.set(ingress, ["spec", "ingressClassName"], "alb")],
			30,
		],
		"ALB to nodes": [{}, [testing.set(ingress, ["spec", "ingressClassName"], "alb")], 15],
	}
	service := object.union(testing.service, case[0])
	slept(testing.batch(array.concat([without_drain, service], case[1]))) == {case[2]}
}

test_the_slowest_of_two_services if {
	other := testing.set(testing.set(testing.service, ["spec", "type"], "NodePort"), ["metadata", "name"], "node")
	batch := testing.batch([without_drain, testing.service, other])
	slept(batch) == {16}
	messages := {violation.message | some violation in rule.violation} with input as batch
	every message in messages {
		contains(message, `Service "node"`)
	}
}

test_before_native_sleep[note] if {
	some note, case in {
		"exec": ["registry.example/web:1", {{"exec": {"command": ["sleep", "10"]}}}],
		"no sleep in the image": ["gcr.io/distroless/static:nonroot", set()],
	}
	workload := testing.set(without_drain, testing.inside(["image"]), case[0])
	fixes := rule.fix with input as testing.at_version(testing.batch([workload, testing.service]), 29)
	{step.value.preStop | some fix in fixes; some step in fix.patch} == case[1]
}

test_unknown_exposure[note] if {
	some note, batch in {
		"unread": testing.with_unread_file(testing.batch([without_drain, testing.service])),
		"an Ingress elsewhere": testing.batch_of([
			testing.document(without_drain, "apps/web.yaml"),
			testing.document(testing.service, "apps/service.yaml"),
			testing.document(ingress, "other/ingress.yaml"),
		]),
	}
	found(batch) == {[0, "error"]}
	fixes := rule.fix with input as batch
	{fix.class | some fix in fixes} == {"text"}
}

test_an_ingress_elsewhere_that_is_not_slower if {
	slept(testing.batch_of([
		testing.document(without_drain, "apps/web.yaml"),
		testing.document(testing.set(testing.service, ["spec", "type"], "NodePort"), "apps/service.yaml"),
		testing.document(ingress, "other/ingress.yaml"),
	])) == {16}
}

test_an_ingress_of_another_namespace if {
	slept(testing.batch_of([
		testing.document(without_drain, "apps/web.yaml"),
		testing.document(testing.set(testing.service, ["metadata", "namespace"], "shop"), "apps/service.yaml"),
		testing.document(testing.set(ingress, ["metadata", "namespace"], "bank"), "other/ingress.yaml"),
	])) == {10}
}

test_merges_with_the_other_hook if {
	workload := testing.with_container(["lifecycle"], {"postStart": {"exec": {"command": ["/warm.sh"]}}})
	fixes := rule.fix with input as testing.batch([workload, testing.service])
	[step | some fix in fixes; some step in fix.patch] == [{
		"op": "add",
		"path": testing.inside(["lifecycle", "preStop"]),
		"value": {"sleep": {"seconds": 10}},
	}]
}

test_extends_the_grace_period if {
	workload := testing.set(without_drain, ["metadata", "annotations"], {"gracegate.dev/app-drain-seconds": "30"})
	fixes := rule.fix with input as testing.batch([workload, testing.service])
	{[step.op, step.value] | some fix in fixes; some step in fix.patch} == {
		["add", {"preStop": {"sleep": {"seconds": 10}}}],
		["add", 45],
	}
}

test_only_what_the_service_sends_to if {
	sidecars := [
		{"name": "side", "image": "x", "ports": [{"name": "admin", "containerPort": 9000}]},
		{"name": "udp", "image": "x", "ports": [{"name": "http", "containerPort": 8080, "protocol": "UDP"}]},
	]
	containers := array.concat(without_drain.spec.template.spec.containers, sidecars)
	workload := testing.set(without_drain, ["spec", "template", "spec", "containers"], containers)
	batch := testing.batch([workload, testing.service])
	paths := {violation.at.path | some violation in rule.violation} with input as batch
	paths == {testing.container}
}

test_a_native_sidecar_never_sleeps if {
	proxy := {"name": "proxy", "image": "x", "restartPolicy": "Always", "ports": [{"name": "http", "containerPort": 80}]}
	app := testing.set(without_drain, testing.inside(["ports"]), [{"containerPort": 9000}])
	workload := testing.set(app, ["spec", "template", "spec", "initContainers"], [proxy, "x"])
	found(testing.batch([workload, testing.service])) == set()
}

test_a_lone_container_is_the_target[note] if {
	some note, service in {
		"number": testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 9999),
		"own port": testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 0),
		"headless without ports": testing.set(testing.service, ["spec"], {"selector": {"app": "web"}, "clusterIP": "None"}),
	}
	batch := testing.batch([without_drain, service])
	{violation.at.path | some violation in rule.violation} == {testing.container} with input as batch
}

slept(batch) := {step.value.preStop.sleep.seconds | some fix in fixes; some step in fix.patch} if {
	fixes := rule.fix with input as batch
}

ingress := {
	"apiVersion": "networking.k8s.io/v1",
	"kind": "Ingress",
	"metadata": {"name": "web"},
	"spec": {"rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]},
}

old_ingress := {
	"apiVersion": "extensions/v1beta1",
	"kind": "Ingress",
	"metadata": {"name": "web"},
	"spec": {"backend": {"serviceName": "web"}},
}

alb := object.union(ingress, {"metadata": {"annotations": {
	"kubernetes.io/ingress.class": "alb",
	"alb.ingress.kubernetes.io/target-type": "ip",
}}})

route := {
	"apiVersion": "gateway.networking.k8s.io/v1",
	"kind": "HTTPRoute",
	"metadata": {"name": "web"},
	"spec": {"rules": [{"backendRefs": [{"name": "web", "port": 80}, "x"]}]},
}
