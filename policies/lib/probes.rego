# METADATA
# title: Probes
# description: What the probes and hooks of a container ask, and which port they ask for.
package gracegate.lib.probes

import data.gracegate.lib.values

# METADATA
# title: Does the container have this probe?
# description: Anything but null counts, as what is written there was meant to be one.
present(container, probe) if object.get(container, probe, null) != null

# METADATA
# title: Ports that are asked for
# description: |
#   By the probes and hooks of a container. `path` leads to the port from the container, `by` is the field that asks,
#   `handler` how.
asked(container) := _by_probes(container) | _by_hooks(container)

# METADATA
# scope: document
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

known(ask, _) if values.is_variable(ask.port)

# METADATA
# title: What a probe asks
# description: Its one handler with what it says, in an object. Undefined where there is not exactly one.
handler(probe) := found if {
	found := {how: what | some how in {"exec", "grpc", "httpGet", "tcpSocket"}; what := probe[how]; is_object(what)}
	count(found) == 1
}

# METADATA
# title: What a probe asks, spelled out
# description: |
#   Its handler with the defaults of the API and with the number of a port that has a name or stands in quotes, so that
#   two probes ask the same if this is the same. Undefined where there is not exactly one handler.
asks(probe, ports) := spelled if {
	asked := handler(probe)
	spelled := {how: full |
		some how, what in asked
		said := {key: value | some key, value in what; not value in {null, ""}}
		full := object.union(object.union(_unsaid[how], said), {"port": _number(object.get(said, "port", 0), ports)})
	}
}

# METADATA
# title: Probes and hooks that ask for a port that is not known
# description: The fields that ask, as livenessProbe.
dead(container, ports) := {ask.by | some ask in asked(container); not known(ask, ports)}

# METADATA
# title: Seconds before the first try of a probe
delay(probe) := _positive(object.get(probe, "initialDelaySeconds", 0), 0)

# METADATA
# title: Seconds that a try of a probe may take
# description: Absent or 0, it is the default of the API.
timeout(probe) := _positive(object.get(probe, "timeoutSeconds", 0), 1)

# METADATA
# title: Tries that have to fail before a probe gives up
# description: Absent or 0, it is the default of the API.
threshold(probe) := _positive(object.get(probe, "failureThreshold", 0), 3)

# METADATA
# title: Seconds from one try of a probe to the next
# description: Absent or 0, it is the default of the API.
period(probe) := _positive(object.get(probe, "periodSeconds", 0), 10)

# METADATA
# title: Seconds until a probe gives up
# description: Of tries that fail one after the other.
budget(probe) := period(probe) * threshold(probe)

_unsaid := {"exec": {}, "grpc": {}, "httpGet": {"path": "/", "scheme": "HTTP"}, "tcpSocket": {}}

_number(port, ports) := [declared.number | some declared in ports; declared.name == port][0] if {
	is_string(port)
	port in {declared.name | some declared in ports}
} else := to_number(regex.find_all_string_submatch_n(`^0*(\d{1,5})$`, values.text(port), 1)[0][1]) if {
	regex.match(`^\d{1,5}$`, values.text(port))
} else := port

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
