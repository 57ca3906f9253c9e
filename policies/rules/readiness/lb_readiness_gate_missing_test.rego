package gracegate.rules.readiness["lb-readiness-gate-missing_test"]

import data.gracegate.rules.readiness["lb-readiness-gate-missing"] as rule
import data.gracegate.testing

ingress := {
	"apiVersion": "networking.k8s.io/v1",
	"kind": "Ingress",
	"metadata": {"name": "web", "annotations": {"alb.ingress.kubernetes.io/target-type": "ip"}},
	"spec": {"ingressClassName": "alb", "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
}

namespace(labels) := {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}}

in_shop(manifest) := testing.set(manifest, ["metadata", "namespace"], "shop")

found(objects) := [violation.at | some violation in violations] if {
	violations := rule.violation with input as testing.batch(objects)
}

at := {"document": 0, "path": ["spec"]}

test_no_gate if {
	batch := testing.batch([testing.web, testing.service, ingress])
	got := {
		"violation": rule.violation,
		"fix": rule.fix,
		"related": rule.related,
		"possible": rule.possible,
	} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "info",
			"message": concat(" ", [
				`A rollout of Deployment "web" can stop its old pods before the load balancer of Service "web"`,
				"sends to the new ones: it has no readiness gate, and minReadySeconds is 0.",
			]),
		}},
		"fix": {{
			"at": at,
			"assumption": "The load balancer sends to a new pod within 30 s, as with two health checks 15 s apart.",
			"patch": [{"op": "add", "path": ["spec", "minReadySeconds"], "value": 30}],
		}},
		"related": {{"at": at, "places": [{"document": 1, "path": []}]}},
		"possible": {at},
	}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_silent_on[note] if {
	gates := ["spec", "template", "spec", "readinessGates"]
	some note, objects in {
		"no load balancer": [testing.web, testing.service],
		"a load balancer that sends to nodes": [
			testing.web,
			testing.service,
			testing.set(ingress, ["metadata", "annotations"], {}),
		],
		"a gate": [testing.set(testing.web, gates, [{"conditionType": "x"}]), testing.service, ingress],
		"seconds": [testing.set(testing.web, ["spec", "minReadySeconds"], 10), testing.service, ingress],
		"seconds that are a variable": [
			testing.set(testing.web, ["spec", "minReadySeconds"], "${SECONDS}"),
			testing.service,
			ingress,
		],
		"a gate that the controller injects": [
			in_shop(testing.web),
			in_shop(testing.service),
			in_shop(ingress),
			namespace({"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}),
		],
		"a StatefulSet": [
			testing.set(testing.web, ["kind"], "StatefulSet"),
			testing.service,
			ingress,
		],
		"no replicas": [testing.set(testing.web, ["spec", "replicas"], 0), testing.service, ingress],
	}
	found(objects) == []
}

test_a_namespace_that_injects_none if {
	batch := testing.batch([in_shop(testing.web), in_shop(testing.service), in_shop(ingress), namespace({})])
	got := {"violation": rule.violation, "possible": rule.possible} with input as batch
	{violation.at | some violation in got.violation} == {at}
	got.possible == set()
}
