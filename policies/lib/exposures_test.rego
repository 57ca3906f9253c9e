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

custom(kind, spec) := {"apiVersion": "example.org/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec}

routed(kind, reference) := custom(kind, {"routes": [{"services": [reference]}]})

virtual_service(spec) := custom("VirtualService", spec)

to_host(host) := [{"route": [{"destination": {"host": host}}]}]

target_group(type) := custom("TargetGroupConfiguration", {
	"targetReference": {"name": "web"},
	"defaultConfiguration": {"targetType": type},
})

mode := "istio.io/dataplane-mode"

labelled(value) := testing.set(testing.web, ["spec", "template", "metadata", "labels", mode], value)

namespace(value) := {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {mode: value}}}

in_shop(manifest) := testing.set(manifest, ["metadata", "namespace"], "shop")

by_service(objects) := found[0] if {
	found := exposures.by_service with input as testing.batch(objects)
}

test_no_other_exposure[note] if {
	shop := testing.set(testing.service, ["metadata", "namespace"], "shop")
	some note, objects in {
		"Service alone": [],
		"another Service's Ingress": [ingress({"defaultBackend": {"service": {"name": "api"}}})],
		"another namespace": [testing.set(to_service, ["metadata", "namespace"], "bank")],
		"a mesh": [virtual_service({"gateways": ["mesh"], "http": to_host("web")})],
		"another host": [virtual_service({"gateways": ["edge"], "tcp": to_host("web.bank")})],
		"a host of a wrong type": [virtual_service({"gateways": ["edge"], "tls": to_host(1)})],
		"Traefik to something else": [routed("IngressRoute", {"kind": "TraefikService", "name": "web"})],
		"Contour, of a wrong type": [routed("HTTPProxy", "web")],
		"OpenShift to something else": [custom("Route", {"to": {"kind": "Other", "name": "web"}})],
		"a binding to nothing": [custom("TargetGroupBinding", {"targetType": "ip"})],
		"HTTPRoute to something else": [http_route({"kind": "Backend", "name": "web"})],
		"backends of a wrong type": [ingress({"rules": [{"http": {"paths": "/"}}], "backend": "web"})],
		"references of a wrong type": [http_route("web")],
	}
	by_service(array.concat([shop], objects)) == {"cluster"}
}

reached := {
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
	"TKE to pods": [
		[object.union(typed("LoadBalancer"), annotated({"service.cloud.tencent.com/direct-access": "true"}))],
		{"clb_direct", "cluster"},
	],
	"TKE to pods, removed first": [
		[object.union(typed("LoadBalancer"), annotated({
			"service.cloud.tencent.com/direct-access": "true",
			"service.cloud.tencent.com/enable-grace-deletion": "true",
		}))],
		{"cluster"},
	],
	"TKE to nodes": [
		[object.union(typed("LoadBalancer"), annotated({"service.cloud.tencent.com/direct-access": "false"}))],
		{"cluster", "node"},
	],
	"TKE's Ingress to pods": [
		[testing.service, testing.set(
			to_service,
			["metadata", "annotations"],
			{"ingress.cloud.tencent.com/direct-access": "true"},
		)],
		{"clb_direct", "cluster"},
	],
	"TKE's Ingress to pods, removed first": [
		[testing.service, testing.set(to_service, ["metadata", "annotations"], {
			"ingress.cloud.tencent.com/direct-access": "true",
			"ingress.cloud.tencent.com/enable-grace-deletion": "true",
		})],
		{"cluster"},
	],
	"ACK to pods": [
		[object.union(typed("LoadBalancer"), annotated({"service.beta.kubernetes.io/backend-type": "eni"}))],
		{"ack_eni", "cluster"},
	],
	"ACK's NLB": [
		[testing.set(typed("LoadBalancer"), ["spec", "loadBalancerClass"], "alibabacloud.com/nlb")],
		{"ack_eni", "cluster"},
	],
	"CCE, dedicated": [
		[object.union(typed("LoadBalancer"), annotated({"kubernetes.io/elb.class": "performance"}))],
		{"cluster", "elb_dedicated"},
	],
	"CCE, shared": [
		[object.union(typed("LoadBalancer"), annotated({"kubernetes.io/elb.class": "union"}))],
		{"cluster", "node"},
	],
	"CCE's Ingress, dedicated": [
		[testing.service, testing.set(
			to_service,
			["metadata", "annotations"],
			{"kubernetes.io/elb.class": "performance"},
		)],
		{"cluster", "elb_dedicated"},
	],
	"NEG": [[annotated({"cloud.google.com/neg": `{"ingress": true}`})], {"cluster", "neg"}],
	"Ingress": [[testing.service, to_service], {"cluster", "ingress"}],
	"default backend": [[testing.service, ingress({"defaultBackend": backend})], {"cluster", "ingress"}],
	"Ingress before 1.19": [[testing.service, ingress({"backend": {"serviceName": "web"}})], {"cluster", "ingress"}],
	"HTTPRoute": [[testing.service, http_route({"name": "web"})], {"cluster", "ingress"}],
	"GRPCRoute": [
		[testing.service, object.union(http_route({"name": "web"}), {"kind": "GRPCRoute"})],
		{"cluster", "ingress"},
	],
	"Traefik": [[testing.service, routed("IngressRoute", {"name": "web"})], {"cluster", "ingress"}],
	"Contour": [[testing.service, routed("HTTPProxy", {"name": "web"})], {"cluster", "ingress"}],
	"OpenShift": [[testing.service, custom("Route", {"to": {"name": "web"}})], {"cluster", "ingress"}],
	"OpenShift, for some": [
		[testing.service, custom("Route", {"to": {"name": "a"}, "alternateBackends": [{"name": "web"}]})],
		{"cluster", "ingress"},
	],
	"Istio's gateway": [
		[testing.service, virtual_service({"gateways": ["edge"], "http": to_host("web")})],
		{"cluster", "ingress"},
	],
	"GKE's Gateway": [
		[
			testing.service,
			object.union(http_route({"name": "web"}), {"spec": {"parentRefs": [{"name": "edge"}]}}),
			object.union(
				custom("Gateway", {"gatewayClassName": "gke-l7-global-external-managed"}),
				{"metadata": {"name": "edge"}},
			),
		],
		{"cluster", "neg"},
	],
	"another Gateway": [
		[
			testing.service,
			object.union(http_route({"name": "web"}), {"spec": {"parentRefs": [{"name": "web"}]}}),
			custom("Gateway", {"gatewayClassName": "istio"}),
		],
		{"cluster", "ingress"},
	],
	"a binding of addresses": [
		[testing.service, custom("TargetGroupBinding", {"serviceRef": {"name": "web"}, "targetType": "ip"})],
		{"alb_ip", "cluster"},
	],
	"a Gateway of AWS, addresses": [
		[testing.service, http_route({"name": "web"}), target_group("ip")],
		{"alb_ip", "cluster", "ingress"},
	],
	"a Gateway of AWS, connections": [
		[testing.service, object.union(http_route({"name": "web"}), {"kind": "TCPRoute"}), target_group("ip")],
		{"cluster", "ingress", "nlb_ip"},
	],
	"a Gateway of AWS, nodes": [
		[testing.service, http_route({"name": "web"}), target_group("instance")],
		{"cluster", "ingress"},
	],
	"a Gateway of AWS, nodes by default": [
		[testing.service, custom("TargetGroupConfiguration", {"targetReference": {"name": "web"}})],
		{"cluster", "ingress"},
	],
	"ambient": [[testing.service, labelled("ambient")], {"ambient", "cluster"}],
	"ambient, by its namespace": [
		[in_shop(testing.service), in_shop(testing.web), namespace("ambient")],
		{"ambient", "cluster"},
	],
	"ambient, but for this workload": [
		[in_shop(testing.service), in_shop(labelled("none")), namespace("ambient")],
		{"cluster"},
	],
	"ambient in another place only": [
		[in_shop(testing.service), in_shop(testing.web), namespace("ambient"), namespace("none")],
		{"cluster"},
	],
	"a namespace of a wrong type": [
		[in_shop(testing.service), in_shop(testing.web), {"kind": "Namespace", "metadata": "shop"}],
		{"cluster"},
	],
	"a binding of nodes": [
		[testing.service, custom("TargetGroupBinding", {"serviceRef": {"name": "web"}})],
		{"cluster", "ingress"},
	],
	"NLB of EKS": [
		[testing.set(typed("LoadBalancer"), ["spec", "loadBalancerClass"], "eks.amazonaws.com/nlb")],
		{"cluster", "nlb_ip"},
	],
	"ALB of another class": [
		[testing.service, object.union(to_service, {
			"metadata": {"annotations": {"alb.ingress.kubernetes.io/target-type": "ip"}},
			"spec": {"ingressClassName": "alb-internal"},
		})],
		{"alb_ip", "cluster"},
	],
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

test_by_service[note] if {
	some note, case in reached
	by_service(case[0]) == case[1]
}

test_seconds_of_the_slowest if {
	seconds := exposures.seconds with input as testing.batch([testing.service, to_service])
	seconds == {0: 15}
}

test_seconds_of_a_health_check[note] if {
	interval := "alb.ingress.kubernetes.io/healthcheck-interval-seconds"
	threshold := "alb.ingress.kubernetes.io/unhealthy-threshold-count"
	some note, case in {
		"no load balancer": [annotated({interval: "60"}), to_service, {}],
		"defaults": [testing.service, alb, {}],
		"no number": [annotated({interval: "often"}), alb, {}],
		"the Service": [annotated({interval: "15"}), alb, {0: 40}],
		"the Ingress": [testing.service, testing.set(alb, ["metadata", "annotations"], {threshold: "3"}), {0: 55}],
		"the longest": [
			annotated({interval: "60"}),
			testing.set(alb, ["metadata", "annotations"], {interval: "20"}),
			{0: 130},
		],
	}
	found := exposures.health_check_seconds with input as testing.batch([case[0], case[1]])
	found == case[2]
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
		"ALB elsewhere": testing.batch_of([service, testing.document(alb, "far/ingress.yaml")]),
		"TKE's Ingress elsewhere": testing.batch_of([service, testing.document(
			testing.set(to_service, ["metadata", "annotations"], {"ingress.cloud.tencent.com/direct-access": "true"}),
			"far/ingress.yaml",
		)]),
		"GKE's Gateway elsewhere": testing.batch_of([
			service,
			testing.document(
				object.union(http_route({"name": "web"}), {"spec": {"parentRefs": [{"name": "web"}]}}),
				"far/a.yaml",
			),
			testing.document(custom("Gateway", {"gatewayClassName": "gke-l7-rilb"}), "far/b.yaml"),
		]),
		"a Gateway of AWS elsewhere": testing.batch_of([
			service,
			testing.document(object.union(http_route({"name": "web"}), {"kind": "TCPRoute"}), "far/a.yaml"),
			testing.document(target_group("ip"), "far/b.yaml"),
		]),
		"unread file": testing.with_unread_file(testing.batch_of([service])),
	}
	not certain(batch)
}
