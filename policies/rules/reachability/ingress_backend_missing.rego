# METADATA
# title: Ingress sends to a Service or a port that does not exist
# description: |
#   An Ingress or a route names a Service and one of its ports. If there is no such Service, or if it has no such port,
#   every request on that path is answered with an error, although all pods are ready.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/services-networking/ingress/#the-ingress-resource
#   description: How an Ingress names its backends
# - ref: https://gateway-api.sigs.k8s.io/api-types/httproute/#backendrefs-optional
#   description: What a route does whose backend does not exist
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: assumes
#   example:
#   - op: add
#     document: 3
#     path: []
#     value: |
#       apiVersion: networking.k8s.io/v1
#       kind: Ingress
#       metadata:
#         name: web
#       spec:
#         defaultBackend:
#           service:
#             name: web
#             port:
#               number: 8080
package gracegate.rules.reachability["ingress-backend-missing"]

import data.gracegate.lib.joins
import data.gracegate.lib.ports
import data.gracegate.lib.related_places
import data.gracegate.lib.routes
import data.gracegate.lib.text
import data.gracegate.lib.values

violation contains {"at": at, "message": message, "level": "error"} if {
	some at, missing in _missing_ports
	message := text.format(
		`{} "{}" answers every request to Service "{}" with an error: the Service has no port {}{}.`,
		[missing.kind, missing.route, missing.service, _shown(missing.port), _only(missing.alike)],
	)
}

violation contains {"at": at, "message": message, "level": "warning"} if {
	some at, missing in _missing_services
	missing.meant != ""
	message := text.format(
		`{} "{}" answers requests with an error: no Service here is named "{}", but one is named "{}".`,
		[missing.kind, missing.route, missing.service, missing.meant],
	)
}

violation contains {"at": at, "message": message, "level": "info"} if {
	some at, missing in _missing_services
	missing.meant == ""
	message := text.format(
		`{} "{}" answers requests with an error unless something else makes the Service "{}": no manifest here does.`,
		[missing.kind, missing.route, missing.service],
	)
}

fix contains {"at": at, "class": "assumes", "patch": patch, "assumption": assumption} if {
	some at, missing in _missing_services
	missing.meant != ""
	patch := [{"op": "replace", "path": at.path, "value": missing.meant}]
	assumption := text.format(`The requests are meant for Service "{}".`, [missing.meant])
}

fix contains {"at": at, "class": "text", "advice": "Name a Service that exists, or add it to this change."} if {
	some at, missing in _missing_services
	missing.meant == ""
}

fix contains {"at": at, "class": "assumes", "patch": patch, "assumption": assumption} if {
	some at, missing in _missing_ports
	[value] := missing.alike
	patch := [{"op": "replace", "path": at.path, "value": value}]
	assumption := text.format("The requests are meant for the only port of the Service, {}.", [_shown(value)])
}

fix contains {"at": at, "class": "text", "advice": "Name one of the ports of the Service, not of its pods."} if {
	some at, missing in _missing_ports
	count(missing.alike) != 1
}

related contains {"at": at, "places": related_places.objects({missing.first})} if some at, missing in _missing_ports

possible contains at if some at, _ in _missing_services

# By place of the name.
_missing_services := {{"document": i, "path": backend.path}: found |
	some backend in _judged_backends
	i := backend.document
	count(_names_of(backend)) == 0
	near := _services_near[input.documents[i].directory]
	found := {
		"kind": input.documents[i].object.kind,
		"route": values.string(object.get(input.documents[i].object, ["metadata", "name"], "")),
		"service": backend.name,
		"meant": _meant(backend.name, near - {backend.name}),
	}
}

# By place of the port. Of several Services of that name none may have it. One of the same namespace in another root may
# be for another cluster.
_missing_ports := {{"document": i, "path": backend.port_path}: found |
	some backend in _judged_backends
	i := backend.document
	_is_port(backend.port)
	named := _names_of(backend)
	near := {key | some key in named; key[1][0] == "root"}
	count(near) > 0
	every key in named {
		not _accepts(_values[key], backend.port)
	}
	first := min({_first[key] | some key in near})
	found := {
		"kind": input.documents[i].object.kind,
		"route": values.string(object.get(input.documents[i].object, ["metadata", "name"], "")),
		"service": backend.name,
		"first": first,
		"port": backend.port,
		"alike": [port | some declared in _ports[first]; port := declared[_key(backend.port)]; _is_port(port)],
	}
}

# Istio's hosts may be outside of the cluster. The AWS Load Balancer Controller takes what has the port
# `use-annotation` from an annotation, and a TargetGroupConfiguration sends nothing itself.
_judged_backends := {backend |
	some backend in routes.backends
	input.documents[backend.document].subject
	not input.documents[backend.document].object.kind in {"TargetGroupConfiguration", "VirtualService"}
	not joins.near_unread_files[backend.document]
	not values.is_placeholder(backend.name)
	not backend.port == "use-annotation"
}

# The keys of `_named` under which a Service is that the backend may mean.
_names_of(backend) := {key |
	some scope in joins.index_scopes_in(backend.document, backend.namespace)
	key := [backend.name, scope]
	_named[key]
}

_named := values.groups([[[values.string(document.object.metadata.name), scope], s] |
	some s, document in input.documents
	document.object.kind == "Service"
	some scope in joins.search_scopes[s]
])

_first := {key: min(members) | some key, members in _named}

# All that names a port of one of them; 0 where one has no ports, or one whose number is not known.
_values := {key: {value | some s in members; some value in _port_values(_ports[s])} | some key, members in _named}

_port_values([]) := {0}

_port_values(declared) := {value | some port in declared; some value in port} if count(declared) > 0

# The names of Services by directory: a route without any beside it is for those of another repository.
_services_near := values.groups([[document.directory, values.string(document.object.metadata.name)] |
	some document in input.documents
	document.object.kind == "Service"
])

_meant(name, names) := text.nearest(name, names) if {
	text.nearest(name, names)
} else := ""

# What a route may name it by: ingress-nginx also looks among the targets. Without an ExternalName's, which may be any.
_ports := {s: declared |
	some s, document in input.documents
	document.object.kind == "Service"
	declared := [{
		"number": values.integer(object.get(port, "port", null), 0),
		"name": values.string(object.get(port, "name", "")),
		"target": _target(object.get(port, "targetPort", "")),
	} |
		not document.object.spec.type == "ExternalName"
		some port in values.list(document.object.spec.ports)
		is_object(port)
	]
}

_accepts(known, port) if known[port]

_accepts(known, port) if known[ports.number_in(port)]

_accepts(known, _) if known[0]

_accepts(known, _) if {
	some value in known
	values.is_placeholder(value)
}

_target(value) := values.integer(value, -1) if {
	is_number(value)
} else := values.string(value)

_is_port(port) if values.integer(port, 0) > 0

_is_port(port) if {
	is_string(port)
	port != ""
	not values.is_placeholder(port)
}

_key(port) := "number" if {
	is_number(port)
} else := "name"

_shown(port) := text.number(port) if {
	is_number(port)
} else := text.format(`"{}"`, [port])

_only([]) := ""

_only(alike) := concat("", [", only ", concat(", ", [_shown(port) | some port in alike])]) if count(alike) > 0
