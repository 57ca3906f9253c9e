# METADATA
# title: Services
# description: Which Service sends to which workload and to which of its containers.
# schemas:
# - input: schema.input
package gracegate.lib.services

import data.gracegate.lib.containers
import data.gracegate.lib.places
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Service by document
# description: Core Services that select pods; one without selector, or an ExternalName, sends to none.
service[i] := {
	"name": values.text(object.get(manifest, ["metadata", "name"], "")),
	"selector": manifest.spec.selector,
	"ports": _ports[i],
	"annotations": values.texts(object.get(manifest, ["metadata", "annotations"], {})),
	"type": values.text(object.get(manifest, ["spec", "type"], "")),
	"headless": i in _headless,
	"publishes_unready": i in _publishes_unready,
} if {
	some i in _selecting
	manifest := input.documents[i].object
}

# METADATA
# title: Services that send to a workload, by document
# description: Those in one of its scopes, with a namespace that agrees.
serving[i] := {s |
	some selector in _matching[i]
	some scope in places.scopes[i]
	some s in _located[[selector, scope]]
	places.agree(places.namespace[i], places.namespace[s])
} if {
	some i, _ in workloads.pod
}

# METADATA
# title: Services elsewhere that may send to a workload, by document
# description: Empty where one is known to. At most one for each selector, as the same one may stand in a thousand overlays.
perhaps[i] := {s |
	count(serving[i]) == 0
	some selector in _matching[i]
	s := _elsewhere[[selector, _reach[i]]][0]
} if {
	some i, _ in workloads.pod
}

# METADATA
# title: Is the workload served? by document
# description: yes, no, or unknown, where a Service elsewhere or one in an unread file may select it.
served[i] := "yes" if {
	some i, found in serving
	count(found) > 0
}

served[i] := "unknown" if {
	some i, found in serving
	count(found) == 0
	_undecided(i)
}

served[i] := "no" if {
	some i, found in serving
	count(found) == 0
	not _undecided(i)
}

# METADATA
# title: Is it for metrics only? by Service
# description: A Service whose ports are all scraped, so that no user's request goes through it.
scraped contains s if {
	some s, found in service
	count(found.ports) > 0
	every port in found.ports {
		regex.match(`metrics|prometheus`, concat(" ", [port.name, values.text(port.target)]))
	}
}

_undecided(i) if count(perhaps[i]) > 0

_undecided(i) if i in places.doubtful

_selecting contains s if {
	some s, document in input.documents
	document.object.kind == "Service"
	document.object.apiVersion == "v1"
	is_object(document.object.spec.selector)
	count(document.object.spec.selector) > 0
	not document.object.spec.type == "ExternalName"
}

_headless contains s if {
	some s in _selecting
	input.documents[s].object.spec.clusterIP == "None"
}

_publishes_unready contains s if {
	some s in _selecting
	input.documents[s].object.spec.publishNotReadyAddresses == true
}

_ports[s] := [described |
	is_array(input.documents[s].object.spec.ports)
	some port in input.documents[s].object.spec.ports
	is_object(port)
	described := {
		"name": values.text(object.get(port, "name", "")),
		"protocol": containers.protocol(port),
		"target": _target(port),
	}
] if {
	some s in _selecting
}

# 0 and "" mean the Service's own port, like null and absence.
_target(port) := port.targetPort if {
	port.targetPort
	not port.targetPort in {0, "", null}
} else := object.get(port, "port", 0)

# A selector is looked up by the one of its pairs that the fewest selectors share: `part-of: shop` stands in all of them.
_selectors := {service[s].selector | some s, _ in service}

_sharing := values.grouped({[[key, value], selector] | some selector in _selectors; some key, value in selector})

_by_pair := values.grouped({[[rarest[1], rarest[2]], selector] |
	some selector in _selectors
	rarest := min([[count(_sharing[[key, value]]), key, value] | some key, value in selector])
})

_matching[i] := {selector |
	some key, value in pod.labels
	some selector in _by_pair[[key, value]]
	every wanted, given in selector {
		pod.labels[wanted] == given
	}
} if {
	some i, pod in workloads.pod
}

_located := values.grouped({[[found.selector, scope], s] | some s, found in service; some scope in places.scopes[s]})

_elsewhere := values.grouped(_anywhere | {[[found.selector, "no namespace"], s] |
	some s, found in service
	places.namespace[s] == ""
})

_anywhere := {[[found.selector, "any namespace"], s] | some s, found in service}

_reach[i] := "any namespace" if {
	some i, _ in workloads.pod
	places.namespace[i] == ""
}

_reach[i] := "no namespace" if {
	some i, _ in workloads.pod
	places.namespace[i] != ""
}
