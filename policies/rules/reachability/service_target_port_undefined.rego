# METADATA
# title: Service sends to a port that no container declares
# description: |
#   A targetPort that is a name is looked up in the containers of each pod that the Service selects, and the API server
#   does not look whether it is there. Where no container declares it the Service has no endpoint for that port, and
#   every connection is refused.
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
import data.gracegate.lib.fragments
import data.gracegate.lib.selected
import data.gracegate.lib.services
import data.gracegate.lib.spelling
import data.gracegate.lib.texts
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document, dangling)} if {
	some at, dangling in _dangling
	i := min(dangling.lacking)
	message := texts.filled(`Service "{}" sends nothing to {} "{}"{}: no container there declares a port "{}".`, [
		services.service[at.document].name,
		workloads.kind[i],
		workloads.name[i],
		_others(count(dangling.lacking) - 1),
		dangling.name,
	])
}

fix[at] := _fix(at, dangling) if some at, dangling in _dangling

_dangling := {at: found |
	some s, workloads_of in selected.near
	input.documents[s].subject
	some position, port in values.list(object.get(input.documents[s].object.spec, "ports", []))
	name := values.text(port.targetPort)
	name != ""
	not values.is_variable(name)
	protocol := containers.protocol(port)
	lacking := {i | some i in workloads_of; not _names[i][[name, protocol]]}
	count(lacking) > 0
	at := {"document": s, "path": ["spec", "ports", position, "targetPort"]}
	found := {
		"name": name,
		"protocol": protocol,
		"port": values.whole(object.get(port, "port", 0), 0),
		"lacking": lacking,
		"all": count(lacking) == count(workloads_of),
	}
}

# A patch of the workload may declare it.
_names := {i: found |
	some i in selected.sent
	documents := {i} | object.get(fragments.of, [[workloads.kind[i], workloads.name[i]]], set())
	found := {[port.name, port.protocol] |
		some d in documents
		some container in containers.running[d]
		some port in container.ports
	}
}

# Clients of a headless Service get the address of a pod and choose the port themselves.
_level(s, dangling) := "info" if {
	services.service[s].headless
} else := "error" if {
	dangling.all
} else := "warning"

_others(0) := ""

_others(1) := " and one other workload"

_others(more) := texts.filled(" and {} other workloads", [more]) if more > 1

_fix(at, dangling) := {"patch": [_replace(at, to_number(dangling.name))]} if {
	regex.match(`^[1-9]\d{0,4}$`, dangling.name)
} else := {"patch": [_replace(at, name)]} if {
	name := spelling.nearest(dangling.name, _common(dangling))
} else := {"patch": [step]} if {
	step := _naming(at, dangling)
} else := {"class": "assumes", "patch": [_replace(at, port.target)], "assumption": assumption} if {
	port := _only(dangling)
	assumption := "It means the only port that the pod declares."
} else := {"class": "assumes", "patch": [_replace(at, dangling.port)], "assumption": assumption} if {
	every i in dangling.lacking {
		_numbers[i][dangling.port]
	}
	assumption := "It means the container's port of the same number."
} else := {"class": "text", "advice": advice} if {
	advice := "Declare a port of that name in the container that serves it, or write the number that it listens on."
}

_replace(at, port) := {"op": "replace", "path": at.path, "value": port}

# Names that all of the workloads know.
_common(dangling) := {name |
	some [name, protocol] in _names[min(dangling.lacking)]
	protocol == dangling.protocol
	name != ""
	every i in dangling.lacking {
		_names[i][[name, protocol]]
	}
}

_numbers := {i: found |
	some i in selected.sent
	found := {port.number: true | some container in containers.running[i]; some port in container.ports}
}

_only(dangling) := ports[0] if {
	count(dangling.lacking) == 1
	dangling.all
	ports := [object.union(port, {"path": container.path}) |
		some container in containers.running[min(dangling.lacking)]
		some port in container.ports
		port.protocol == dangling.protocol
	]
	count(ports) == 1
}

# A port without a name gets the one that is sent to.
_naming(at, dangling) := {"op": "add", "path": path, "value": dangling.name, "document": i} if {
	port := _only(dangling)
	port.name == ""
	i := min(dangling.lacking)
	input.documents[i].path == input.documents[at.document].path
	regex.match(`^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$`, dangling.name)
	path := array.concat(port.path, ["ports", port.position, "name"])
}
