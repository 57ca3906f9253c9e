# METADATA
# title: Service sends to a port that no container declares
# description: |
#   A targetPort that is a name is looked up in the containers of each pod that the Service selects, and the API server
#   does not check that it exists. If no container declares it, the Service has no endpoint for that port, and every
#   connection is refused.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
#   description: Names of ports in Services
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   example:
#   - {op: replace, document: 1, path: [spec, ports, 0, targetPort], value: htpp}
package gracegate.rules.reachability["service-target-port-undefined"]

import data.gracegate.lib.containers
import data.gracegate.lib.patches
import data.gracegate.lib.ports
import data.gracegate.lib.probes
import data.gracegate.lib.related_places
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document, undefined_port)} if {
	some at, undefined_port in _undefined
	i := undefined_port.first
	message := text.format(`Service "{}" sends nothing to {} "{}"{}: no container there declares port "{}".`, [
		services.service[at.document].name,
		workloads.kind[i],
		workloads.name[i],
		_others(undefined_port.count - 1),
		undefined_port.name,
	])
}

violation contains {"at": at, "message": message, "level": "warning"} if {
	some at, undeclared in _undeclared
	message := text.format(
		`Service "{}" may send nothing to {} "{}": it sends to port {}, and the only port declared there is {}.`,
		[
			services.service[at.document].name,
			workloads.kind[undeclared.workload],
			workloads.name[undeclared.workload],
			undeclared.number,
			undeclared.port.number,
		],
	)
}

violation contains {"at": at, "message": message, "level": "warning"} if {
	some at, stray in _stray
	i := stray.first
	message := text.format(
		concat(" ", [
			`Service "{}" may send a share of its requests nowhere: it selects {} "{}"{} as well,`,
			"sends to port {}, and the only port declared there is {}.",
		]),
		[
			services.service[at.document].name,
			workloads.kind[i],
			workloads.name[i],
			_others(stray.count - 1),
			stray.number,
			_declared_alone[i].number,
		],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Give the pods that serve this port a label of their own, and add it to the selector."
	some at, _ in _stray
}

fix contains object.union({"at": at}, _fix(at, undefined_port)) if some at, undefined_port in _undefined

fix contains {"at": at, "class": "assumes", "patch": [step], "assumption": assumption} if {
	path := ["spec", "ports", 0, "targetPort"]
	assumption := "The app listens on the port that the container declares."
	some at, undeclared in _undeclared
	step := patches.put(undeclared.keys, path, undeclared.port.target)
}

related contains {"at": at, "places": related_places.objects({undefined_port.first})} if {
	some at, undefined_port in _undefined
}

related contains {"at": at, "places": related_places.objects({stray.first})} if some at, stray in _stray

# A container need not declare its ports, but one that declares another is likely to listen there. A probe of the
# number shows that it does not.
_undeclared := {at: found |
	some s, workloads_of in services.nearest_workloads
	input.documents[s].subject
	count(workloads_of) == 1
	target := _only_number(s)
	declared := _declared_alone[min(workloads_of)]
	declared.number != target
	not target in declared.probed
	at := {"document": s, "path": ["spec", "ports", 0]}
	found := {
		"workload": min(workloads_of),
		"keys": object.keys(input.documents[s].object.spec.ports[0]),
		"number": target,
		"port": declared,
	}
}

# The number that a Service with one port sends to.
_only_number(s) := number if {
	not services.service[s].headless
	count(values.list(object.get(input.documents[s].object.spec, "ports", []))) == 1
	[port] := services.service[s].ports
	port.protocol == "TCP"
	number := values.integer(port.target, 0)
	ports.is_valid_number(number)
}

# The only port that a workload declares, with the ports that the probes and hooks of its container use.
_declared_alone := {i: found |
	some i in services.target_workloads
	declared := [port | some container in containers.long_running[i]; some port in container.ports]
	count(declared) == 1
	declared[0].protocol == "TCP"
	declared[0].number > 0
	probed := {reference.port |
		some container in containers.long_running[i]
		some reference in probes.port_refs(container.spec)
	}
	found := object.union(declared[0], {"probed": probed})
}

# Of several workloads that a Service selects one declares the port, and others plainly serve another one.
_stray := {at: object.union(stray, {"number": number}) |
	some s, lowest in services.representative_service
	input.documents[s].subject
	number := _only_number(s)
	stray := _stray_workloads[[lowest, number]]
	at := {"document": s, "path": ["spec", "ports", 0]}
}

# By representative of the Service and number: how many such workloads there are, and the first of them.
_stray_workloads := {[lowest, number]: {"count": count(found), "first": min(found)} |
	some [lowest, number] in {[lowest, _only_number(s)] | some s, lowest in services.representative_service}
	selected := services.nearest_workloads[lowest]
	count([i | some i in selected; _numbers[i][number]]) > 0
	found := {i |
		some i in selected
		declared := _declared_alone[i]
		declared.number != number
		not number in declared.probed
		not services.is_for_metrics(declared)
	}
	count(found) > 0
}

_undefined := {at: found |
	some s, lowest in services.representative_service
	input.documents[s].subject
	some index, port in _named_ports(s)
	lacking := _lacking[[lowest, port.targetPort, ports.protocol(port)]]
	at := {"document": s, "path": ["spec", "ports", index, "targetPort"]}
	found := object.union(lacking, {
		"name": port.targetPort,
		"port": values.integer(object.get(port, "port", 0), 0),
	})
}

# By representative of the Service, name and protocol: how many workloads lack the port, if it is not all that have it,
# the first of them, and the names and numbers of ports that all of those declare.
_lacking := {[lowest, name, protocol]: found |
	some [lowest, name, protocol] in _sought
	lacking := {i |
		some i in services.nearest_workloads[lowest]
		not _names[i][[name, protocol]]
		not _has_unknown_name[i]
	}
	count(lacking) > 0
	names := intersection({_names[i] | some i in lacking})
	found := {
		"count": count(lacking),
		"in_all": count(lacking) == count(services.nearest_workloads[lowest]),
		"first": min(lacking),
		"protocol": protocol,
		"names": {name | some [name, protocol] in names; name != ""},
		"numbers": intersection({_numbers[i] | some i in lacking}),
	}
}

_sought := {[lowest, port.targetPort, ports.protocol(port)] |
	some s, lowest in services.representative_service
	input.documents[s].subject
	some port in _named_ports(s)
}

# By their index.
_named_ports(s) := {index: port |
	some index, port in values.list(object.get(input.documents[s].object.spec, "ports", []))
	values.string(port.targetPort) != ""
	not values.is_placeholder(port.targetPort)
}

# A patch of the workload may declare it.
_names := {i: found |
	some i in services.target_workloads
	documents := {i} | object.get(workloads.fragments, [[workloads.kind[i], workloads.name[i]]], set())
	found := {[port.name, port.protocol] |
		some d in documents
		some container in containers.long_running[d]
		some port in container.ports
	}
}

_has_unknown_name := {i: true | some i, found in _names; some [name, _] in found; values.is_placeholder(name)}

# Clients of a headless Service get the address of a pod and choose the port themselves.
_level(s, undefined_port) := "info" if {
	services.service[s].headless
} else := "error" if {
	undefined_port.in_all
} else := "warning"

_others(0) := ""

_others(1) := " and one other workload"

_others(more) := text.format(" and {} other workloads", [more]) if more > 1

_fix(at, undefined_port) := {"patch": [_replace(at, to_number(undefined_port.name))]} if {
	regex.match(`^[1-9]\d{0,4}$`, undefined_port.name)
} else := {"patch": [_replace(at, name)]} if {
	name := ports.meant_name(undefined_port.name, undefined_port.names)
} else := {"patch": [step]} if {
	step := _port_name(at, undefined_port)
} else := {"class": "assumes", "patch": [_replace(at, port.target)], "assumption": assumption} if {
	port := _only(undefined_port)
	assumption := "The Service means the only port that the pod declares."
} else := {"class": "assumes", "patch": [_replace(at, undefined_port.port)], "assumption": assumption} if {
	undefined_port.port in undefined_port.numbers
	assumption := "The Service means the container's port with the same number."
} else := {"class": "text", "advice": advice} if {
	advice := "Declare a port with that name in the container that serves it, or use the number that it listens on."
}

_replace(at, port) := {"op": "replace", "path": at.path, "value": port}

_numbers := {i: found |
	some i in services.target_workloads
	found := {port.number | some container in containers.long_running[i]; some port in container.ports}
}

_only(undefined_port) := declared[0] if {
	undefined_port.count == 1
	undefined_port.in_all
	declared := [object.union(port, {"path": container.path}) |
		some container in containers.long_running[undefined_port.first]
		some port in container.ports
		port.protocol == undefined_port.protocol
	]
	count(declared) == 1
}

# A port without a name gets the name that the Service uses.
_port_name(at, undefined_port) := {"op": "add", "path": path, "value": undefined_port.name, "document": i} if {
	port := _only(undefined_port)
	port.name == ""
	i := undefined_port.first
	input.documents[i].path == input.documents[at.document].path
	regex.match(`^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$`, undefined_port.name)
	path := array.concat(port.path, ["ports", port.position, "name"])
}
