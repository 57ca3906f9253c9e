package gracegate.lib.exposures_test

import data.gracegate.lib.exposures
import data.gracegate.testing

service := testing.document(testing.service, "apps/service.yaml")

annotated(annotations) := testing.set(testing.service, ["metadata", "annotations"], annotations)

typed(type) := testing.set(testing.service, ["spec", "type"], type)

ingress(spec) := {
	"apiVersion": "networking.k8s.io/v1",
	"kind": "Ingress",
	"metadata": {"name": "web"},
	"spec": spec,
}

backend := {"service": {"name": "web", "port": {"number": 80}}}

to_service := ingress({"rules": [{"http": {"paths": [{"path": "/", "backend": backend}]}}]})

alb := testing.set(to_service, ["spec", "ingressClassName"], "alb")

http_route(reference) := {
	"apiVersion": "gateway.networking.k8s.io/v1",
	"kind": "HTTPRoute",
	"metadata": {"name": "web"},
	"spec": {"rules": [{"backendRefs": [reference]}]},
}

by_service(objects) := found[0] if {
	found := exposures.by_service with input as testing.batch(objects)
}

test_no_other_exposure[note] if {
	shop := testing.set(testing.service, ["metadata", "namespace"], "shop")
	some note, objects in {
		"Service alone": [],
		"another Service's Ingress": [ingress({"defaultBackend": {"service": {"name": "api"}}})],
		"another namespace": [testing.set(to_service, ["metadata", "namespace"], "bank")],
		"HTTPRoute to something else": [http_route({"kind": "Backend", "name": "web"})],
		"backends of a wrong type": [ingress({"rules": [{"http": {"paths": "/"}}], "backend": "web"})],
		"references of a wrong type": [http_route("web")],
	}
	by_service(array.concat([shop], objects)) == {"cluster"}
}

test_by_service[note] if {
	some note, case in {
		"headless": [[testing.set(testing.service, ["spec", "clusterIP"], "None")], {"headless"}],
		"NodePort": [[typed("NodePort")], {"cluster", "node"}],
		"LoadBalancer": [[typed("LoadBalancer")], {"cluster", "node"}],
		"NLB with IP targets": [
			[object.union(
				typed("LoadBalancer"),
				annotated({"service.beta.kubernetes.io/aws-load-balancer-type": "nlb-ip"}),
			)],
			{"cluster", "nlb_ip"},
		],
		"NEG": [[annotated({"cloud.google.com/neg": `{"ingress": true}`})], {"cluster", "neg"}],
		"Ingress": [[testing.service, to_service], {"cluster", "ingress"}],
		"default backend": [[testing.service, ingress({"defaultBackend": backend})], {"cluster", "ingress"}],
		"Ingress before 1.19": [[testing.service, ingress({"backend": {"serviceName": "web"}})], {"cluster", "ingress"}],
		"HTTPRoute": [[testing.service, http_route({"name": "web"})], {"cluster", "ingress"}],
		"ALB with instance targets": [[testing.service, alb], {"cluster", "ingress"}],
		"ALB with IP targets": [
			[annotated({"alb.ingress.kubernetes.io/target-type": "ip"}), alb],
			{"alb_ip", "cluster"},
		],
		"ALB by its annotation": [
			[testing.service, testing.set(to_service, ["metadata", "annotations"], {
				"kubernetes.io/ingress.class": "alb",
				"alb.ingress.kubernetes.io/target-type": "ip",
			})],
			{"alb_ip", "cluster"},
		],
	}
	by_service(case[0]) == case[1]
}

test_seconds_of_the_slowest if {
	seconds := exposures.seconds with input as testing.batch([testing.service, to_service])
	seconds == {0: 15}
}

certain(batch) if {
	found := exposures.is_certain with input as batch
	found[0]
}

test_certain[note] if {
	some note, documents in {
		"Service alone": [],
		"near Ingress": [testing.document(to_service, "apps/ingress.yaml")],
		"slower Ingress elsewhere, but a near one": [
			testing.document(to_service, "apps/ingress.yaml"),
			testing.document(alb, "far/ingress.yaml"),
		],
		"Ingress elsewhere for another Service": [testing.document(
			ingress({"defaultBackend": {"service": {"name": "api"}}}),
			"far/ingress.yaml",
		)],
	}
	certain(testing.batch_of(array.concat([service], documents)))
}

test_uncertain[note] if {
	some note, batch in {
		"Ingress elsewhere": testing.batch_of([service, testing.document(to_service, "far/ingress.yaml")]),
		"unread file": testing.with_unread_file(testing.batch_of([service])),
	}
	not certain(batch)
}
