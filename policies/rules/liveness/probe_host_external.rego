# METADATA
# title: Probe asks another host than its pod
# description: |
#   The kubelet sends a probe with `host` from the node to that host, not to the pod: the pod is ready, or is restarted,
#   by the state of something else. With the name of a Service, one healthy pod makes all of them ready, also those that
#   do not listen yet.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes
#   description: The host of a probe, and the header Host
# - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
#   description: The Pod Security Standards that forbid it from 1.34 on
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   example:
#   - {op: add, path: [spec, template, spec, containers, 0, readinessProbe, httpGet, host], value: web.shop.svc}
package gracegate.rules.liveness["probe-host-external"]

import data.gracegate.lib.containers
import data.gracegate.lib.probes
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message} if {
	some at, found in _external
	message := text.format(`Container "{}" {}: its {} asks host "{}", not the pod.`, [
		found.container.title,
		_consequence[found.by],
		found.by,
		found.host,
	])
}

fix contains {"at": at, "class": "assumes", "patch": [{"op": "remove", "path": at.path}], "assumption": assumption} if {
	some at, found in _external
	found.port > 0
	assumption := text.format(`Container "{}" answers this probe at port {}.`, [found.container.title, found.port])
}

# The port may be one of the other host.
fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Remove `host` and probe a port of the container;",
		"if the app needs a host name, set the header Host under `httpHeaders`.",
	])
	some at, found in _external
	found.port == 0
}

_consequence := {
	"livenessProbe": "is restarted for faults of another host",
	"readinessProbe": "gets requests whatever its own state",
	"startupProbe": "counts as started whatever its own state",
}

_external := {at: found |
	some i in (workloads.rolling & workloads.complete)
	some container in containers.long_running[i]
	some by, _ in _consequence
	probe := container.spec[by]
	some type in ["httpGet", "tcpSocket"]
	host := values.string(probe[type].host)
	host != ""
	not values.is_placeholder(host)
	not _is_node_itself(workloads.pod[i].spec, host)
	at := {"document": i, "path": array.concat(container.path, [by, type, "host"])}
	found := {"by": by, "container": container, "host": host, "port": _declared_port(container.ports, probe)}
}

# A pod in the network of its node answers at the addresses of the node.
_is_node_itself(pod, host) if {
	pod.hostNetwork == true
	regex.match(`^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\]|0\.0\.0\.0)$`, host)
}

# The number of the probe's port if the container declares it, else 0.
_declared_port(declared, probe) := port if {
	some settings in probes.normal_handler(probe, declared)
	port := settings.port
	port in {known.number | some known in declared; known.protocol == "TCP"}
} else := 0
