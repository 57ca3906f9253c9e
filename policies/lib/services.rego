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
# title: Representative by workload
# description: |
#   Of workloads with labels that some Service selects: the lowest document of those with the same entry in
#   `by_workload` and in `possible_by_workload`. What follows from its Services alone is the same for all of them.
representative := joins.representatives(_keys)

# METADATA
# title: Representatives
# description: A set of the documents in `representative`.
representatives := {r | some r in representative}

# METADATA
# title: Services by workload
# description: |
#   By document of the workload, the Services in one of its scopes that select it, with a namespace that agrees.
by_workload := {i: object.get(_senders, object.get(representative, i, -1), set()) | some i, _ in workloads.pod}

# METADATA
# title: Possible Services by workload
# description: |
#   By document of the workload, Services elsewhere that may select it; empty if one in its scopes does. At most one for
#   each selector, as the same Service may be in a thousand overlays.
possible_by_workload := {i: object.get(_possible_senders, object.get(representative, i, -1), set()) |
	some i, _ in workloads.pod
}

# METADATA
# title: First Services by workload
# description: By document of the workload, at most three of its Services, or of those that are possible if it has none.
first_by_workload := {i: object.get(_first_senders, object.get(representative, i, -1), []) | some i, _ in workloads.pod}

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
		is_for_metrics(port)
	}
}

# METADATA
# title: Is a port for metrics?
# description: Of a Service, by its name and its target.
is_for_metrics(port) if {
	regex.match(`metrics|prometheus|exporter|pprof|profiling`, concat(" ", [port.name, values.string(port.target)]))
}

# METADATA
# title: Target of a port
# description: |
#   The name or number of the containers' port that a port of a Service sends to. 0 and "" mean the Service's own port,
#   like null and absence.
target(port) := port.targetPort if {
	not object.get(port, "targetPort", null) in {0, "", null}
} else := object.get(port, "port", 0)

# METADATA
# title: Workloads with users
# description: A set of the documents of workloads that a Service selects which is not for metrics only.
has_users := {i |
	some i, r in representative
	_representatives_with_users[r]
}

# METADATA
# title: Matching selectors
# description: A set of the selectors of Services that match the pods of some workload, wherever it is.
matching_selectors := {selector | some selectors in _matching; some selector in selectors}

# METADATA
# title: Representatives by Service
# description: |
#   By document of the Service, a sorted list of the representatives of the workloads that it selects. Services with the
#   same list select the same workloads.
representatives_by_service := {s: values.sorted_documents(found) |
	some s, found in values.groups([[s, r] | some r, found in _senders; some s in found])
}

# METADATA
# title: Workloads by representative
# description: By document of the representative, a set of the workloads that it stands for.
workloads_by_representative := values.groups([[r, i] | some i, r in representative])

# METADATA
# title: Representative by Service
# description: The lowest Service with the same entry in `nearest_workloads`, by document of the Service.
representative_service := joins.representatives(_nearest_keys)

# METADATA
# title: Nearest workloads by Service
# description: |
#   By document of the Service, the workloads that it selects, those nearest to it only. Without batch kinds, whose pods
#   are selected by accident, and without fragments.
nearest_workloads := {s: _nearest[r] | some s, r in representative_service}

# METADATA
# title: Target workloads
# description: A set of the documents that are in `nearest_workloads` of some Service.
target_workloads := {i | some found in _nearest; some i in found}

# All that decides which Services select a workload.
_keys := {i: [sort(selectors), sort(joins.search_scopes[i])] |
	some i, selectors in _matching
	count(selectors) > 0
}

_senders := {r: found |
	some r in representatives
	found := {s |
		some selector in _matching[r]
		some scope in joins.search_scopes[r]
		some s in _by_scope[[selector, scope]]
	}
}

_possible_senders := {r: found |
	some r, senders in _senders
	found := {_first_elsewhere[[selector, joins.namespace[r] == ""]] |
		count(senders) == 0
		some selector in _matching[r]
	}
}

_first_senders := {r: array.slice(values.sorted_documents(senders | _possible_senders[r]), 0, 3) |
	some r, senders in _senders
}

# By representative and place.
_workloads_at := values.groups([[[r, place], i] |
	some i, r in representative
	not workloads.kind[i] in {"CronJob", "Job"}
	not input.documents[i].fragment
	some place in joins.places(i)
])

# The representatives of the workloads that a Service selects, and the nearest place with one of them.
_nearest_keys := {s: [listed, places[0]] |
	some s, listed in representatives_by_service
	places := [place | some place in joins.places(s); _is_at(listed, place)]
	count(places) > 0
}

_is_at(listed, place) if {
	some r in listed
	_workloads_at[[r, place]]
}

_nearest := {lowest: found |
	some lowest in {lowest | some lowest in representative_service}
	[listed, place] := _nearest_keys[lowest]
	found := {i | some r in listed; some i in _workloads_at[[r, place]]}
}

_representatives_with_users := {r | some r, senders in _senders; count(senders - metrics_only) > 0}

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
		"target": target(port),
	}
]

_selectors := {found.selector | some found in service}

_selectors_by_pair := values.groups([[[key, value], selector] |
	some selector in _selectors
	some key, value in selector
])

# A selector is looked up by the one of its pairs that the fewest selectors share: all of them may have `part-of: shop`.
_by_pair := values.groups([[[rarest[1], rarest[2]], selector] |
	some selector in _selectors
	rarest := min([[count(_selectors_by_pair[[key, value]]), key, value] | some key, value in selector])
])

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

_by_scope := values.groups([[[found.selector, scope], s] |
	some s, found in service
	some scope in joins.index_scopes[s]
])

# By selector, and whether it may be in any namespace: one that names none may be meant for every workload.
_first_elsewhere := {key: min(found) |
	some key, found in values.groups([[[found.selector, any_namespace], s] |
		some s, found in service
		some any_namespace in {true, joins.namespace[s] != ""}
	])
}
