# METADATA
# title: Service gives up its load balancer and its address
# description: |
#   The load balancer of a Service is made for its type, its scheme and its class. If one of them changes, the cloud
#   deletes it and makes another one, with another address, or none. Until that one is ready and all clients and DNS
#   caches know it, requests to the old address fail.
# related_resources:
# - ref: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
#   description: What may change in a Service of the AWS Load Balancer Controller
# - ref: https://github.com/kubernetes/kubernetes/issues/66306
#   description: A load balancer that was replaced
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: text
#   exceptions:
#   - Nobody uses the address of the load balancer any more.
#   before:
#   - {op: add, document: 1, path: [spec, type], value: LoadBalancer}
#   example:
#   - op: add
#     document: 1
#     path: [metadata, annotations]
#     value: {service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing}
package gracegate.rules.change["load-balancer-replaced"]

import data.gracegate.lib.before
import data.gracegate.lib.second_services
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.values

# Whoever takes the type away mostly knows that the address goes with it: read in public pull requests, it was seldom
# news.
violation contains {"at": at, "message": message, "level": "info"} if {
	some at, type in _given_up
	message := text.format(
		`Requests to the address of Service "{}" fail: its load balancer is deleted, as the type is now "{}".`,
		[_name(at.document), type],
	)
}

violation contains {"at": at, "message": message} if {
	some at, changed in _replaced
	message := text.format(
		concat(" ", [
			`Requests to the address of Service "{}" fail until clients know a new one:`,
			`another load balancer takes over, as "{}" is now "{}" and was "{}".`,
		]),
		[_name(at.document), changed.key, changed.new, changed.old],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Add a second Service with the new settings, let DNS and the clients move to its address,",
		"and change this one when nothing comes in any more.",
	])
	some at, _ in _replaced
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Change the type when nothing comes in at the address any more."
	some at, _ in _given_up
}

steps contains {"at": at, "steps": [
	{
		"title": text.format(`Service "{}" keeps its load balancer while the rest of this is applied.`, [name]),
		"restored": [before.number[at.document]],
	},
	{
		"title": text.format(`Service "{}" gives up its load balancer.`, [name]),
		"by_hand": text.format(
			`Let all clients leave the address of Service "{}", and wait until nothing comes in there any more.`,
			[name],
		),
	},
]} if {
	some at, _ in _given_up
	name := _name(at.document)
}

steps contains {"at": at, "steps": [
	{
		"title": text.format(`Service "{}" gets a load balancer of the new kind beside that of "{}".`, [second.name, name]),
		"restored": [before.number[at.document]],
		"copies": [second.copy],
	},
	{
		"title": text.format(`Service "{}" gets its new load balancer.`, [name]),
		"by_hand": text.format(_to_second, [second.name, name]),
		"copies": [second.copy],
	},
	{
		"title": text.format(`Service "{}" goes.`, [second.name]),
		"by_hand": text.format(_to_second, [name, second.name]),
	},
]} if {
	some at, _ in _replaced
	name := _name(at.document)
	second := second_services.copy[at.document]
}

_to_second := concat(" ", [
	`Let DNS and all clients move to the address of Service "{}",`,
	`and wait until nothing comes in at that of "{}" any more.`,
])

_given_up := {at: type |
	some i, type in _type
	type != "LoadBalancer"
	not _has_successor(i, "old")
	at := {"document": i, "path": array.concat(["spec"], ["type" | input.documents[i].object.spec.type])}
}

# One annotation for each Service, the first.
_replaced := {at: found |
	some i, "LoadBalancer" in _type
	not _has_successor(i, "new")
	changed := sort([key | some key in _keys(i); _value(_annotations[i].old, key) != _value(_annotations[i].new, key)])
	count(changed) > 0
	key := changed[0]
	at := {"document": i, "path": array.concat(["metadata"], [part |
		_annotations[i].new[key]
		some part in ["annotations", key]
	])}
	found := {"key": key, "old": _value(_annotations[i].old, key), "new": _value(_annotations[i].new, key)}
}

# A load balancer for the same pods that was there before and stays, with the settings that this one had or gets:
# clients had one to move to.
_has_successor(i, side) if {
	some s in second_services.steady_balancers[second_services.pods_of[i]]
	annotations := services.service[s].annotations
	every key in _keys(i) | {key | some key, _ in annotations; regex.match(_decisive, key)} {
		_value(annotations, key) == _value(_annotations[i][side], key)
	}
}

# The types now of Services that had a load balancer.
_type := {i: type |
	some i, former in before.same_object
	input.documents[i].subject
	input.documents[i].object.kind == "Service"
	input.documents[i].object.apiVersion == "v1"
	former.spec.type == "LoadBalancer"
	spec := input.documents[i].object.spec
	is_object(spec)
	type := _type_of(values.string(object.get(spec, "type", "")))
	not values.is_placeholder(type)
}

_type_of("") := "ClusterIP"

_type_of(type) := type if type != ""

_annotations := {i: {"old": _strings(before.same_object[i]), "new": _strings(input.documents[i].object)} |
	some i, _ in _type
}

_strings(manifest) := values.string_map(object.get(manifest, ["metadata", "annotations"], {}))

# The annotations by which AWS, Azure and Google Cloud decide which load balancer to make.
_keys(i) := {key |
	some side in ["old", "new"]
	some key, value in _annotations[i][side]
	regex.match(_decisive, key)
	not values.is_placeholder(value)
}

_decisive := concat("", [
	`^(service\.beta\.kubernetes\.io/(aws-load-balancer-(internal|scheme|type)|azure-load-balancer-internal)|`,
	`(networking|cloud)\.(gke\.io|google\.com)/load-balancer-type)$`,
])

_value(annotations, key) := object.get(annotations, key, object.get(_defaults, key, "unset"))

_defaults := {
	"service.beta.kubernetes.io/aws-load-balancer-internal": "false",
	"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
	"service.beta.kubernetes.io/azure-load-balancer-internal": "false",
}

_name(i) := values.string(object.get(input.documents[i].object, ["metadata", "name"], ""))
