# METADATA
# title: Services
# description: Which Service selects which workload.
# schemas:
# - input: schema.input
package gracegate.lib.services

import data.gracegate.lib.joins
import data.gracegate.lib.ports
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Service by document
# description: |
#   Core Services that select pods, not one without selector or an ExternalName: `name`, `annotations`, `selector`,
#   `type`, `headless`, `publishes_unready` and `ports`, each with `name`, `protocol` and `target`.
service := {s: found |
	some s, document in input.documents
	document.object.kind == "Service"
	document.object.apiVersion == "v1"
	spec := document.object.spec
	is_object(spec.selector)
	count(spec.selector) > 0
	not spec.type == "ExternalName"
	found := {
		"name": values.string(object.get(document.object, ["metadata", "name"], "")),
		"annotations": values.string_map(object.get(document.object, ["metadata", "annotations"], {})),
		"selector": spec.selector,
		"type": values.string(object.get(spec, "type", "")),
		"headless": object.get(spec, "clusterIP", "") == "None",
		"publishes_unready": object.get(spec, "publishNotReadyAddresses", false) == true,
		"ports": _ports(s),
	}
}

# METADATA
# title: Services by workload
# description: |
#   By document of the workload, the Services in one of its scopes that select it, with a namespace that agrees.
by_workload := {i: found |
	some i, selectors in _matching
	found := {s |
		some selector in selectors
		some scope in joins.search_scopes[i]
		some s in _by_scope[[selector, scope]]
	}
}

# METADATA
# title: Possible Services by workload
# description: |
#   By document of the workload, Services elsewhere that may select it; empty if one in its scopes does. At most one for
#   each selector, as the same Service may be in a thousand overlays.
possible_by_workload := {i: found |
	some i, selectors in _matching
	found := {s |
		count(by_workload[i]) == 0
		some selector in selectors
		s := min(_elsewhere[[selector, joins.namespace[i] == ""]])
	}
}

# METADATA
# title: Is a workload served?
# description: By document, "yes", "no", or "unknown" if a Service elsewhere or one in an unread file may select it.
served_status := {i: _served_status(i) | some i, _ in by_workload}

# METADATA
# title: Services for metrics only
# description: A set of documents. All ports are scraped or for profiling, so no user's request goes through them.
metrics_only := {s |
	some s, found in service
	count(found.ports) > 0
	every port in found.ports {
		regex.match(`metrics|prometheus|pprof|profiling`, concat(" ", [port.name, values.string(port.target)]))
	}
}

# METADATA
# title: Matching selectors
# description: A set of the selectors of Services that match the pods of some workload, wherever it is.
matching_selectors := {selector | some selectors in _matching; some selector in selectors}

# METADATA
# title: Nearest workloads by Service
# description: |
#   By document of the Service, the workloads that it selects, those nearest to it only. Without batch kinds, whose pods
#   are selected by accident, and without fragments.
nearest_workloads := {s: joins.nearest(s, found) | some s, found in _workloads}

# METADATA
# title: Target workloads
# description: A set of the documents that are in `nearest_workloads` of some Service.
target_workloads := {i | some found in nearest_workloads; some i in found}

_workloads := values.groups({[s, i] |
	some i, found in by_workload
	not workloads.kind[i] in {"CronJob", "Job"}
	not input.documents[i].fragment
	some s in found
})

_served_status(i) := "yes" if {
	count(by_workload[i]) > 0
} else := "unknown" if {
	count(possible_by_workload[i]) > 0
} else := "unknown" if {
	joins.near_unread_files[i]
} else := "no"

_ports(s) := [described |
	is_array(input.documents[s].object.spec.ports)
	some port in input.documents[s].object.spec.ports
	is_object(port)
	described := {
		"name": values.string(object.get(port, "name", "")),
		"protocol": ports.protocol(port),
		"target": _target(port),
	}
]

# 0 and "" mean the Service's own port, like null and absence.
_target(port) := port.targetPort if {
	not object.get(port, "targetPort", null) in {0, "", null}
} else := object.get(port, "port", 0)

_selectors := {found.selector | some found in service}

_selectors_by_pair := values.groups({[[key, value], selector] |
	some selector in _selectors
	some key, value in selector
})

# A selector is looked up by the one of its pairs that the fewest selectors share: all of them may have `part-of: shop`.
_by_pair := values.groups({[[rarest[1], rarest[2]], selector] |
	some selector in _selectors
	rarest := min([[count(_selectors_by_pair[[key, value]]), key, value] | some key, value in selector])
})

_matching := {i: found |
	some i, pod in workloads.pod
	found := {selector |
		some key, value in pod.labels
		some selector in _by_pair[[key, value]]
		every name, expected in selector {
			pod.labels[name] == expected
		}
	}
}

_by_scope := values.groups({[[found.selector, scope], s] |
	some s, found in service
	some scope in joins.index_scopes[s]
})

# By selector, and whether it may be in any namespace: one that names none may be meant for every workload.
_elsewhere := values.groups({[[found.selector, any_namespace], s] |
	some s, found in service
	some any_namespace in {true, joins.namespace[s] != ""}
})
