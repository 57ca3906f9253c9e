# METADATA
# title: Checks
# description: |
#   What is wrong with the probes and hooks of a container for which the API server refuses it. A flaw has a `path` from
#   the container, `why`, which goes on after the container's name, and either the `step` that mends it, with a path of
#   its own where that is another, or `advice`. One that `fails` is accepted, and kills the container.
package gracegate.lib.checks

import data.gracegate.lib.commands
import data.gracegate.lib.hooks
import data.gracegate.lib.patience
import data.gracegate.lib.probes
import data.gracegate.lib.texts
import data.gracegate.lib.values

# METADATA
# title: Flaws of the probes and hooks of a container
# description: Regular ones and native sidecars. What is wrong with a preStop hook, prestop-command-malformed says.
flaws(container, ports) := union({found |
	some by in _probes
	probes.present(container, by)
	some found in [_handlers(by, container[by]), _fields(by, container[by], ports)]
}) | _hooks(container, ports)

# METADATA
# title: What can be asked instead of a probe, by its field
# description: |
#   Its handler, as another probe may copy it: what mends it is done. Not of a probe that asks for a port that is not
#   known, or that the API server refuses for another reason.
askable(container, ports) := {by: copied |
	some by in _probes
	not _dead(container, ports)[by]
	wrong := [found |
		is_object(container[by])
		some found in (_ports(by, container[by], ports) | _commands(by, container[by]))
	]
	every found in wrong {
		found.step
	}
	fields := {found.path[2]: found.step.value | some found in wrong}
	copied := {how: object.union(what, fields) | some how, what in probes.handler(container[by])}
	count(copied) == 1
}

_dead(container, ports) := {by: true | some by in probes.dead(container, ports)}

# METADATA
# title: Flaws of an init container that ends
# description: It has no probes and no hooks, as nothing waits for them.
forbidden(container, looks) := {found |
	some field in array.concat(_probes, ["lifecycle"])
	probes.present(container, field)
	why := texts.filled("is an init container that ends, and has a {}", [field])
	found := object.union({"path": [field], "why": why}, _dismissal(looks))
}

_probes := ["livenessProbe", "readinessProbe", "startupProbe"]

_dismissal(true) := {"advice": concat(" ", [
	"If it is to run beside the app, make it a sidecar with `restartPolicy: Always`;",
	"if it is to end, remove the field.",
])}

_dismissal(false) := {"step": {"op": "remove"}}

_handlers(by, probe) := {{
	"path": [by],
	"why": texts.filled("has a {} that says nothing to ask", [by]),
	"advice": "Say what the probe asks, as in `tcpSocket: {port: 8080}`, or remove it.",
}} if {
	count(_said(probe)) == 0
} else := {{
	"path": [by],
	"why": texts.filled("has a {} with {}, and one is allowed", [by, concat(" and ", _said(probe))]),
	"advice": "Keep one of them.",
}} if {
	count(_said(probe)) > 1
} else := set()

_said(probe) := [how | some how in ["exec", "grpc", "httpGet", "tcpSocket"]; is_object(probe[how])]

_fields(by, probe, ports) := (stated | _ports(by, probe, ports)) | _commands(by, probe) if {
	is_object(probe)
	stated := _numbers(by, probe) | _graces(by, probe)
} else := set()

_numbers(by, probe) := {found |
	some field in ["failureThreshold", "initialDelaySeconds", "periodSeconds", "successThreshold", "timeoutSeconds"]
	number := values.whole(probe[field], 0)
	number < 0
	found := {
		"path": [by, field],
		"why": texts.filled("has a {} with {} {}, below 0", [by, field, number]),
		"step": _default(by, field, probe),
	}
} | {found |
	by != "readinessProbe"
	number := values.whole(probe.successThreshold, 1)
	number > 1
	found := {
		"path": [by, "successThreshold"],
		"why": texts.filled(
			"has a {} with successThreshold {}, and only a readinessProbe may ask for more than 1",
			[by, number],
		),
		"step": {"op": "replace", "value": 1},
	}
}

# A livenessProbe gets what all rules take for patient.
_default(by, field, probe) := {"op": "replace", "value": patience.least(probes.period(probe))} if {
	by == "livenessProbe"
	field == "failureThreshold"
} else := {"op": "remove"}

_graces(by, probe) := {{
	"path": [by, "terminationGracePeriodSeconds"],
	"why": "has a readinessProbe with terminationGracePeriodSeconds, although that never stops a container",
	"step": {"op": "remove"},
}} if {
	by == "readinessProbe"
	not object.get(probe, "terminationGracePeriodSeconds", null) == null
} else := {{
	"path": [by, "terminationGracePeriodSeconds"],
	"why": texts.filled("has a {} with terminationGracePeriodSeconds {}, below 1", [by, number]),
	"step": {"op": "remove"},
}} if {
	number := values.whole(probe.terminationGracePeriodSeconds, 1)
	number < 1
} else := set()

_ports(by, probe, ports) := {object.union(found, {"path": array.concat([by, how], found.path)}) |
	some how in ["grpc", "httpGet", "tcpSocket"]
	is_object(probe[how])
	port := object.get(probe[how], "port", null)
	found := _port(texts.filled("has a {}", [by]), port, ports)
	not _is_other(how, port)
} | {found |
	some how in ["grpc", "httpGet", "tcpSocket"]
	is_object(probe[how])
	object.get(probe[how], "port", null) in {null, "", 0}
	found := {
		"path": [by, how],
		"why": texts.filled("has a {} that asks for no port", [by]),
		"advice": "Name the port to ask.",
	}
}

# Of grpc, probe-port-undefined says that a text is no port.
_is_other("grpc", port) if is_string(port)

_port(who, port, _) := {
	"path": ["port"],
	"why": texts.filled("{} that asks for port {}, and ports go from 1 to 65535", [who, number]),
	"advice": "Write the port that the app listens on.",
} if {
	number := values.whole(port, 1)
	not _is_port(number)
	number != 0
}

_port(who, port, ports) := {
	"path": ["port"],
	"why": texts.filled(
		`{} that asks for port "{}" in quotes, which make it a name, and a name has a letter`,
		[who, port],
	),
	"step": {"op": "replace", "value": number},
} if {
	number := to_number(regex.find_all_string_submatch_n(`^0*(\d{1,5})$`, values.text(port), 1)[0][1])
	_is_port(number)
} else := {
	"path": ["port"],
	"why": texts.filled(
		`{} that asks for port "{}", and a name has at most 15 of a to z, 0 to 9 and single dashes, and a letter`,
		[who, port],
	),
	"advice": "Give the port a shorter or simpler name, where it is declared and wherever it is used.",
} if {
	is_string(port)
	port in {declared.name | some declared in ports}
	not _is_name(port)
} else := {
	"path": ["port"],
	"why": texts.filled(`{} that asks for port "{}", which is no port`, [who, port]),
	"advice": "Write the port that the app listens on.",
} if {
	regex.match(`^\d+$`, values.text(port))
}

_is_port(number) if {
	number >= 1
	number <= 65535
}

_is_name(name) if {
	regex.match(`^[a-z0-9](-?[a-z0-9])*$`, name)
	regex.match(`[a-z]`, name)
	count(name) <= 15
}

_commands(by, probe) := {object.union(
	{"path": array.concat(path, flaw.path), "why": texts.filled("has a {} that {}", [by, flaw.why])},
	_respelled(command, path),
) |
	is_object(probe.exec)
	path := [by, "exec", "command"]
	command := object.get(probe.exec, "command", [])
	flaw := commands.flaw(command)
	flaw.refused
}

# All words at once, as the first that is no text is the only one that is told.
_respelled(command, path) := {"step": {"op": "replace", "path": path, "value": words}} if {
	is_array(command)
	words := [word | some said in command; word := _text(said)]
	count(words) == count(command)
	count(words) > 0
} else := {"advice": "Write the command as a list of its words, each a text."}

_text(word) := word if is_string(word)

_text(word) := format_int(word, 10) if values.whole(word, -1) >= 0

_hooks(container, ports) := {found |
	hook := container.lifecycle.postStart
	hook != null
	flaw := hooks.flaw(hook)
	_is_hopeless(flaw)
	found := {
		"path": array.concat(["lifecycle", "postStart"], flaw.path),
		"why": texts.filled("has a postStart hook that {}", [flaw.why]),
		"fails": flaw.refused == false,
		"advice": "Write what the hook does, or remove it.",
	}
} | {object.union(found, {"path": array.concat(["lifecycle", by, "httpGet"], found.path)}) |
	some by in ["postStart", "preStop"]
	is_object(container.lifecycle[by].httpGet)
	port := object.get(container.lifecycle[by].httpGet, "port", null)
	found := _port(texts.filled("has a {} hook", [by]), port, ports)
}

_is_hopeless(flaw) if flaw.refused

# Accepted, but it always fails.
_is_hopeless(flaw) if flaw.path == ["tcpSocket"]
