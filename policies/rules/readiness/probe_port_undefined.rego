# METADATA
# title: Probe uses a port that the container does not declare
# description: |
#   The name of a port is only known inside its container, and the API server does not check that it exists. The kubelet
#   cannot resolve a name that the container does not declare: a readinessProbe never passes, so the rollout hangs; a
#   startupProbe never passes either; a livenessProbe silently does nothing, so a container that hangs is not restarted;
#   a preStop hook fails and the container is killed at once. A port that is declared for UDP alone is not known to
#   accept the TCP connection of a probe.
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
import data.gracegate.lib.patches
import data.gracegate.lib.ports
import data.gracegate.lib.probes
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message} if {
	some at, reference in _undefined
	reference.handler != "grpc"
	message := text.format(`Container "{}" {} uses port "{}", but the container declares {}.`, [
		reference.container.title,
		_consequence[reference.by],
		reference.port,
		_declared(reference.container),
	])
}

violation contains {"at": at, "message": message} if {
	some at, reference in _undefined
	reference.handler == "grpc"
	message := text.format(
		`The API server rejects container "{}": its {} uses grpc port "{}", which has to be a number.`,
		[reference.container.title, reference.by, reference.port],
	)
}

violation contains {"at": at, "message": message, "level": "warning"} if {
	some at, reference in _other_protocol
	message := text.format(
		`Nothing may answer the {} of container "{}": it connects to port "{}" by TCP, which is declared for {}.`,
		[reference.by, reference.container.title, reference.port, reference.protocol],
	)
}

fix contains object.union({"at": at}, _fix(reference, reference.container)) if some at, reference in _undefined

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Probe a port for TCP, or declare the port for TCP too if the app listens there."
	some at, _ in _other_protocol
}

_consequence := {
	"livenessProbe": "is never restarted when it hangs: its livenessProbe",
	"postStart": "is killed as soon as it has started: its postStart hook",
	"preStop": "never drains: its preStop hook",
	"readinessProbe": "never becomes ready: its readinessProbe",
	"startupProbe": "never counts as started: its startupProbe",
}

_undefined := {at: found |
	some i in workloads.complete
	some container in containers.long_running[i]
	some own in probes.port_refs(container.spec)
	not probes.is_defined(own, container.ports)
	at := {"document": i, "path": array.concat(container.path, own.path)}
	found := object.union(own, {"container": container, "at": at.path})
}

_other_protocol := {at: found |
	some i in workloads.complete
	some container in containers.long_running[i]
	some own in probes.port_refs(container.spec)
	endswith(own.by, "Probe")
	own.port != ""
	probes.is_defined(own, container.ports)
	protocols := {port.protocol | some port in container.ports; own.port in {port.name, port.number}}
	count(protocols) > 0
	not "TCP" in protocols
	at := {"document": i, "path": array.concat(container.path, own.path)}
	found := object.union(own, {"container": container, "protocol": min(protocols)})
}

_fix(reference, container) := {"patch": [_replace(reference, declared[0])]} if {
	reference.handler == "grpc"
	declared := [port.number | some port in container.ports; reference.port in {port.name, text.number(port.number)}]
} else := {"class": "text", "advice": "Use the number of the port: the kubelet does not resolve names for grpc."} if {
	reference.handler == "grpc"
} else := {"patch": [_replace(reference, name)]} if {
	name := ports.meant_name(reference.port, _names(container))
} else := {"patch": [step]} if {
	[port] := container.ports
	step := _port_name(reference, container, port)
} else := {"class": "assumes", "patch": patch, "assumption": assumption} if {
	[port] := container.ports
	port.protocol == "TCP"
	_needs_tls(reference, port)
	keys := {"scheme" | reference.scheme != ""}
	scheme := array.concat(array.slice(reference.at, 0, count(reference.at) - 1), ["scheme"])
	patch := [_replace(reference, port.target), patches.put(keys, scheme, "HTTPS")]
	assumption := "The probe means the only port that the container declares, and the app speaks TLS there."
} else := {"class": "assumes", "patch": [_replace(reference, port.target)], "assumption": assumption} if {
	[port] := container.ports
	port.protocol == "TCP"
	not _needs_tls(reference, port)
	assumption := "The probe means the only port that the container declares."
} else := {"class": "text", "advice": advice} if {
	advice := "Declare a port with that name in the container, or use the number of the port."
}

_declared(container) := text.format("only {}", [concat(", ", names)]) if {
	names := [text.format(`"{}"`, [port.name]) | some port in container.ports; port.name != ""]
	count(names) > 0
} else := "no named port"

_names(container) := {port.name | some port in container.ports; port.protocol == "TCP"; port.name != ""}

_replace(reference, port) := {"op": "replace", "path": reference.at, "value": port}

# A TLS server answers a plain request with an error.
_needs_tls(reference, port) if {
	reference.handler == "httpGet"
	ports.is_for_tls(port)
	not reference.scheme == "HTTPS"
}

# A port without a name gets the name that the probe uses, unless another probe or hook uses a different one.
_port_name(reference, container, port) := {"op": "add", "path": path, "value": reference.port} if {
	port.name == ""
	port.protocol == "TCP"
	not _needs_tls(reference, port)
	regex.match(`^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$`, reference.port)
	every other in probes.port_refs(container.spec) {
		other.port in {reference.port, port.number}
	}
	path := array.concat(container.path, ["ports", port.position, "name"])
}
