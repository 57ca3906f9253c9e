# METADATA
# title: Service stops sending to the pods that still run
# description: |
#   The change gives new labels or ports to the pods and to the Service that sends to them. A Service changes at once,
#   but pods only as the rollout replaces them. Until the first new pod is ready, the Service has nothing to send to,
#   and every request fails, although each of the two states is fine by itself.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service
#   description: A Service sends to the pods that its selector matches now
# - ref: https://github.com/envoyproxy/gateway/issues/7309
#   description: A downtime by a changed selector
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   before:
#   - {op: add, path: [spec, template, metadata, labels, release], value: v1}
#   - {op: add, document: 1, path: [spec, selector, release], value: v1}
#   example:
#   - {op: add, path: [spec, template, metadata, labels, release], value: v2}
#   - {op: add, document: 1, path: [spec, selector, release], value: v2}
package gracegate.rules.change["service-drops-old-pods"]

import data.gracegate.lib.before
import data.gracegate.lib.containers
import data.gracegate.lib.immutable_fields
import data.gracegate.lib.joins
import data.gracegate.lib.patches
import data.gracegate.lib.ports
import data.gracegate.lib.related_places
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document, drop)} if {
	some at, drop in _unselected
	message := text.format(`Service "{}" {}: its selector now asks for "{}", which only new pods have.`, [
		services.service[at.document].name,
		_loss(drop),
		_pairs(services.service[at.document].selector, _lacking(at.document, drop.first)),
	])
}

violation contains {"at": at, "message": message, "level": _level(at.document, drop)} if {
	some at, drop in _unserved
	message := text.format(`Service "{}" {}: it now sends to port "{}", which only new pods declare.`, [
		services.service[at.document].name,
		_loss(drop),
		drop.move.new,
	])
}

fix contains {"at": at, "patch": patch, "advice": advice} if {
	some at, patch in _bridge_patch
	selector := services.service[at.document].selector
	advice := text.format(
		`Let the Service select what old and new pods have in common, and add "{}" in another change, after this rollout.`,
		[_pairs(selector, sort(object.keys(selector) - object.keys(_bridge[_lowest[at.document]])))],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, drop in _unselected
	not _bridge[_lowest[at.document]]
	advice := _advice(at.document, drop.first)
}

fix contains {"at": at, "patch": [step], "advice": advice} if {
	some at, drop in _unserved
	port := _common_port(drop)
	step := patches.put(drop.move.keys, ["spec", "ports", drop.move.index, "targetPort"], port)
	advice := text.format(`Old and new pods both have port "{}".`, [port])
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Give the port one name in the containers, and let the Service send to that name, in a change before this one:",
		"then each pod gets its requests on its own number.",
	])
	some at, drop in _unserved
	not _common_port(drop)
}

steps contains {"at": at, "steps": [
	{"title": first, "patch": patch},
	{"title": text.format(`Service "{}" selects only new pods: no old one runs any more.`, [name])},
]} if {
	some at, patch in _bridge_patch
	name := services.service[at.document].name
	bridge := _bridge[_lowest[at.document]]
	first := text.format(
		`Service "{}" selects old and new pods, by "{}" alone.`,
		[name, _pairs(bridge, sort(object.keys(bridge)))],
	)
}

# A name that old and new pods have for the port: by it the Service reaches each on its own number.
steps contains {"at": at, "steps": array.concat(array.concat(named, [switched]), array.concat(moved, [last]))} if {
	some at, sides in _port_sides
	drop := [drop | some place, drop in _unserved; place == at][0]
	name := _name_for_both(sides)
	not _is_other_port(drop.first, sides, name)
	words := [workloads.kind[drop.first], workloads.name[drop.first]]
	old := {"former": before.number[drop.first], "patch": [{"op": "add", "path": sides[0].path, "value": name} |
		sides[0].name == ""
	]}
	to_name := [patches.put(drop.move.keys, ["spec", "ports", drop.move.index, "targetPort"], name) |
		drop.move.new != name
	]
	name_new := [{"op": "add", "document": drop.first, "path": sides[1].path, "value": name} | sides[1].name == ""]
	named := [{"title": title, "instead": [old], "restored": [before.number[at.document]]} |
		sides[0].name == ""
		title := text.format(`Pods of {} "{}" call their port "{}".`, array.concat(words, [name]))
	]
	switched := {
		"title": text.format(`Service "{}" sends to port "{}".`, [services.service[at.document].name, name]),
		"patch": to_name,
		"instead": [old],
	}
	new_number := text.format(`New pods of {} "{}" have the port under its new number.`, words)
	moved := [{"title": new_number, "patch": array.concat(to_name, name_new)} | count(to_name) > 0]
	last := {"title": _last_title(at.document, drop.move.new, new_number, count(to_name))}
}

# New pods get what the old selector asks for, if they lack it, until the Service has left that selector.
steps contains {"at": at, "steps": array.concat(first, array.concat(second, [{"title": last}]))} if {
	some at, drop in _unselected
	not _bridge[_lowest[at.document]]
	drop.count == 1
	former := before.same_object[at.document].spec.selector
	_may_have(drop.first, former)
	added := _label_patch(drop.first, former)
	selector := services.service[at.document].selector
	names := [services.service[at.document].name, workloads.kind[drop.first], workloads.name[drop.first]]
	first := [{
		"title": text.format(
			`Service "{}" still selects by "{}", while pods of {} "{}" get the new labels.`,
			[names[0], _pairs(former, sort(object.keys(former))), names[1], names[2]],
		),
		"patch": array.concat(added, _selector_patch(at, selector, former)),
	}]
	second := [{"title": title, "patch": added} |
		count(added) > 0
		title := text.format(`Service "{}" selects by the new labels: all pods of {} "{}" have them and the old ones.`, names)
	]
	last := text.format(
		`Service "{}" selects by "{}", and nothing needs the old labels any more.`,
		[names[0], _pairs(selector, sort(object.keys(selector)))],
	)
}

steps contains {"at": at, "steps": [{"title": first, "patch": [step]}, {"title": last}]} if {
	some at, drop in _unserved
	port := _common_port(drop)
	name := services.service[at.document].name
	first := text.format(`Service "{}" sends to port "{}", which old and new pods have.`, [name, port])
	step := patches.put(drop.move.keys, ["spec", "ports", drop.move.index, "targetPort"], port)
	last := text.format(`Service "{}" sends to port "{}": no old pod runs any more.`, [name, drop.move.new])
}

_last_title(_, _, new_number, 0) := new_number

_last_title(s, port, _, 1) := text.format(
	`Service "{}" sends to port "{}": no old pod runs any more.`,
	[services.service[s].name, port],
)

# Where old and new pods of the only workload have the port, if they have no name or number of it in common.
_port_sides := {at: sides |
	some at, drop in _unserved
	drop.is_all
	drop.count == 1
	not _common_port(drop)
	pods := [[before.pod[drop.first].spec, drop.move.old], [workloads.pod[drop.first].spec, drop.move.new]]
	found := [[side, {"path": path, "name": port.name}] |
		some side, [spec, target] in pods
		some c, container in spec.containers
		some port in ports.declared_by(container)
		port.protocol == drop.move.protocol
		target in [port.name, port.number]
		path := array.concat(workloads.pod[drop.first].path, ["containers", c, "ports", port.position, "name"])
	]
	[side | some [side, _] in found] == [0, 1]
	sides := [place | some [_, place] in found]
}

_name_for_both(sides) := sides[0].name if {
	sides[1].name == ""
	sides[0].name != ""
} else := sides[1].name if {
	sides[0].name == ""
	sides[1].name != ""
} else := "app" if {
	sides[0].name == ""
}

_is_other_port(i, sides, name) if {
	not name in [sides[0].name, sides[1].name]
	some port in array.concat(before.container_ports[i], _ports[i])
	port.name == name
}

# Whether pods with the new labels can have these too.
_may_have(i, pairs) if {
	every key, value in pairs {
		object.get(workloads.pod[i].labels, key, value) == value
	}
}

_label_patch(i, pairs) := [{"op": "add", "document": i, "path": path, "value": pairs[key]} |
	some key in sort(object.keys(pairs))
	not workloads.pod[i].labels[key]
	path := array.concat(_template_labels(i), [key])
]

# Beside the spec of the pods.
_template_labels(i) := array.concat(
	array.slice(workloads.pod[i].path, 0, count(workloads.pod[i].path) - 1),
	["metadata", "labels"],
)

# What makes other pairs of the selector: additions first, so that it is never empty.
_selector_patch(at, selector, pairs) := array.concat(
	[patches.put(object.keys(selector), array.concat(at.path, [key]), pairs[key]) |
		some key in sort(object.keys(pairs))
		object.get(selector, key, null) != pairs[key]
	],
	[{"op": "remove", "path": array.concat(at.path, [key])} |
		some key in sort(object.keys(selector) - object.keys(pairs))
	],
)

_level(s, drop) := "info" if {
	services.metrics_only[s]
} else := "warning" if {
	not drop.is_all
} else := "error"

_loss(drop) := text.format(`refuses every request until a new pod of {} "{}"{} is ready`, _workloads(drop)) if {
	drop.is_all
} else := text.format(`loses the running pods of {} "{}"{} at once`, _workloads(drop))

_workloads(drop) := [workloads.kind[drop.first], workloads.name[drop.first], _others(drop.count - 1)]

_others(0) := ""

_others(1) := " or another workload"

_others(more) := text.format(" or {} other workloads", [more]) if more > 1

# The keys of the selector that a pod of the workload lacks while it still runs.
_lacking(s, i) := sort([key |
	some key, value in services.service[s].selector
	object.get(_labels(i), key, "") != value
])

_pairs(selector, keys) := concat(", ", [concat("=", [key, selector[key]]) | some key in keys])

_advice(s, i) := text.format(
	concat(" ", [
		`No pod can have both values of "{}". Run a second workload with the new labels beside this one,`,
		"and change the selector when its pods are ready.",
	]),
	[taken[0]],
) if {
	taken := [key | some key in _lacking(s, i); _labels(i)[key]]
	count(taken) > 0
} else := concat(" ", [
	"Give the pods the new labels in a change before this one,",
	"and change the selector when all of them have been replaced.",
])

related contains {"at": at, "places": drop.places} if {
	some at, drop in object.union(_unselected, _unserved)
}

_unselected := {at: _drop[lowest] |
	some s, lowest in _lowest
	_drop[lowest]
	at := {"document": s, "path": ["spec", "selector"]}
}

_unserved := {at: drop |
	some s, lowest in _lowest
	some drop in _port_drops[lowest]
	move := drop.move
	at := {"document": s, "path": array.concat(["spec", "ports", move.index], ["targetPort" | "targetPort" in move.keys])}
}

# Once for all Services that select alike: how many workloads lose their requests, the first of them, and whether these
# are all.
_drop := {s: _summary(dropped, _kept[s]) | some s, dropped in _dropped; count(dropped) > 0}

_port_drops := {s: found |
	some s, moves in _moves
	found := {drop |
		some move in moves
		dropped := {i | some i in _kept[s]; _loses_port(i, move)}
		count(dropped) > 0
		drop := object.union(_summary(dropped, _kept[s] - dropped), {
			"move": move,
			"ports": intersection({_shared(i, move) | some i in dropped}),
		})
	}
}

_summary(dropped, kept) := {
	"count": count(dropped),
	"first": min(dropped),
	"is_all": count(kept) == 0,
	"places": related_places.objects(dropped),
}

# Of the changed Services that select the same in the same way, before and now, the lowest document.
_lowest := joins.representatives({s: key |
	some s, former in before.same_object
	input.documents[s].subject
	is_object(former.spec)
	spec := input.documents[s].object.spec
	every value in spec.selector {
		not values.is_placeholder(value)
	}
	old_and_new := [object.get(of, "ports", null) | some of in [former.spec, spec]]
	key := concat("\n", array.concat(
		[text.number(services.representative_service[s]), _labels_text(former.spec.selector), _labels_text(spec.selector)],
		[json.marshal(old_and_new) | old_and_new[0] != old_and_new[1]],
	))
})

# Wasm is slow with objects as keys.
_labels_text(selector) := concat(",", sort([concat("=", [key, value]) |
	some key, value in values.string_map(selector)
]))

# A workload whose update is refused keeps its pods, and the rule immutable-field-changed speaks of them.
_selected := {s: found |
	some s in {lowest | some lowest in _lowest}
	found := {i |
		some i in services.nearest_workloads[s]
		before.is_running(i)
		not immutable_fields.refused[i]
	}
}

# Those of which the Service still selects the pods that run when it changes.
_kept := {s: found |
	some s, selected in _selected
	found := {i | some i in selected; before.selects(services.service[s].selector, _labels(i))}
}

_dropped := {s: found |
	some s, selected in _selected
	former := before.same_object[s].spec.selector
	found := {i | some i in (selected - _kept[s]); before.selects(former, _labels(i))}
}

# Of the pods that run when the change is applied.
_labels(i) := before.pod[i].labels

_labels(i) := workloads.pod[i].labels if not before.pod[i]

# The ports of a Service that now send elsewhere. A Service keeps a port if its name or its number is the same.
_moves := {s: found |
	some s in {lowest | some lowest in _lowest}
	not services.service[s].headless
	found := {move |
		some index, port in values.list(object.get(input.documents[s].object.spec, "ports", []))
		is_object(port)
		some former in values.list(object.get(before.same_object[s].spec, "ports", []))
		is_object(former)
		_is_same_port(former, port)
		move := {
			"index": index,
			"keys": object.keys(port),
			"protocol": ports.protocol(port),
			"old": services.target(former),
			"new": services.target(port),
		}
		move.old != move.new
	}
}

_is_same_port(former, port) if {
	ports.protocol(former) == ports.protocol(port)
	_port_key(former, port) == _port_key(port, former)
}

# By the number where one of them has no name.
_port_key(port, other) := port.name if {
	values.string(object.get(port, "name", "")) != ""
	values.string(object.get(other, "name", "")) != ""
} else := object.get(port, "port", 0)

# The pods that run served the old target and do not declare the new one, and those that come do.
_loses_port(i, move) if {
	every port in before.container_ports[i] {
		not values.is_placeholder(port.name)
	}
	_declares(before.container_ports[i], move.old, move.protocol)
	not _declares(before.container_ports[i], move.new, move.protocol)
	_declares(_ports[i], move.new, move.protocol)
}

_declares(declared, target, protocol) if {
	some port in declared
	port.protocol == protocol
	target in [port.name, port.number]
}

_ports := {i: found |
	some i, _ in before.pod
	found := [port | some container in containers.long_running[i]; some port in container.ports]
}

# A name or number by which old and new pods both have the port. Undefined if one of the workloads has none.
_common_port(drop) := sort(drop.ports)[0] if drop.is_all

_shared(i, move) := {target |
	some old in before.container_ports[i]
	move.old in [old.name, old.number]
	some new in _ports[i]
	move.new in [new.name, new.number]
	some target in ({old.name, old.number} & {new.name, new.number})
	not target in {"", 0}
}

# The pairs of a selector that old and new pods have and no other ones: what the selector had before too, or that of the
# only workload.
_bridge := {s: found[0] |
	some s, options in _bridge_options
	found := [pairs | some pairs in options; _selects_no_others(s, pairs)]
}

_bridge_options := {s: [pairs | some pairs in array.concat([common], own); count(pairs) > 0] |
	some s, dropped in _dropped
	count(dropped) > 0
	former := before.same_object[s].spec.selector
	common := {key: value | some key, value in services.service[s].selector; former[key] == value}
	own := [pairs |
		some i in dropped
		count(dropped) + count(_kept[s]) == 1
		pairs := values.string_map(object.get(input.documents[i].object, ["spec", "selector", "matchLabels"], {}))
		before.selects(pairs, _labels(i))
		before.selects(pairs, workloads.pod[i].labels)
	]
}

_bridge_patch := {at: patch |
	some at, _ in _unselected
	patch := _selector_patch(at, services.service[at.document].selector, _bridge[_lowest[at.document]])
}

_selects_no_others(s, pairs) if {
	every i in _candidates(pairs) {
		_is_no_other(s, pairs, i)
	}
}

_is_no_other(_, common, i) if not before.selects(common, workloads.pod[i].labels)

_is_no_other(s, _, i) if before.selects(services.service[s].selector, workloads.pod[i].labels)

_is_no_other(s, _, i) if count(joins.search_scopes[i] & joins.index_scopes[s]) == 0

# The workloads with the one of the pairs that the fewest have.
_candidates(pairs) := object.get(_by_pair, [[rarest[1], rarest[2]]], set()) if {
	rarest := min([[count(object.get(_by_pair, [[key, value]], set())), key, value] | some key, value in pairs])
}

_by_pair := values.groups([[[key, value], i] |
	some i, pod in workloads.pod
	some key, value in pod.labels
	_pairs_in_common[[key, value]]
])

_pairs_in_common := {[key, value] | some options in _bridge_options; some pairs in options; some key, value in pairs}
