# METADATA
# title: Routes
# description: What sends requests from outside to Services, and to which.
# schemas:
# - input: schema.input
package gracegate.lib.routes

import data.gracegate.lib.joins
import data.gracegate.lib.values

# METADATA
# title: Annotations by document
# description: Of the objects that may send requests to Services.
annotations := {i: values.string_map(object.get(document.object, ["metadata", "annotations"], {})) |
	some i, document in input.documents
	document.object.kind in (_gateway_kinds | _other_kinds)
	is_object(document.object.spec)
}

# METADATA
# scope: document
# title: Backends
# description: |
#   A set of the Services that objects send to: `document`, `path` of the name from its root, the `name`, the
#   `namespace` of the Service, empty if nothing here says it, its `port`, a number or a name, or null if the object
#   names none, and `port_path`, where that is.
backends contains backend if {
	some i, _ in annotations
	input.documents[i].object.kind == "Ingress"
	some [at, reference] in _ingress_references(input.documents[i].object.spec)
	some named in _ingress_backends(at, reference)
	backend := object.union(named, {"document": i, "namespace": joins.namespace[i]})
}

backends contains backend if {
	some i, _ in annotations
	some [at, reference] in _references(input.documents[i].object.kind, input.documents[i].object.spec)
	is_string(reference.name)
	object.get(reference, "kind", "Service") == "Service"
	object.get(reference, "group", "") == ""
	namespace := values.string(object.get(reference, "namespace", joins.namespace[i]))
	backend := {
		"document": i,
		"path": array.concat(at, ["name"]),
		"name": reference.name,
		"namespace": namespace,
		"port": object.get(reference, "port", null),
		"port_path": array.concat(at, ["port"]),
	}
}

# Of Istio, at a gateway: without one it is about requests inside the mesh. The host is a name, or one in a namespace.
backends contains backend if {
	some i, _ in annotations
	input.documents[i].object.kind == "VirtualService"
	spec := input.documents[i].object.spec
	some gateway in values.list(object.get(spec, "gateways", []))
	gateway != "mesh"
	some protocol in ["http", "tcp", "tls"]
	some n, _ in values.list(object.get(spec, protocol, []))
	some m, route in spec[protocol][n].route
	host := route.destination.host
	is_string(host)
	parts := split(host, ".")
	path := ["spec", protocol, n, "route", m, "destination", "host"]
	backend := {
		"document": i,
		"path": path,
		"name": parts[0],
		"namespace": array.concat(parts, [joins.namespace[i]])[1],
		"port": null,
		"port_path": path,
	}
}

_gateway_kinds := {"GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute"}

# Of Contour and Traefik.
_proxy_kinds := {"HTTPProxy", "IngressRoute", "IngressRouteTCP"}

_target_group_kinds := {"TargetGroupBinding", "TargetGroupConfiguration"}

_other_kinds := ({"Ingress", "Route", "VirtualService"} | _proxy_kinds) | _target_group_kinds

_ingress_references(spec) := {[["spec", "rules", n, "http", "paths", m, "backend"], path.backend] |
	some n, rule in values.list(object.get(spec, "rules", []))
	some m, path in rule.http.paths
} | {[["spec", key], spec[key]] | some key in ["backend", "defaultBackend"]}

# networking.k8s.io/v1, and its form before 1.19.
_ingress_backends(at, reference) := {{
	"path": array.concat(at, ["service", "name"]),
	"name": reference.service.name,
	"port": object.get(reference.service, ["port", key], null),
	"port_path": array.concat(at, ["service", "port", key]),
} |
	is_string(reference.service.name)
	key := _port_key(reference.service)
} | {{
	"path": array.concat(at, ["serviceName"]),
	"name": reference.serviceName,
	"port": object.get(reference, "servicePort", null),
	"port_path": array.concat(at, ["servicePort"]),
} |
	is_string(reference.serviceName)
}

_port_key(service) := "name" if {
	is_string(service.port.name)
} else := "number"

_references(kind, spec) := {[["spec", "rules", n, "backendRefs", m], reference] |
	some n, rule in values.list(object.get(spec, "rules", []))
	some m, reference in rule.backendRefs
} if {
	kind in _gateway_kinds
}

_references(kind, spec) := {[["spec", "routes", n, "services", m], reference] |
	some n, route in values.list(object.get(spec, "routes", []))
	some m, reference in route.services
} if {
	kind in _proxy_kinds
}

# Of OpenShift, whose port is one of the pods; Knative has a kind of the same name.
_references("Route", spec) := {[array.concat(["spec"], at), object.remove(reference, ["port"])] |
	some [at, reference] in array.concat(
		[[["to"], object.get(spec, "to", null)]],
		[[["alternateBackends", n], reference] | some n, reference in values.list(object.get(spec, "alternateBackends", []))],
	)
	is_object(reference)
}

_references("TargetGroupBinding", spec) := {[["spec", "serviceRef"], object.get(spec, "serviceRef", null)]}

# For the routes of a Gateway that the AWS Load Balancer Controller serves.
_references("TargetGroupConfiguration", spec) := {[["spec", "targetReference"], reference]} if {
	reference := object.get(spec, "targetReference", null)
}
