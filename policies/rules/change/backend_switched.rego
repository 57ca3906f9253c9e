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

_switched := {at: found |
	some backend in routes.backends
	i := backend.document
	input.documents[i].subject
	former := before.same_object[i]
	_is_alb(i)
	name := values.string(object.get(former, backend.path, ""))
	not name in {"", backend.name}
	not values.is_placeholder(concat("", [name, backend.name]))
	not _sends_to[[i, name]]
	at := {"document": i, "path": backend.path}
	found := {
		"route": values.string(object.get(input.documents[i].object, ["metadata", "name"], "")),
		"former": name,
		"name": backend.name,
	}
}

# What another path still sends to keeps its target group.
_sends_to contains [backend.document, backend.name] if some backend in routes.backends

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
