# METADATA
# title: Probe asks for a port that the container does not declare
# description: |
#   The name of a port is only known inside its container, and the API server does not look whether it is. The kubelet
#   cannot ask a port that it does not find: a readinessProbe never passes, so that the rollout stands still; a
#   startupProbe never passes either; a livenessProbe is silently dead, so that a hung container stays in service; a
#   preStop hook fails and the container is killed at once.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#use-a-named-port
#   description: Named ports in probes
# custom:
#   severity: error
#   fix: safe
#   example:
#   - {op: replace, path: [spec, template, spec, containers, 0, readinessProbe, httpGet, port], value: htpp}
package gracegate.rules.readiness["probe-port-undefined"]

import data.gracegate.lib.containers
import data.gracegate.lib.probes
import data.gracegate.lib.spelling
import data.gracegate.lib.texts
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message} if {
	some at, asking in _asking
	asking.handler != "grpc"
	message := texts.filled(`Container "{}" {} asks for port "{}", which it does not declare.`, [
		asking.container.title,
		_consequence[asking.by],
		asking.port,
	])
}

violation contains {"at": at, "message": message} if {
	some at, asking in _asking
	asking.handler == "grpc"
	message := texts.filled(
		`The API server refuses container "{}": its {} asks for grpc port "{}", which has to be a number.`,
		[asking.container.title, asking.by, asking.port],
	)
}

fix[at] := _fix(asking, asking.container) if some at, asking in _asking

_consequence := {
	"livenessProbe": "is never restarted when it hangs: its livenessProbe",
	"postStart": "is killed as soon as it has started: its postStart hook",
	"preStop": "is killed as if it had no preStop hook: it",
	"readinessProbe": "never becomes ready: its readinessProbe",
	"startupProbe": "never counts as started: its startupProbe",
}

_asking := {at: found |
	some i in workloads.whole
	some container in containers.running[i]
	some ask in probes.asked(container.spec)
	not probes.known(ask, container.ports)
	at := {"document": i, "path": array.concat(container.path, ask.path)}
	found := object.union(ask, {"container": container, "at": at.path})
}

_fix(asking, container) := {"patch": [_replace(asking, declared[0])]} if {
	asking.handler == "grpc"
	declared := [port.number | some port in container.ports; asking.port in {port.name, format_int(port.number, 10)}]
} else := {"class": "text", "advice": "Write the number of the port: the kubelet knows no names for grpc."} if {
	asking.handler == "grpc"
} else := {"patch": [_replace(asking, name)]} if {
	name := spelling.nearest(asking.port, _names(container))
} else := {"patch": [step]} if {
	[port] := container.ports
	step := _naming(asking, container, port)
} else := {"class": "assumes", "patch": [_replace(asking, port.target)], "assumption": assumption} if {
	[port] := container.ports
	port.protocol == "TCP"
	assumption := "It means the only port that the container declares."
} else := {"class": "text", "advice": advice} if {
	advice := "Declare a port of that name in the container, or ask for the number of the port."
}

_names(container) := {port.name | some port in container.ports; port.protocol == "TCP"; port.name != ""}

_replace(asking, port) := {"op": "replace", "path": asking.at, "value": port}

# A port without a name gets the one that is asked for, unless something else asks for another.
_naming(asking, container, port) := {"op": "add", "path": path, "value": asking.port} if {
	port.name == ""
	port.protocol == "TCP"
	regex.match(`^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$`, asking.port)
	every ask in probes.asked(container.spec) {
		ask.port in {asking.port, port.number}
	}
	path := array.concat(container.path, ["ports", port.position, "name"])
}
