# METADATA
# title: Exposures
# description: On which ways traffic reaches a Service, and so how long it goes on after a pod began to stop.
# schemas:
# - input: schema.input
package gracegate.lib.exposures

import data.gracegate.lib.places
import data.gracegate.lib.services
import data.gracegate.lib.values

# METADATA
# title: Exposures by Service
# description: |
#   Keys of input.cluster.drain_seconds. Never empty, as any Service is reached inside the cluster, by DNS if
#   headless.
of := {s: ways |
	some s, found in services.service
	routed := {way | some route in _routes[s]; way := _way(route, found)}
	ways := (_inner(found) | _balanced(found)) | routed
}

# METADATA
# title: Services whose exposures are known
# description: Not where an unread file may hold an Ingress for it, or one elsewhere may be meant for it and be slower.
known := {s | some s, _ in services.service; not s in places.doubtful; not _perhaps_slower(s)}

# METADATA
# title: Seconds by Service
# description: How long traffic goes on, by the slowest of its exposures.
seconds := {s: max({input.cluster.drain_seconds[way] | some way in ways}) | some s, ways in of}

_inner(service) := {"headless"} if {
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

_way(route, service) := "alb_ip" if {
	route in _albs
	some annotations in [_annotations[route], service.annotations]
	annotations["alb.ingress.kubernetes.io/target-type"] == "ip"
} else := "ingress"

_albs contains route if {
	some route, annotations in _annotations
	annotations["kubernetes.io/ingress.class"] == "alb"
}

_albs contains route if {
	some route, _ in _annotations
	input.documents[route].object.spec.ingressClassName == "alb"
}

_routes := {s: found |
	some s, service in services.service
	found := {route |
		some scope in places.scopes[s]
		some [route, namespace] in _located[[service.name, scope]]
		places.agree(namespace, places.namespace[s])
	}
}

# A route elsewhere that names a Service of this name may mean it, unless a nearer one does. It matters if it is slower.
_perhaps_slower(s) if {
	count(_routes[s]) == 0
	some slowest in _elsewhere[[services.service[s].name, places.namespace[s] == ""]]
	slowest > seconds[s]
}

_located := values.grouped({[[name, scope], [route, namespace]] |
	some [name, namespace, route] in _backends
	some scope in (places.scopes[route] | {["namespace", namespace]})
})

# Seconds of the routes by name of the Service, and whether it may be in any namespace.
_elsewhere := values.grouped({[[name, any_namespace], input.cluster.drain_seconds[way]] |
	some [name, namespace, route] in _backends
	some any_namespace in {true, namespace != ""}
	way := {true: "alb_ip", false: "ingress"}[route in _albs]
})

_annotations := {i: values.texts(object.get(document.object, ["metadata", "annotations"], {})) |
	some i, document in input.documents
	document.object.kind in {"HTTPRoute", "Ingress"}
}

# Who is sent to, as [name of the Service, its namespace, document that names it].
_backends contains [name, namespace, i] if {
	some i, document in input.documents
	document.object.kind == "Ingress"
	namespace := places.namespace[i]
	backend := document.object.spec.rules[_].http.paths[_].backend
	some name in _names(backend)
}

_backends contains [name, namespace, i] if {
	some i, document in input.documents
	document.object.kind == "Ingress"
	namespace := places.namespace[i]
	some key in ["backend", "defaultBackend"]
	some name in _names(document.object.spec[key])
}

_backends contains [reference.name, namespace, i] if {
	some i, document in input.documents
	document.object.kind == "HTTPRoute"
	reference := document.object.spec.rules[_].backendRefs[_]
	is_object(reference)
	object.get(reference, "kind", "Service") == "Service"
	namespace := values.text(object.get(reference, "namespace", places.namespace[i]))
}

# networking.k8s.io/v1, and what it was before 1.19.
_names(backend) := {backend.service.name | backend.service.name} | {backend.serviceName | backend.serviceName}
