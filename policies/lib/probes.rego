# METADATA
# title: Probes
# description: What a probe does and when, with the defaults of the API, and the ports that probes and hooks use.
package gracegate.lib.probes

import data.gracegate.lib.ports
import data.gracegate.lib.values

# METADATA
# title: Does the container have the probe?
# description: Any value but null counts, because whatever is there was meant as a probe.
has_probe(container, field) if object.get(container, field, null) != null

# METADATA
# title: Port references of a container
# description: |
#   A set of the ports that its probes and hooks use: `path` to the port from the container, `by`, the field of the
#   probe or hook, `handler`, as httpGet, `port`, and the `scheme` of a probe, empty for the default.
port_refs(container) := _probe_port_refs(container) | _hook_port_refs(container)

# METADATA
# scope: document
# title: Is the port of a reference defined?
# description: |
#   A number need not be declared. A string of digits is read as a number, except by a grpc probe. A placeholder counts,
#   and where a declared name is one, every name does.
is_defined(reference, declared) if {
	is_string(reference.port)
	reference.handler != "grpc"
	reference.port in {port.name | some port in declared}
}

is_defined(reference, _) if {
	is_string(reference.port)
	reference.handler != "grpc"
	regex.match(`^\d*$`, reference.port)
}

is_defined(reference, _) if not is_string(reference.port)

is_defined(reference, _) if values.is_placeholder(reference.port)

is_defined(reference, declared) if {
	reference.handler != "grpc"
	some port in declared
	values.is_placeholder(port.name)
}

# METADATA
# title: Probes and hooks with an undefined port
# description: A set of their fields, as livenessProbe, for a container and the ports that it declares.
with_undefined_port(container, declared) := {reference.by |
	some reference in port_refs(container)
	not is_defined(reference, declared)
}

# METADATA
# title: Handler of a probe
# description: |
#   Its one handler with its settings, as {"httpGet": {...}}. Undefined if it has not exactly one.
handler(probe) := found if {
	found := {type: settings |
		some type in {"exec", "grpc", "httpGet", "tcpSocket"}
		settings := probe[type]
		is_object(settings)
	}
	count(found) == 1
}

# METADATA
# title: Normal form of a probe's handler
# description: |
#   The handler with the defaults of the API and with the number of a port that has a name or is in quotes, so that two
#   probes do the same if this is the same. Undefined if the probe has not exactly one handler.
normal_handler(probe, declared) := {type: normal} if {
	some type, settings in handler(probe)
	explicit := {key: value | some key, value in settings; not value in {null, ""}}
	port := _port_number(object.get(explicit, "port", 0), declared)
	normal := object.union(object.union(_defaults[type], explicit), {"port": port})
}

# METADATA
# title: Delay of a probe
# description: |
#   Seconds before its first try; the default of the API if it is absent or 0, and undefined if it is a variable, as in
#   all of these.
delay(probe) := _positive(object.get(probe, "initialDelaySeconds", 0), 0)

# METADATA
# title: Timeout of a probe
# description: Seconds that one try may take.
timeout(probe) := _positive(object.get(probe, "timeoutSeconds", 0), 1)

# METADATA
# title: Threshold of a probe
# description: Tries that have to fail in a row before the probe fails.
threshold(probe) := _positive(object.get(probe, "failureThreshold", 0), 3)

# METADATA
# title: Successes of a probe
# description: Tries that have to succeed in a row before the probe does.
success_threshold(probe) := _positive(object.get(probe, "successThreshold", 0), 1)

# METADATA
# title: Period of a probe
# description: Seconds from one try to the next.
period(probe) := _positive(object.get(probe, "periodSeconds", 0), 10)

# METADATA
# title: Budget of a probe
# description: Seconds for which tries have to fail in a row before the probe fails.
budget(probe) := period(probe) * threshold(probe)

# METADATA
# title: Patient threshold of a livenessProbe with this period
# description: |
#   As many tries as fit into the default budget of the API, which is twice the budget of the readinessProbe that
#   gracegate suggests where there is none; at least 3.
patient_threshold(seconds) := max({3, ceil(30 / seconds)})

_defaults := {"exec": {}, "grpc": {}, "httpGet": {"path": "/", "scheme": "HTTP"}, "tcpSocket": {}}

_port_number(port, declared) := [found.number | some found in declared; found.name == port][0] if {
	is_string(port)
	port in {found.name | some found in declared}
} else := ports.number_in(port) if {
	ports.number_in(port)
} else := port

_positive(value, fallback) := number if {
	number := values.number(value, 0)
	number > 0

	# More is rejected, and a product of two such numbers is not the same in both engines.
	number <= 2147483647
} else := fallback if {
	values.number(value, 0) <= 0
}

_probe_port_refs(container) := {reference |
	some by in ["livenessProbe", "readinessProbe", "startupProbe"]
	some type in ["grpc", "httpGet", "tcpSocket"]
	port := container[by][type].port
	scheme := values.string(object.get(container[by][type], "scheme", ""))
	reference := {"path": [by, type, "port"], "by": by, "handler": type, "port": port, "scheme": scheme}
}

_hook_port_refs(container) := {reference |
	some by in ["postStart", "preStop"]
	port := container.lifecycle[by].httpGet.port
	reference := {"path": ["lifecycle", by, "httpGet", "port"], "by": by, "handler": "httpGet", "port": port, "scheme": ""}
}
