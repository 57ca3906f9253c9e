# METADATA
# title: Services
# description: Which Service sends to which workload.
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
service := {s: found |
	some s, document in input.documents
	document.object.kind == "Service"
	document.object.apiVersion == "v1"
	spec := document.object.spec
	is_object(spec.selector)
	count(spec.selector) > 0
	not spec.type == "ExternalName"
	found := {
		"name": values.text(object.get(document.object, ["metadata", "name"], "")),
		"annotations": values.texts(object.get(document.object, ["metadata", "annotations"], {})),
		"selector": spec.selector,
		"type": values.text(object.get(spec, "type", "")),
		"headless": object.get(spec, "clusterIP", "") == "None",
		"publishes_unready": object.get(spec, "publishNotReadyAddresses", false) == true,
		"ports": _ports(s),
	}
}

# METADATA
# title: Services that send to a workload, by document
# description: Those in one of its scopes, with a namespace that agrees.
serving := {i: found |
	some i, selectors in _matching
	found := {s |
		some selector in selectors
		some scope in places.sought[i]
		some s in _located[[selector, scope]]
	}
}

# METADATA
# title: Services elsewhere that may send to a workload, by document
# description: |
#   Empty where one is known to. At most one for each selector, as the same one may stand in a thousand overlays.
perhaps := {i: found |
	some i, selectors in _matching
	found := {s |
		count(serving[i]) == 0
		some selector in selectors
		s := min(_elsewhere[[selector, places.namespace[i] == ""]])
	}
}

# METADATA
# title: Is the workload served? by document
# description: yes, no, or unknown, where a Service elsewhere or one in an unread file may select it.
served := {i: _served(i) | some i, _ in serving}

# METADATA
# title: Services for metrics only
# description: Their ports are all scraped or for profiling, so that no user's request goes through them.
scraped := {s |
	some s, found in service
	count(found.ports) > 0
	every port in found.ports {
		regex.match(`metrics|prometheus|pprof|profiling`, concat(" ", [port.name, values.text(port.target)]))
	}
}

# METADATA
# title: Selectors of Services that select some pod of a manifest, wherever it is
met := {selector | some selectors in _matching; some selector in selectors}

_served(i) := "yes" if {
	count(serving[i]) > 0
} else := "unknown" if {
	count(perhaps[i]) > 0
} else := "unknown" if {
	places.doubtful[i]
} else := "no"

_ports(s) := [described |
	is_array(input.documents[s].object.spec.ports)
	some port in input.documents[s].object.spec.ports
	is_object(port)
	described := {
		"name": values.text(object.get(port, "name", "")),
		"protocol": containers.protocol(port),
		"target": _target(port),
	}
]

# 0 and "" mean the Service's own port, like null and absence.
_target(port) := port.targetPort if {
	not object.get(port, "targetPort", null) in {0, "", null}
} else := object.get(port, "port", 0)

_selectors := {found.selector | some found in service}

_sharing := values.grouped({[[key, value], selector] | some selector in _selectors; some key, value in selector})

# A selector is looked up by the one of its pairs that the fewest selectors share: `part-of: shop` stands in all of
# them.
_by_pair := values.grouped({[[rarest[1], rarest[2]], selector] |
	some selector in _selectors
	rarest := min([[count(_sharing[[key, value]]), key, value] | some key, value in selector])
})

_matching := {i: found |
	some i, pod in workloads.pod
	found := {selector |
		some key, value in pod.labels
		some selector in _by_pair[[key, value]]
		every wanted, given in selector {
			pod.labels[wanted] == given
		}
	}
}

_located := values.grouped({[[found.selector, scope], s] | some s, found in service; some scope in places.offered[s]})

# By selector, and whether it may be in any namespace: one that names none may be meant for every workload.
_elsewhere := values.grouped({[[found.selector, any_namespace], s] |
	some s, found in service
	some any_namespace in {true, places.namespace[s] != ""}
})
