package gracegate.lib.load_balancer_draining_test

import data.gracegate.lib.load_balancer_draining
import data.gracegate.testing

attributes := "alb.ingress.kubernetes.io/target-group-attributes"

annotated(annotations) := testing.set(testing.service, ["metadata", "annotations"], annotations)

ingress(annotations) := {
	"apiVersion": "networking.k8s.io/v1",
	"kind": "Ingress",
	"metadata": {"name": "web", "annotations": annotations},
	"spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
}

config(seconds) := {
	"apiVersion": "cloud.google.com/v1",
	"kind": "BackendConfig",
	"metadata": {"name": "slow"},
	"spec": {"connectionDraining": {"drainingTimeoutSec": seconds}},
}

policy(name, seconds) := {
	"apiVersion": "networking.gke.io/v1",
	"kind": "GCPBackendPolicy",
	"metadata": {"name": "web"},
	"spec": {
		"default": {"connectionDraining": {"drainingTimeoutSec": seconds}},
		"targetRef": {"kind": "Service", "name": name},
	},
}

longest(objects) := found if {
	found := load_balancer_draining.by_representative with input as testing.batch(objects)
}

test_not_set[note] if {
	some note, objects in {
		"nothing": [testing.service],
		"other attributes": [annotated({attributes: "stickiness.enabled=true"})],
		"wrong types": [annotated({attributes: 300}), config("300"), {"kind": "BackendConfig", "spec": "x"}],
		"a config of another name": [annotated({"cloud.google.com/backend-config": `{"default": "fast"}`}), config(300)],
		"a policy for another Service": [testing.service, policy("api", 300)],
		"an Ingress to another Service": [
			testing.service,
			testing.set(ingress({attributes: "deregistration_delay.timeout_seconds=60"}), ["spec", "defaultBackend"], {}),
		],
	}
	longest(array.concat([testing.web], objects)) == {}
}

test_set[note] if {
	some note, case in {
		"the Service": [[annotated({attributes: "a=b,deregistration_delay.timeout_seconds=120"})], 120],
		"an NLB": [
			[annotated({
				"service.beta.kubernetes.io/aws-load-balancer-target-group-attributes": concat("=", [
					"deregistration_delay.timeout_seconds",
					"90",
				]),
			})],
			90,
		],
		"the Ingress": [
			[testing.service, ingress({attributes: "deregistration_delay.timeout_seconds=60"})],
			60,
		],
		"a config": [
			[
				annotated({"cloud.google.com/backend-config": `{"ports": {"80": "slow", "90": "fast"}}`}),
				config(300),
			],
			300,
		],
		"a policy": [[testing.service, policy("web", 200)], 200],
		"the longest": [[annotated({attributes: "deregistration_delay.timeout_seconds=20"}), policy("web", 200)], 200],
	}
	longest(array.concat([testing.web], case[0])) == {0: [case[1], 1]}
}
