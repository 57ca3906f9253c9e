# METADATA
# title: Load balancer drops its targets to get new ones
# description: |
#   For another backend Service the AWS Load Balancer Controller makes a new target group and deletes the old one at
#   once. Nothing waits until the new targets are healthy, and requests in flight to the old ones are cut off: the
#   deregistration delay is not kept.
# related_resources:
# - ref: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/use_cases/blue_green/
#   description: How to move the traffic step by step
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: text
#   before:
#   - op: add
#     document: 3
#     path: []
#     value: |
#       apiVersion: v1
#       kind: Service
#       metadata:
#         name: web-green
#       spec:
#         selector:
#           app: web
#         ports:
#         - port: 80
#           targetPort: http
#   - op: add
#     document: 4
#     path: []
#     value: |
#       apiVersion: networking.k8s.io/v1
#       kind: Ingress
#       metadata:
#         name: web
#       spec:
#         ingressClassName: alb
#         defaultBackend:
#           service:
#             name: web
#             port:
#               number: 80
#   example:
#   - {op: replace, document: 4, path: [spec, defaultBackend, service, name], value: web-green}
package gracegate.rules.change["backend-switched"]

import data.gracegate.lib.before
import data.gracegate.lib.routes
import data.gracegate.lib.text
import data.gracegate.lib.values

violation contains {"at": at, "message": message} if {
	some at, switch in _switched
	message := text.format(
		concat(" ", [
			`{} "{}" cuts requests off when this is applied: its load balancer deletes the target group of Service "{}"`,
			`at once and fills a new one for "{}".`,
		]),
		[input.documents[at.document].object.kind, switch.route, switch.former, switch.name],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, switch in _switched
	advice := text.format(
		`Send to both Services by weights in an action of the Ingress, and take "{}" out in another change.`,
		[switch.former],
	)
}

# The target group of a Service exists as long as the Ingress names it, be it with a weight of 0.
steps contains {"at": at, "steps": [
	{
		"title": text.format(`Ingress "{}" fills a target group for "{}" too, while "{}" gets all requests.`, names),
		"patch": _patch(at, switch, [100, 0]),
	},
	{
		"title": text.format(`Ingress "{}" sends to "{}", whose targets are healthy, and keeps those of "{}".`, names),
		"patch": _patch(at, switch, [0, 100]),
	},
	{"title": text.format(`Ingress "{}" sends to "{}" alone: nothing is in flight to "{}" any more.`, names)},
]} if {
	some at, switch in _switched
	names := [switch.route, switch.name, switch.former]
	_may_have_an_action(at, switch)
}

# By an action in the place of the Service, see the link.
_patch(at, switch, weights) := [
	{"op": "replace", "path": at.path, "value": switch.action},
	{"op": "replace", "path": array.concat(_parent(at.path), ["port"]), "value": {"name": "use-annotation"}},
	{
		"op": "add",
		"path": ["metadata", "annotations", concat("", [_actions, switch.action])],
		"value": text.format(
			`{"type":"forward","forwardConfig":{"targetGroups":[{},{}]}}`,
			[_target(switch.former, switch.former_port, weights[0]), _target(switch.name, switch.port, weights[1])],
		),
	},
]

# The engines write objects in different orders.
_target(name, port, weight) := concat("", [
	`{"serviceName":`,
	json.marshal(name),
	`,"servicePort":`,
	json.marshal(port),
	`,"weight":`,
	text.number(weight),
	`}`,
])

_may_have_an_action(at, switch) if {
	count(switch.action) <= 55
	at.path[count(at.path) - 2] == "service"
	not null in [switch.former_port, switch.port]
	not routes.annotations[at.document][concat("", [_actions, switch.action])]
}

_switched := {at: found |
	some backend in routes.backends
	i := backend.document
	input.documents[i].subject
	former := before.same_object[i]
	_is_alb(i)
	old := _reference(former, backend.path)
	lost := sort([service |
		some [service, weight] in _sent_to(_strings(former), old.name, old.port)
		weight > 0
		not _sends_to[[i, service]]
	])
	count(lost) > 0
	names := sort([service | some [service, _] in _sent_to(routes.annotations[i], backend.name, backend.port)])
	not values.is_placeholder(concat("", array.concat(lost, names)))
	at := {"document": i, "path": backend.path}
	found := {
		"route": values.string(object.get(input.documents[i].object, ["metadata", "name"], "")),
		"former": lost[0],
		"former_port": old.port,
		"name": names[0],
		"port": backend.port,
		"action": concat("-to-", [lost[0], names[0]]),
	}
}

# The name and the port of a backend before; null for a port that it lacked.
_reference(manifest, path) := {"name": values.string(object.get(found, last, "")), "port": _port(found)} if {
	found := object.get(manifest, _parent(path), {})
	is_object(found)
	last := path[count(path) - 1]
}

_port(reference) := port if {
	port := object.get(reference, ["port", "number"], object.get(reference, ["port", "name"], null))
	port != null
} else := object.get(reference, "servicePort", null)

_parent(path) := array.slice(path, 0, count(path) - 1)

# What still gets requests keeps its target group, and so does what an action names.
_sends_to contains [backend.document, service] if {
	some backend in routes.backends
	some [service, _] in _sent_to(routes.annotations[backend.document], backend.name, backend.port)
}

# The Services with their weights, of all that a backend sends to: itself, or those in the JSON of an annotation.
_sent_to(annotations, name, "use-annotation") := {[service, weight] |
	action := object.get(annotations, concat("", [_actions, name]), "")
	some [target] in regex.find_all_string_submatch_n(`\{[^{}]*"serviceName"[^{}]*\}`, action, -1)
	some [_, service] in regex.find_all_string_submatch_n(`"serviceName"\s*:\s*"([^"]*)"`, target, 1)
	weight := _weight(regex.find_all_string_submatch_n(`"weight"\s*:\s*(\d{1,3})\b`, target, 1))
}

_sent_to(_, name, port) := {[name, 1] | name != ""} if port != "use-annotation"

_weight([]) := 1

_weight([found]) := to_number(found[1])

_actions := "alb.ingress.kubernetes.io/actions."

_strings(manifest) := values.string_map(object.get(manifest, ["metadata", "annotations"], {}))

_is_alb(i) if {
	input.documents[i].object.kind == "Ingress"
	input.documents[i].object.spec.ingressClassName == "alb"
}

_is_alb(i) if {
	input.documents[i].object.kind == "Ingress"
	some key, value in routes.annotations[i]
	_marks_alb(key, value)
}

_marks_alb(key, _) if startswith(key, "alb.ingress.kubernetes.io/")

_marks_alb("kubernetes.io/ingress.class", "alb")
