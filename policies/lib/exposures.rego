# METADATA
# title: Exposures
# description: On which paths traffic reaches a Service, and so how long it goes on after a pod began to stop.
# schemas:
# - input: schema.input
package gracegate.lib.exposures

import data.gracegate.lib.places
import data.gracegate.lib.services
import data.gracegate.lib.values

# METADATA
# title: Exposures by Service
# description: Keys of input.cluster.drain_seconds. Never empty; any Service is reached inside the cluster, by DNS if headless.
of[s] := (_inner[s] | _balanced[s]) | _routed[s] if some s, _ in services.service

# METADATA
# title: Are the exposures known? by Service
# description: Not where an unread file may hold an Ingress for it, or one elsewhere may be meant for it.
known contains s if {
	some s, _ in services.service
	not s in places.doubtful
	not _perhaps_routed(s)
}

# METADATA
# title: Seconds by Service
# description: How long traffic goes on, by the slowest of its exposures.
seconds[s] := max({input.cluster.drain_seconds[way] | some way in ways}) if some s, ways in of

_inner[s] := {"headless"} if services.service[s].headless

_inner[s] := {"cluster"} if {
	some s, found in services.service
	not found.headless
}

_balanced[s] := {way | some way, members in _balancers; s in members} if some s, _ in services.service

_balancers := {"nlb_ip": _nlb_ip, "neg": _neg, "node": _node - _nlb_ip}

_nlb_ip contains s if {
	some s, found in services.service
	found.type == "LoadBalancer"
	some key, value in {
		"service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
		"service.beta.kubernetes.io/aws-load-balancer-type": "nlb-ip",
	}
	found.annotations[key] == value
}

_neg contains s if {
	some s, found in services.service
	regex.match(`"ingress"\s*:\s*true|"exposed_ports"`, found.annotations["cloud.google.com/neg"])
}

_node contains s if {
	some s, found in services.service
	found.type in {"LoadBalancer", "NodePort"}
}

_routed[s] := {way | some route in _routes[s]; way := _way(route, s)} if some s, _ in services.service

default _way(_, _) := "ingress"

_way(route, s) := "alb_ip" if {
	route in _alb
	some annotations in [_annotations[route], services.service[s].annotations]
	annotations["alb.ingress.kubernetes.io/target-type"] == "ip"
}

_alb contains i if {
	some i, annotations in _annotations
	annotations["kubernetes.io/ingress.class"] == "alb"
}

_alb contains i if {
	some i, _ in _annotations
	input.documents[i].object.spec.ingressClassName == "alb"
}

_annotations[i] := values.texts(object.get(document.object, ["metadata", "annotations"], {})) if {
	some i, document in input.documents
	document.object.kind in {"HTTPRoute", "Ingress"}
}

_routes[s] := {route |
	some scope in places.scopes[s]
	some [route, namespace] in _located[[found.name, scope]]
	places.agree(namespace, places.namespace[s])
} if {
	some s, found in services.service
}

# One that stands elsewhere and names a Service of this name may mean it, unless a nearer one does.
_perhaps_routed(s) if {
	count(_routes[s]) == 0
	some namespace in _backend_namespaces[services.service[s].name]
	places.agree(namespace, places.namespace[s])
}

_located := values.grouped({[[name, scope], [route, namespace]] |
	some [name, namespace, route] in _backends
	some scope in (places.scopes[route] | {["namespace", namespace]})
})

_backend_namespaces := values.grouped({[name, namespace] | some [name, namespace, _] in _backends})

# Who is sent to: [name of the Service, its namespace, document that names it].
_backends contains [name, places.namespace[i], i] if {
	some i, document in input.documents
	document.object.kind == "Ingress"
	some name in _names[i]
}

_backends contains [name, namespace, i] if {
	some i, document in input.documents
	document.object.kind == "HTTPRoute"
	reference := document.object.spec.rules[_].backendRefs[_]
	is_object(reference)
	object.get(reference, "kind", "Service") == "Service"
	name := reference.name
	namespace := values.text(object.get(reference, "namespace", places.namespace[i]))
}

# networking.k8s.io/v1 and, below it, what it was before 1.19.
_names[i] contains name if {
	some i, document in input.documents
	name := document.object.spec.rules[_].http.paths[_].backend.service.name
}

_names[i] contains name if {
	some i, document in input.documents
	name := document.object.spec.defaultBackend.service.name
}

_names[i] contains name if {
	some i, document in input.documents
	name := document.object.spec.rules[_].http.paths[_].backend.serviceName
}

_names[i] contains name if {
	some i, document in input.documents
	name := document.object.spec.backend.serviceName
}
