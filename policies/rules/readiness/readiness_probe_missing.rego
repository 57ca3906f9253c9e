# METADATA
# title: Container gets traffic before it can serve
# description: |
#   Without a readinessProbe a container counts as ready as soon as its process exists. On every rollout, restart and
#   scale-up its Services send requests to a port that nothing listens on yet, and the rollout continues to stop old
#   pods although the new ones do not work.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes
#   description: What counts without a probe
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-readiness-probes
#   description: How a readinessProbe is written
# custom:
#   severity: error
#   fix: safe
#   exceptions:
#   - The process only exists when it can serve, and exits whenever it cannot.
#   example:
#   - {op: remove, path: [spec, template, spec, containers, 0, readinessProbe]}
package gracegate.rules.readiness["readiness-probe-missing"]

import data.gracegate.lib.api_fields
import data.gracegate.lib.patches
import data.gracegate.lib.probe_validation
import data.gracegate.lib.probes
import data.gracegate.lib.related_places
import data.gracegate.lib.rolling_update
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.target_containers
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document, target)} if {
	some at, target in _without_probe
	message := text.format(`Container "{}" gets traffic before it can serve: it has no readinessProbe, and {}.`, [
		target.container.title,
		_sender(target),
	])
}

violation contains {"at": at, "message": message, "level": _level(at.document, {"level": "warning"})} if {
	some at, undecided in _none_with_probe
	message := text.format(
		concat(" ", [
			"One of the containers {} gets traffic before it can serve: none of them has a readinessProbe",
			`or declares port {}, to which Service "{}" sends.`,
		]),
		[undecided.titles, undecided.port, services.service[undecided.service].name],
	)
}

# The app is known to answer what the liveness or startup probe asks.
fix contains object.union(_condition(at.document), {"at": at, "patch": patch}) if {
	some at, target in _without_probe
	container := target.container.spec
	source := _source[at]
	probe := object.union(object.union(_numbers, _timeout(container[source.by])), source.handler)
	patch := array.concat([_put(at, container, probe)], _liveness_steps(at, container))
}

# An open port is the one thing that every app answers alike.
fix contains object.union(object.union(_condition(at.document), _hint(at)), {"at": at, "patch": patch}) if {
	some at, target in _without_probe
	not _source[at]
	probe := object.union(_numbers, {"tcpSocket": {"port": _port[at]}})
	patch := [_put(at, target.container.spec, probe)]
}

fix contains {"at": at, "class": "assumes", "patch": patch, "assumption": assumption} if {
	assumption := "The app listens on the port that the container declares, not on the one that the Service sends to."
	some at, target in _without_probe
	not _source[at]
	not _port[at]
	probe := object.union(_numbers, {"tcpSocket": {"port": _only_port(target)}})
	patch := [_put(at, target.container.spec, probe)]
}

fix contains {"at": at, "class": "text", "advice": _advice(target)} if {
	some at, target in _without_probe
	not _source[at]
	not _port[at]
	not _only_port(target)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Declare the port in the container that listens on it,",
		"and add a readinessProbe there that checks whether the app can serve.",
	])
	some at, _ in _none_with_probe
}

related contains {"at": at, "places": related_places.objects(target.services)} if some at, target in _without_probe

related contains {"at": at, "places": related_places.objects({undecided.service})} if {
	some at, undecided in _none_with_probe
}

possible contains at if {
	some at, target in _without_probe
	_level(at.document, target) == "warning"
}

possible contains at if some at, _ in _none_with_probe

_without_probe := {at: target |
	some i, found in target_containers.by_workload
	_waits_for_readiness(i)
	some target in found
	not _ignores_readiness(target.services)
	_lacks_probe(target.container)
	at := {"document": i, "path": target.container.path}
}

# It is not known which of the containers gets the traffic.
_none_with_probe := {at: undecided |
	some i, undecided in target_containers.undecided_by_workload
	_waits_for_readiness(i)
	not _ignores_readiness({undecided.service})
	every container in undecided.containers {
		_lacks_probe(container)
	}
	at := {"document": i, "path": undecided.containers[0].path}
}

_waits_for_readiness(i) if {
	not workloads.kind[i] in {"CronJob", "Job"}
	not scaling.idle[i]
}

_lacks_probe(container) if {
	not probes.has_probe(container.spec, "readinessProbe")
	not api_fields.meant[[container.document, array.concat(container.path, ["readinessProbe"])]]
}

# Nothing waits for a pod that Services publish whether it is ready or not.
_ignores_readiness(senders) if {
	count(senders) > 0
	every s in senders {
		services.service[s].publishes_unready
	}
}

# Nothing rolls a bare pod out, and a patch elsewhere may bring the probe.
_level(i, target) := "info" if {
	workloads.kind[i] == "Pod"
} else := "warning" if {
	target.level == "error"
	workloads.patched_in(i, target.container.title, ["readinessProbe"])
} else := target.level

_sender(target) := text.format(`Service "{}" {} to it as soon as its process runs`, [name, verb]) if {
	name := services.service[min(target.services)].name
	verb := {"error": "sends", "warning": "may send", "info": "sends"}[target.level]
} else := "a Service in a file that could not be read may send to it"

# Where the only pod stops first, nobody serves until the new one is ready, and a probe makes that later.
_condition(i) := {"class": "assumes", "assumption": "A new pod starts before the only one stops."} if {
	update := rolling_update.explicit[i]
	update.replicas == 1
	update.unavailable > 0
} else := {}

_numbers := {"failureThreshold": 3, "periodSeconds": 5}

_put(at, container, probe) := patches.put(object.keys(container), array.concat(at.path, ["readinessProbe"]), probe)

# The first probe whose handler can show readiness too.
_source := {at: sources[0] |
	some at, target in _without_probe
	container := target.container
	handlers := probe_validation.valid_handlers(container.spec, container.ports)
	sources := [{"by": by, "handler": handlers[by]} | some by in ["livenessProbe", "startupProbe"]]
	count(sources) > 0
}

_timeout(probe) := {"timeoutSeconds": min({5, seconds})} if {
	seconds := values.integer(object.get(probe, "timeoutSeconds", 0), 0)
	seconds > 0
} else := {}

_liveness_steps(at, container) := [explained |
	probe := container.livenessProbe
	probes.handler(probe)
	probes.budget(probe) <= _numbers.periodSeconds * _numbers.failureThreshold
	path := array.concat(at.path, ["livenessProbe", "failureThreshold"])
	step := patches.put(object.keys(probe), path, probes.patient_threshold(probes.period(probe)))
	explained := patches.because(step, "restarts have to wait until the container is out of service")
]

# The first TCP port that is not for metrics, by the name or number that the container gives it. A container that
# declares no port at all listens where its one Service sends, unless that is headless and need not name a true port.
# Where the Service is not known, there is to be no choice. A database counts handshakes that nobody finishes as errors,
# and then refuses its clients.
_port := {at: ports[0] |
	some at, target in _without_probe
	not _is_mysql(target.container.spec)
	open := {port.target | some port in target.ports; port.protocol == "TCP"}
	declared := [port.target | some port in target.container.ports; port.target in open; not _is_for_metrics(port)]
	ports := array.concat(declared, _numbers_of_service(target))
	count(target.services) + (2 - count(open)) > 0
}

_numbers_of_service(target) := [number | some number in numbers_in_service] if {
	count(target.container.ports) == 0
	count(target.services) == 1
	every s in target.services {
		not services.service[s].headless
	}
	numbers_in_service := {port.target |
		some port in target.ports
		port.protocol == "TCP"
		is_number(port.target)
	}
	count(numbers_in_service) == 1
} else := []

# The one that the container declares, where the Service sends to another one.
_only_port(target) := port.target if {
	not _is_mysql(target.container.spec)
	[port] := target.container.ports
	port.protocol == "TCP"
	port.target != 0
	not _is_for_metrics(port)
}

_is_mysql(container) if regex.match(`(^|/)(mysql|mariadb|percona)`, values.string(object.get(container, "image", "")))

_is_for_metrics(port) if regex.match(`metrics|prometheus`, port.name)

_advice(target) := `Check the database itself, as with "mysqladmin ping" in an exec probe.` if {
	_is_mysql(target.container.spec)
} else := concat(" ", [
	"Add a readinessProbe that checks whether the app can serve.",
	"The manifests do not show which port to use.",
])

_hint(at) := {"advice": concat(" ", [
	"If the server has the health service grpc.health.v1,",
	"a grpc probe checks more than an open port.",
])} if {
	regex.match(`grpc`, _port_name(at))
} else := {"advice": concat(" ", [
	"If the app has a path that reports whether it can serve,",
	"an httpGet probe checks more than an open port.",
])} if {
	regex.match(`http|web`, _port_name(at))
} else := {}

_port_name(at) := values.string(_port[at])
