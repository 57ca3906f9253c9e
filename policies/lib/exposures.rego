# METADATA
# title: Exposures
# description: How traffic reaches a Service, and so how long it continues after a pod began to stop.
# schemas:
# - input: schema.input
package gracegate.lib.exposures

import data.gracegate.lib.joins
import data.gracegate.lib.namespaces
import data.gracegate.lib.routes
import data.gracegate.lib.services
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Exposures by Service
# description: |
#   By document of the Service, a set of keys of input.cluster.drain_seconds. Never empty, as any Service is reached
#   inside the cluster, by DNS if it is headless.
by_service := {s: found |
	some s, service in services.service
	routed := {_route_exposure(route, service) | some route in _routes[s]}
	found := ((_internal(service) | _balanced(s, service)) | routed) | {"ambient" | _is_in_ambient_mesh(s)}
}

# METADATA
# title: Services with certain exposures
# description: |
#   A set of documents. Not those for which an unread file may hold an Ingress, or a slower one elsewhere may be meant.
is_certain := {s | some s, _ in services.service; not joins.near_unread_files[s]; not _may_be_slower(s)}

# METADATA
# title: Seconds by Service
# description: By document of the Service, how long traffic continues by the slowest of its exposures.
seconds := {s: max({input.cluster.drain_seconds[exposure] | some exposure in found}) | some s, found in by_service}

# METADATA
# title: Seconds of a health check, by Service
# description: |
#   How long a load balancer of AWS needs to notice by its health checks that a pod is gone, after its endpoint is, as
#   annotations set them. Only of Services whose Ingress or whose own annotations set one.
health_check_seconds := {s: longest |
	some s, service in services.service
	albs := {route.health_check | some route in _routes[s]; route.alb}
	count(albs) > 0
	windows := {window |
		some set_by in (albs | {_health_check(service.annotations)})
		count(set_by) > 0
		interval := to_number(object.get(set_by, "healthcheck-interval-seconds", "15"))
		window := interval * to_number(object.get(set_by, "unhealthy-threshold-count", "2"))
	}
	count(windows) > 0
	longest := input.cluster.drain_seconds.cluster + max(windows)
}

# METADATA
# scope: document
# title: Is the workload gated by its load balancer?
# description: Its pods have a readiness gate, or its namespace says that they get one.
is_gated(i) if count(values.list(object.get(workloads.pod[i].spec, "readinessGates", []))) > 0

is_gated(i) if namespaces.labels[joins.namespace[i]]["elbv2.k8s.aws/pod-readiness-gate-inject"] == "enabled"

# The defaults are those of https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
_health_check(annotations) := {key: value |
	some key in ["healthcheck-interval-seconds", "unhealthy-threshold-count"]
	value := annotations[concat("", ["alb.ingress.kubernetes.io/", key])]
	regex.match(`^[0-9]{1,4}$`, value)
}

# Istio without sidecars: the proxies of the nodes continue to send.
_is_in_ambient_mesh(s) if {
	r := services.representative_service[s]
	_modes[r].ambient
	not _modes[r].none
}

# The modes of the workloads that a Service selects, by its representative: of the pod, else of its namespace.
_modes := {r: modes |
	some r in {r | some r in services.representative_service}
	modes := {mode |
		some i in services.nearest_workloads[r]
		of_namespace := object.get(namespaces.labels, [joins.namespace[i], _dataplane_mode], "")
		mode := object.get(workloads.pod[i].labels, _dataplane_mode, of_namespace)
	}
}

_dataplane_mode := "istio.io/dataplane-mode"

_internal(service) := {"headless"} if {
	service.headless
} else := {"cluster"}

_balanced(s, service) := {"nlb_ip"} if {
	service.type == "LoadBalancer"

	# EKS Auto Mode sends to the addresses of pods.
	input.documents[s].object.spec.loadBalancerClass == "eks.amazonaws.com/nlb"
} else := {"nlb_ip"} if {
	service.type == "LoadBalancer"
	some key, value in {
		"service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
		"service.beta.kubernetes.io/aws-load-balancer-type": "nlb-ip",
	}
	service.annotations[key] == value
} else := {"clb_direct" | not _is_graceful(service.annotations)} if {
	service.type in {"LoadBalancer", "NodePort"}
	service.annotations["service.cloud.tencent.com/direct-access"] == "true"
} else := {"ack_eni"} if {
	service.type == "LoadBalancer"
	_sends_to_pods_on_ack(s, service)
} else := {"elb_dedicated"} if {
	service.type == "LoadBalancer"
	service.annotations[_elb_class] == "performance"
} else := {"neg"} if {
	regex.match(`"ingress"\s*:\s*true|"exposed_ports"`, service.annotations["cloud.google.com/neg"])
} else := {"node"} if {
	service.type in {"LoadBalancer", "NodePort"}
} else := set()

# TKE stops the pod only after its load balancer has stopped sending to it.
_is_graceful(annotations) if {
	some prefix in ["ingress", "service"]
	annotations[concat("", [prefix, ".cloud.tencent.com/enable-grace-deletion"])] == "true"
}

_sends_to_pods_on_ack(_, service) if service.annotations["service.beta.kubernetes.io/backend-type"] == "eni"

_sends_to_pods_on_ack(s, _) if input.documents[s].object.spec.loadBalancerClass == "alibabacloud.com/nlb"

# A dedicated one of Huawei's sends to the pods of a CCE Turbo cluster, to the nodes of another.
_elb_class := "kubernetes.io/elb.class"

_route_exposure(route, service) := "nlb_ip" if {
	route.nlb
	route.target_type == "ip"
} else := "alb_ip" if {
	route.alb
	"ip" in {route.target_type, object.get(service.annotations, _target_type, "")}
} else := "neg" if {
	route.neg
} else := route.balancer if {
	route.balancer != ""
} else := "ingress"

_target_type := "alb.ingress.kubernetes.io/target-type"

# A class of any name may be one of the AWS Load Balancer Controller's; only that reads these annotations.
_albs contains route if {
	some route, annotations in routes.annotations
	some key, _ in annotations
	startswith(key, "alb.ingress.kubernetes.io/")
}

_albs contains route if {
	some route, annotations in routes.annotations
	annotations["kubernetes.io/ingress.class"] == "alb"
}

_albs contains route if {
	some route, _ in routes.annotations
	input.documents[route].object.spec.ingressClassName == "alb"
}

_albs contains route if {
	some route, _ in routes.annotations
	input.documents[route].object.kind in {"TargetGroupBinding", "TargetGroupConfiguration"}
}

# The AWS Load Balancer Controller makes a load balancer for connections where a route of such a kind leads to the
# Service of the configuration.
_nlbs contains backend.document if {
	some backend in routes.backends
	input.documents[backend.document].object.kind == "TargetGroupConfiguration"
	_has_connections[[backend.name, backend.namespace]]
}

_has_connections := {[backend.name, backend.namespace] |
	some backend in routes.backends
	input.documents[backend.document].object.kind in {"TCPRoute", "TLSRoute"}
}

_target_type_of(i) := values.string(object.get(input.documents[i].object.spec, "targetType", "")) if {
	input.documents[i].object.kind == "TargetGroupBinding"
} else := values.string(object.get(input.documents[i].object.spec, ["defaultConfiguration", "targetType"], "")) if {
	input.documents[i].object.kind == "TargetGroupConfiguration"
} else := object.get(routes.annotations[i], _target_type, "")

# The exposure by an Ingress that is a load balancer of TKE or CCE; empty for any other.
_balancer(i) := "cluster" if {
	_is_direct(routes.annotations[i])
	_is_graceful(routes.annotations[i])
} else := "clb_direct" if {
	_is_direct(routes.annotations[i])
} else := "elb_dedicated" if {
	routes.annotations[i][_elb_class] == "performance"
} else := ""

_is_direct(annotations) if annotations["ingress.cloud.tencent.com/direct-access"] == "true"

# GKE's Gateways send to the addresses of pods.
_negs contains route if {
	some route, _ in routes.annotations
	some parent in values.list(object.get(input.documents[route].object.spec, "parentRefs", []))
	_gke_gateways[parent.name]
}

_gke_gateways := {values.string(document.object.metadata.name) |
	some document in input.documents
	document.object.kind == "Gateway"
	startswith(values.string(document.object.spec.gatewayClassName), "gke-")
}

# The routes to a Service, alike ones once.
_routes := {s: found |
	some s, service in services.service
	found := {route |
		some scope in joins.search_scopes[s]
		some route in _by_scope[[service.name, scope]]
	}
}

# A route elsewhere that names a Service of this name may mean it, unless a nearer one does. It matters if it is slower.
_may_be_slower(s) if {
	count(_routes[s]) == 0
	some slowest in _elsewhere[[services.service[s].name, joins.namespace[s] == ""]]
	slowest > seconds[s]
}

_by_scope := values.groups([[[backend.name, scope], route] |
	some backend in routes.backends
	i := backend.document
	some scope in joins.index_scopes_in(i, backend.namespace)
	route := {
		"alb": object.get(_is_alb, i, false),
		"neg": object.get(_is_neg, i, false),
		"nlb": object.get(_is_nlb, i, false),
		"health_check": _health_check(routes.annotations[i]),
		"balancer": _balancer(i),
		"target_type": _target_type_of(i),
	}
])

# Seconds of the routes by name of the Service, and whether it may be in any namespace.
_elsewhere := values.groups([[[backend.name, any_namespace], input.cluster.drain_seconds[exposure]] |
	some backend in routes.backends
	some any_namespace in {true, backend.namespace != ""}
	exposure := _slowest(backend.document)
])

_slowest(route) := "nlb_ip" if {
	_is_nlb[route]
} else := "alb_ip" if {
	_is_alb[route]
} else := "neg" if {
	_is_neg[route]
} else := "ingress" if {
	_balancer(route) == ""
} else := _balancer(route)

_is_alb := {i: true | some i in _albs}

_is_nlb := {i: true | some i in _nlbs}

_is_neg := {i: true | some i in _negs}
