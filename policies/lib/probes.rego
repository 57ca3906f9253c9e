# METADATA
# title: Probes
# description: What the probes and hooks of a container ask, and which port they ask for.
package gracegate.lib.probes

import data.gracegate.lib.values

# METADATA
# title: Does the container have this probe?
# description: An empty object is none, as it says nothing to ask.
present(container, probe) if not object.get(container, probe, null) in {null, {}}

# METADATA
# title: Ports that are asked for
# description: |
#   By the probes and hooks of a container. `path` leads to the port from the container, `by` is the field that asks,
#   `handler` how.
asked(container) := _by_probes(container) | _by_hooks(container)

# METADATA
# title: Is the port known to the container?
# description: A number need not be declared. A text of digits is taken as a number, which a grpc probe does not do.
known(ask, ports) if {
	is_string(ask.port)
	ask.handler != "grpc"
	ask.port in {port.name | some port in ports}
}

known(ask, _) if {
	is_string(ask.port)
	ask.handler != "grpc"
	regex.match(`^\d*$`, ask.port)
}

known(ask, _) if not is_string(ask.port)

# METADATA
# title: What a probe asks
# description: Its one handler with what it says, in an object. Undefined where there is not exactly one.
handler(probe) := found if {
	found := {how: what | some how in {"exec", "grpc", "httpGet", "tcpSocket"}; what := probe[how]; is_object(what)}
	count(found) == 1
}

# METADATA
# title: Seconds from one try of a probe to the next
# description: Absent or 0, it is the default of the API.
period(probe) := _positive(object.get(probe, "periodSeconds", 0), 10)

# METADATA
# title: Seconds until a probe gives up
# description: Of tries that fail one after the other.
budget(probe) := period(probe) * _positive(object.get(probe, "failureThreshold", 0), 3)

_positive(value, fallback) := number if {
	number := values.whole(value, 0)
	number > 0
} else := fallback

_by_probes(container) := {{"path": [by, how, "port"], "by": by, "handler": how, "port": port} |
	some by in ["livenessProbe", "readinessProbe", "startupProbe"]
	some how in ["grpc", "httpGet", "tcpSocket"]
	port := container[by][how].port
}

_by_hooks(container) := {{"path": ["lifecycle", by, "httpGet", "port"], "by": by, "handler": "httpGet", "port": port} |
	some by in ["postStart", "preStop"]
	port := container.lifecycle[by].httpGet.port
}
