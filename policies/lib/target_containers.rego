# METADATA
# title: Target containers
# description: The containers that a Service sends to, as far as the ports show which they are.
package gracegate.lib.target_containers

import data.gracegate.lib.containers
import data.gracegate.lib.exposures
import data.gracegate.lib.images
import data.gracegate.lib.joins
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Target containers by document of the workload
# description: |
#   A list of `container` (see the library containers), `services`, the documents of the Services that send to it (none
#   if only an unread file may hold one, and one for all that differ in nothing but their names), `ports`, each with
#   `target` and `protocol`, as the container declares them or else as the Service names them, and `level`, the highest
#   level of a violation about its traffic: "error", "warning" if the traffic is uncertain, "info" if all ports that
#   lead to it are for metrics, or if it is a helper beside an app that gets traffic.
by_workload := {i: found |
	some i in workloads.complete
	hits := ((_declared_by_workload[i] | _assumed(i)) | _only_app_hits(i)) | _suspected(i)
	found := [target |
		some container in containers.long_running[i]
		own := {hit | some hit in hits; hit.path == container.path}
		count(own) > 0
		senders := {hit.service | some hit in own; not hit.service == null}
		target := {
			"container": container,
			"services": senders,
			"ports": {hit.port | some hit in own; not hit.port.target == 0},
			"level": _level_of(i, container, hits),
		}
	]
}

# METADATA
# title: Possible targets by document of the workload
# description: |
#   Of workloads with several containers to which a Service sends, and none of which declares that port: a list of the
#   `containers` that may get the requests, their `titles`, and one of the Services, `service`, with its `port`. Log
#   shippers, exporters and the like are not among the containers where there are others.
undecided_by_workload := {i: found |
	some i in workloads.complete
	possible := _possible_targets[i]
	count(possible) > 1
	untargeted := _untargeted[i]
	count(untargeted) > 0
	count({container.path | some container in possible} & {target.container.path | some target in by_workload[i]}) == 0
	[service, port] := min(untargeted)
	titles := concat(", ", [text.format(`"{}"`, [container.title]) | some container in possible])
	found := {"containers": possible, "titles": titles, "service": service, "port": port}
}

_level_of(i, container, hits) := "info" if {
	_is_helper(container)
	some app in containers.regular[i]
	not _is_helper(app)
	some hit in hits
	hit.path == app.path
} else := _level(services.served_status[i], {hit | some hit in hits; hit.path == container.path})

_is_helper(container) if images.is_helper(values.string(object.get(container.spec, "image", "")))

_level(served_status, hits) := "info" if {
	every hit in hits {
		_is_for_metrics(hit)
	}
} else := "warning" if {
	every hit in hits {
		_is_uncertain(hit)
	}
} else := {"yes": "error", "unknown": "warning"}[served_status]

_is_for_metrics(hit) if services.is_for_metrics(hit.service_port)

_is_for_metrics(hit) if {
	not hit.service == null
	services.is_for_metrics({"name": "", "target": hit.port.target})
}

_is_uncertain(hit) if hit.by_image

_is_uncertain(hit) if _is_for_metrics(hit)

_senders(i) := object.get(_distinct_senders, object.get(services.representative, i, -1), set())

# By representative of the workload.
_distinct_senders := {r: found |
	some r in services.representatives
	found := {_alike[s] | some s in services.by_workload[r]} | services.possible_by_workload[r]
}

# The lowest of the Services that select the same pods and differ in nothing that rules read.
_alike := joins.representatives({s: traits |
	some s, selected in services.representatives_by_service
	service := services.service[s]
	traits := [
		selected,
		service.ports,
		service.headless,
		service.publishes_unready,
		sort(exposures.by_service[s]),
		count({s} - exposures.is_certain),
		object.get(exposures.health_check_seconds, s, 0),
	]
})

# Ports that containers declare, by name or by number. Of several with one name, Kubernetes takes the first.
_declared_by_workload := {i: _declared(i) | some i in workloads.complete}

_declared(i) := {hit |
	some s in _senders(i)
	some service_port in services.service[s].ports
	some [container, port] in _owners(i, service_port)
	hit := {
		"path": container.path,
		"service": s,
		"service_port": service_port,
		"port": {"target": port.target, "protocol": port.protocol},
	}
}

_owners(i, service_port) := array.slice(owners, 0, 1) if {
	is_string(service_port.target)
	owners := _all_owners(i, service_port)
} else := _all_owners(i, service_port)

_all_owners(i, service_port) := [[container, port] |
	some container in containers.long_running[i]
	some port in container.ports
	port.protocol == service_port.protocol
	service_port.target in {port.name, port.number}
]

# A container need not declare its ports, so a lone container is the target.
_assumed(i) := {hit |
	count(containers.regular[i]) == 1
	found := {[hit.service, hit.service_port] | some hit in _declared_by_workload[i]}
	some s in _senders(i)
	some service_port in _service_ports(s)
	not found[[s, service_port]]
	hit := {
		"path": containers.regular[i][0].path,
		"service": s,
		"service_port": service_port,
		"port": {"target": service_port.target, "protocol": service_port.protocol},
	}
}

# By document of the workload, [service, number of the port] of Services none of whose ports any of its several
# containers declares. A name that none declares leads nowhere.
_untargeted := {i: found |
	some i in workloads.complete
	count(containers.regular[i]) > 1
	targeted := {hit.service | some hit in _declared_by_workload[i]}
	found := {[s, port.target] |
		some s in (_senders(i) - targeted)
		some port in services.service[s].ports
		is_number(port.target)
		port.protocol == "TCP"
		not services.is_for_metrics(port)
	}
}

# The containers that may be the app.
_possible_targets := {i: _apps(i) | some i, untargeted in _untargeted; count(untargeted) > 0}

_apps(i) := apps if {
	apps := [container | some container in containers.regular[i]; not _is_helper(container)]
	count(apps) > 0
} else := containers.regular[i]

# Beside log shippers and the like, the only other container is the target.
_only_app_hits(i) := {hit |
	[container] := _possible_targets[i]
	some [s, number] in _untargeted[i]
	hit := {
		"path": container.path,
		"service": s,
		"service_port": {"name": "", "target": number},
		"port": {"target": number, "protocol": "TCP"},
		"by_image": true,
	}
}

# Nothing is known of a Service in an unread file; the only container that declares a TCP port is taken as its target.
_suspected(i) := {hit |
	services.served_status[i] == "unknown"
	count(_senders(i)) == 0
	[listener] := [container | some container in containers.regular[i]; _listens(container.ports)]
	some port in listener.ports
	port.protocol == "TCP"
	hit := {
		"path": listener.path,
		"service": null,
		"port": {"target": port.target, "protocol": "TCP"},
	}
}

_listens(ports) if "TCP" in {port.protocol | some port in ports}

# A headless Service may name no port at all.
_service_ports(s) := {port | some port in services.service[s].ports} if {
	count(services.service[s].ports) > 0
} else := {{"name": "", "protocol": "TCP", "target": 0}}
