# METADATA
# title: Exposures
# description: How traffic reaches a Service, and so how long it continues after a pod began to stop.
# schemas:
# - input: schema.input
package gracegate.lib.exposures

import data.gracegate.lib.joins
import data.gracegate.lib.services
import data.gracegate.lib.values

# METADATA
# title: Exposures by Service
# description: |
#   By document of the Service, a set of keys of input.cluster.drain_seconds. Never empty, as any Service is reached
#   inside the cluster, by DNS if it is headless.
by_service := {s: found |
	some s, service in services.service
	routed := {_route_exposure(route, service) | some route in _routes[s]}
	found := (_internal(service) | _balanced(service)) | routed
}

# METADATA
# title: Services with certain exposures
# description: |
#   A set of documents. Not those for which an unread file may hold an Ingress, or a slower one elsewhere may be meant.
is_certain := {s | some s, _ in services.service; not s in joins.near_unread_files; not _may_be_slower(s)}

# METADATA
# title: Seconds by Service
# description: By document of the Service, how long traffic continues by the slowest of its exposures.
seconds := {s: max({input.cluster.drain_seconds[exposure] | some exposure in found}) | some s, found in by_service}

_internal(service) := {"headless"} if {
	service.headless
} else := {"cluster"}

_balanced(service) := {"nlb_ip"} if {
	service.type == "LoadBalancer"
	some key, value in {
		"service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
		"service.beta.kubernetes.io/aws-load-balancer-type": "nlb-ip",
	}
	service.annotations[key] == value
} else := {"neg"} if {
	regex.match(`"ingress"\s*:\s*true|"exposed_ports"`, service.annotations["cloud.google.com/neg"])
} else := {"node"} if {
	service.type in {"LoadBalancer", "NodePort"}
} else := set()

_route_exposure(route, service) := "alb_ip" if {
	route.alb
	"ip" in {route.target_type, object.get(service.annotations, _target_type, "")}
} else := "ingress"

_target_type := "alb.ingress.kubernetes.io/target-type"

_albs contains route if {
	some route, annotations in _annotations
	annotations["kubernetes.io/ingress.class"] == "alb"
}

_albs contains route if {
	some route, _ in _annotations
	input.documents[route].object.spec.ingressClassName == "alb"
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

_by_scope := values.groups([[[name, scope], route] |
	some [name, namespace, i] in _backends
	some scope in joins.index_scopes_in(input.documents[i].root, namespace)
	route := {"alb": i in _albs, "target_type": object.get(_annotations[i], _target_type, "")}
])

# Seconds of the routes by name of the Service, and whether it may be in any namespace.
_elsewhere := values.groups([[[name, any_namespace], input.cluster.drain_seconds[exposure]] |
	some [name, namespace, route] in _backends
	some any_namespace in {true, namespace != ""}
	exposure := {true: "alb_ip", false: "ingress"}[route in _albs]
])

_annotations := {i: values.string_map(object.get(document.object, ["metadata", "annotations"], {})) |
	some i, document in input.documents
	document.object.kind in {"HTTPRoute", "Ingress"}
}

# As [name of the Service, its namespace, document of the route that sends to it].
_backends contains [name, namespace, i] if {
	some i, document in input.documents
	document.object.kind == "Ingress"
	namespace := joins.namespace[i]
	backend := document.object.spec.rules[_].http.paths[_].backend
	some name in _names(backend)
}

_backends contains [name, namespace, i] if {
	some i, document in input.documents
	document.object.kind == "Ingress"
	namespace := joins.namespace[i]
	some key in ["backend", "defaultBackend"]
	some name in _names(document.object.spec[key])
}

_backends contains [reference.name, namespace, i] if {
	some i, document in input.documents
	document.object.kind == "HTTPRoute"
	reference := document.object.spec.rules[_].backendRefs[_]
	is_object(reference)
	object.get(reference, "kind", "Service") == "Service"
	namespace := values.string(object.get(reference, "namespace", joins.namespace[i]))
}

# networking.k8s.io/v1, and its form before 1.19.
_names(backend) := {backend.service.name | backend.service.name} | {backend.serviceName | backend.serviceName}
