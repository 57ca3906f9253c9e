# METADATA
# title: Host moves to another load balancer
# description: |
#   Each Ingress class, and each Gateway, has a load balancer of its own with an address of its own. When the Ingress of
#   a host is taken away from its class, the old load balancer answers 404 for that host at once, while DNS and its
#   caches still send clients there, and the new one is often not ready yet.
# related_resources:
# - ref: https://gateway-api.sigs.k8s.io/guides/migrating-from-ingress/
#   description: From Ingress to Gateway API
# - ref: https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
#   description: Which controller an Ingress belongs to
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: text
#   exceptions:
#   - Both are served by the same load balancer.
#   before:
#   - op: add
#     document: 3
#     path: []
#     value: |
#       apiVersion: networking.k8s.io/v1
#       kind: Ingress
#       metadata:
#         name: web
#       spec:
#         ingressClassName: nginx
#         rules:
#         - host: shop.example.com
#           http:
#             paths:
#             - path: /
#               pathType: Prefix
#               backend:
#                 service:
#                   name: web
#                   port:
#                     number: 80
#   example:
#   - {op: replace, document: 3, path: [spec, ingressClassName], value: traefik}
package gracegate.rules.change["ingress-replaced"]

import data.gracegate.lib.before
import data.gracegate.lib.text
import data.gracegate.lib.values

violation contains {"at": at, "message": message, "level": "warning"} if {
	some at, found in _reclassified
	message := text.format(
		concat(" ", [
			`Requests to "{}" fail until DNS points to another load balancer:`,
			`Ingress "{}" leaves class "{}" for class "{}".`,
		]),
		[found.host, found.name, found.former, found.class],
	)
}

violation contains {"at": at, "message": message, "level": found.level} if {
	some at, found in _replaced
	message := text.format(
		`Requests to "{}" may fail until DNS points to the load balancer of {} "{}": Ingress "{}" is removed at once.`,
		[found.host, found.kind, found.name, found.former],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Add an Ingress of the new class under another name beside this one,",
		"let DNS move to its load balancer, and remove the old one in another change.",
	])
	some at, _ in _reclassified
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, found in _replaced
	advice := text.format(
		`Keep Ingress "{}" beside it, let DNS move to the new load balancer, and remove it in another change.`,
		[found.former],
	)
}

steps contains {"at": at, "steps": [
	{
		"title": text.format(`{} "{}" serves "{}" beside Ingress "{}".`, [found.kind, found.name, found.host, found.former]),
		"restored": [found.number],
	},
	{
		"title": text.format(`Ingress "{}" goes.`, [found.former]),
		"by_hand": text.format(
			`Let DNS point to the load balancer of {} "{}", and wait until nothing comes in for Ingress "{}" any more.`,
			[found.kind, found.name, found.former],
		),
	},
]} if {
	some at, found in _replaced
}

steps contains {"at": at, "steps": [
	{
		"title": text.format(`Ingress "{}" of class "{}" serves the same beside "{}".`, [second, found.class, found.name]),
		"restored": [before.number[at.document]],
		"copies": [copy],
	},
	{
		"title": text.format(`Ingress "{}" moves to class "{}".`, [found.name, found.class]),
		"by_hand": text.format(_to_other, [second, found.name]),
		"copies": [copy],
	},
	{
		"title": text.format(`Ingress "{}" goes.`, [second]),
		"by_hand": text.format(_to_other, [found.name, second]),
	},
]} if {
	some at, found in _reclassified
	second := concat("", [found.name, "-next"])
	not _ingress_names[second]
	copy := {"document": at.document, "patch": [{"op": "replace", "path": ["metadata", "name"], "value": second}]}
}

_to_other := concat(" ", [
	`Let DNS point to the load balancer of Ingress "{}",`,
	`and wait until nothing comes in for Ingress "{}" any more.`,
])

_ingress_names := {_name(document.object) | some document in input.documents; _is_ingress(document.object)}

possible contains at if {
	some at, found in _replaced
	found.level == "info"
}

# Classes whose controller serves no other kind of route with the same load balancer.
_levels := {
	"alb": "warning",
	"azure-application-gateway": "warning",
	"gce": "warning",
	"gce-internal": "warning",
	"nginx": "warning",
}

_reclassified := {at: found |
	some i, former in before.same_object
	input.documents[i].subject
	_is_ingress(former)
	classes := [_class(version) | some version in [former, input.documents[i].object]]
	classes[0] != classes[1]
	not "" in classes
	host := min(_hosts(former) & _hosts(input.documents[i].object))
	not values.is_placeholder(concat("", [host, classes[0], classes[1]]))
	at := {"document": i, "path": array.concat(["spec"], ["ingressClassName" |
		input.documents[i].object.spec.ingressClassName
	])}
	found := {
		"host": host,
		"name": _name(former),
		"former": classes[0],
		"class": classes[1],
	}
}

# The first host of a route, with the Ingress that had it.
_replaced := {{"document": i, "path": ["metadata", "name"]}: found |
	some i in (before.added | object.keys(before.modified))
	input.documents[i].subject
	kind := input.documents[i].object.kind
	kind in {"GRPCRoute", "HTTPRoute", "TLSRoute"}
	host := min([host | some host in _hosts(input.documents[i].object); _removed[host]])
	former := _removed[host]
	not values.is_placeholder(host)
	found := {
		"host": host,
		"kind": kind,
		"name": _name(input.documents[i].object),
		"former": former.name,
		"number": former.number,
		"level": object.get(_levels, former.class, "info"),
	}
}

# By host, a removed Ingress that had it, where no other one has.
_removed := {host: min(formers) |
	some host, formers in values.groups([[host, former] |
		some n, entry in input.before
		not is_number(object.get(entry, "document", null))
		_is_ingress(entry.object)
		former := {"class": _class(entry.object), "name": _name(entry.object), "number": n}
		some host in _hosts(entry.object)
		not _ingress_hosts[host]
	])
}

_ingress_hosts contains host if {
	some document in input.documents
	_is_ingress(document.object)
	some host in _hosts(document.object)
}

_is_ingress(manifest) if {
	manifest.kind == "Ingress"
	startswith(values.string(manifest.apiVersion), "networking.k8s.io/")
}

_hosts(manifest) := {rule.host | some rule in values.list(manifest.spec.rules); _is_name(rule.host)} if {
	manifest.kind == "Ingress"
} else := {host | some host in values.list(manifest.spec.hostnames); _is_name(host)}

_is_name(host) if not values.string(host) in {"", "*"}

# What names none belongs to the default class of the cluster.
_class(manifest) := class if {
	class := values.string(manifest.spec.ingressClassName)
	class != ""
} else := values.string(object.get(manifest, ["metadata", "annotations", "kubernetes.io/ingress.class"], ""))

_name(manifest) := values.string(object.get(manifest, ["metadata", "name"], ""))
