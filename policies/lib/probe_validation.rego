# METADATA
# title: Probe validation
# description: |
#   Errors in the probes and hooks of a container for which the API server rejects it. Each error has a `path` from the
#   container, `why`, which continues a sentence that begins with the container's name, and either the `step` that fixes
#   it, with a path of its own if that differs, or `advice`. One that `fails` is accepted, but kills the container.
package gracegate.lib.probe_validation

import data.gracegate.lib.commands
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.ports
import data.gracegate.lib.probes
import data.gracegate.lib.text
import data.gracegate.lib.values

# METADATA
# title: Errors of a container
# description: |
#   A set, for a regular container or a native sidecar. Errors of a preStop hook itself
#   are left to the rule prestop-command-malformed.
errors(container) := union({found |
	some by in _probes
	probes.has_probe(container, by)
	some found in [_handler_errors(by, container[by]), _field_errors(by, container[by])]
}) | _hook_errors(container)

# METADATA
# title: Valid handlers of a container, by field of the probe
# description: |
#   The handler of each probe as another probe may copy it, with its errors fixed. Not of a probe whose port is not
#   defined, or with an error that has no `step`; nor of one that asks another host, calls a program that the image
#   lacks, or uses a port that nothing confirms: the container declares others, or its readinessProbe uses another one.
valid_handlers(container, declared) := {by: copy |
	some by in _probes
	not _has_undefined_port(container, declared)[by]
	found := [error |
		is_object(container[by])
		some error in (_port_errors(by, container[by]) | _command_errors(by, container[by]))
	]
	every error in found {
		error.step
	}
	_is_confirmed(by, container, declared)
	fields := {error.path[2]: error.step.value | some error in found}
	copy := {type: fixed |
		some type, settings in probes.handler(container[by])
		fixed := object.union(settings, fields)
		not _asks_another_host(fixed)
		not _calls_missing_program(fixed, values.string(object.get(container, "image", "")))
	}
	count(copy) == 1
}

_asks_another_host(settings) if values.string(object.get(settings, "host", "")) != ""

_calls_missing_program(settings, image) if {
	some program in commands.programs(settings.command)
	images.absence(image, program)
}

_calls_missing_program(settings, _) if commands.defect(settings.command).is_rejected == false

# The port of the probe, if it has one, is declared for TCP, or the readinessProbe uses it too. A number may also stand
# alone.
_is_confirmed(by, container, declared) if {
	port := _port(container[by], declared)
	_confirms(port, declared, _port(object.get(container, "readinessProbe", null), declared))
}

_confirms(0, _, _)

_confirms(port, declared, _) if port in {known.number | some known in declared; known.protocol == "TCP"}

_confirms(port, _, port)

_confirms(_, [], 0)

# 0 if it has none.
_port(probe, declared) := object.get(settings, "port", 0) if {
	some settings in probes.normal_handler(probe, declared)
} else := 0

# METADATA
# title: Errors of an init container that ends
# description: A set. It may have no probes and no hooks; `is_helper` says that it looks like a sidecar.
init_container_errors(container, is_helper) := {found |
	some field in array.concat(_probes, ["lifecycle"])
	probes.has_probe(container, field)
	why := text.format("is an init container that ends, but has a {}", [field])
	found := object.union({"path": [field], "why": why}, _removal(is_helper))
}

_has_undefined_port(container, declared) := {by: true | some by in probes.with_undefined_port(container, declared)}

_probes := ["livenessProbe", "readinessProbe", "startupProbe"]

_removal(true) := {"advice": concat(" ", [
	"If it should run next to the app, make it a sidecar with `restartPolicy: Always`;",
	"if it should end, remove the field.",
])}

_removal(false) := {"step": {"op": "remove"}}

_handler_errors(by, probe) := {{
	"path": [by],
	"why": text.format("has a {} without a handler", [by]),
	"advice": "Set what the probe checks, as in `tcpSocket: {port: 8080}`, or remove it.",
}} if {
	count(_handlers(probe)) == 0
} else := {{
	"path": [by],
	"why": text.format("has a {} with {}, but only one is allowed", [by, concat(" and ", _handlers(probe))]),
	"advice": "Keep one of them.",
}} if {
	count(_handlers(probe)) > 1
} else := set()

_handlers(probe) := [type | some type in ["exec", "grpc", "httpGet", "tcpSocket"]; is_object(probe[type])]

_field_errors(by, probe) := (own | _port_errors(by, probe)) | _command_errors(by, probe) if {
	is_object(probe)
	own := _number_errors(by, probe) | _grace_period_errors(by, probe)
} else := set()

_number_errors(by, probe) := {found |
	some field in ["failureThreshold", "initialDelaySeconds", "periodSeconds", "successThreshold", "timeoutSeconds"]
	number := values.integer(probe[field], 0)
	number < 0
	found := {
		"path": [by, field],
		"why": text.format("has a {} with {} {}, below 0", [by, field, number]),
		"step": _default(by, field, probe),
	}
} | {found |
	by != "readinessProbe"
	number := values.integer(probe.successThreshold, 1)
	number > 1
	found := {
		"path": [by, "successThreshold"],
		"why": text.format(
			"has a {} with successThreshold {}, but only a readinessProbe may require more than 1",
			[by, number],
		),
		"step": {"op": "replace", "value": 1},
	}
}

# A livenessProbe gets the threshold that all rules suggest.
_default(by, field, probe) := {"op": "replace", "value": probes.patient_threshold(probes.period(probe))} if {
	by == "livenessProbe"
	field == "failureThreshold"
} else := {"op": "remove"}

_grace_period_errors(by, probe) := {{
	"path": [by, "terminationGracePeriodSeconds"],
	"why": "has a readinessProbe with terminationGracePeriodSeconds, but that probe never stops a container",
	"step": {"op": "remove"},
}} if {
	by == "readinessProbe"
	not object.get(probe, "terminationGracePeriodSeconds", null) == null
} else := {{
	"path": [by, "terminationGracePeriodSeconds"],
	"why": text.format("has a {} with terminationGracePeriodSeconds {}, below 1", [by, number]),
	"step": {"op": "remove"},
}} if {
	number := values.integer(probe.terminationGracePeriodSeconds, 1)
	number < 1
} else := set()

_port_errors(by, probe) := {object.union(found, {"path": array.concat([by, type], found.path)}) |
	some type in ["grpc", "httpGet", "tcpSocket"]
	is_object(probe[type])
	port := object.get(probe[type], "port", null)
	found := _port_error(text.format("has a {}", [by]), port)
	not _is_name_for_grpc(type, port)
} | {found |
	some type in ["grpc", "httpGet", "tcpSocket"]
	is_object(probe[type])
	object.get(probe[type], "port", null) in {null, "", 0}
	found := {
		"path": [by, type],
		"why": text.format("has a {} without a port", [by]),
		"advice": "Set the port of the probe.",
	}
}

# The rule probe-port-undefined reports a grpc probe whose port is a name.
_is_name_for_grpc("grpc", port) if is_string(port)

_port_error(who, port) := {
	"path": ["port"],
	"why": text.format("{} with port {}, but ports range from 1 to 65535", [who, json.marshal(port)]),
	"advice": "Use the port that the app listens on.",
} if {
	is_number(port)
	not ports.is_valid_number(port)
	port != 0
}

_port_error(who, port) := {
	"path": ["port"],
	"why": text.format(
		`{} with port "{}" in quotes, which make it a name, but a name needs a letter`,
		[who, port],
	),
	"step": {"op": "replace", "value": number},
} if {
	number := ports.number_in(port)
	ports.is_valid_number(number)
} else := {
	"path": ["port"],
	"why": text.format(`{} with port "{}", which is not a port`, [who, port]),
	"advice": "Use the port that the app listens on.",
} if {
	regex.match(`^\d+$`, values.string(port))
}

_command_errors(by, probe) := {object.union(
	{"path": array.concat(path, defect.path), "why": text.format("has a {} that {}", [by, defect.why])},
	_command_fix(command, path),
) |
	is_object(probe.exec)
	path := [by, "exec", "command"]
	command := object.get(probe.exec, "command", [])
	defect := commands.defect(command)
	defect.is_rejected
}

# All words at once, because the API server names only the first that is no string.
_command_fix(command, path) := {"step": {"op": "replace", "path": path, "value": words}} if {
	is_array(command)
	words := [word | some entry in command; word := _word(entry)]
	count(words) == count(command)
	count(words) > 0
} else := {"advice": "Write the command as a list of strings."}

_word(entry) := entry if is_string(entry)

_word(entry) := text.number(entry) if values.integer(entry, -1) >= 0

_hook_errors(container) := {found |
	hook := container.lifecycle.postStart
	hook != null
	defect := hooks.defect(hook)
	_always_fails(defect)
	found := {
		"path": array.concat(["lifecycle", "postStart"], defect.path),
		"why": _hook_error(defect),
		"fails": defect.is_rejected == false,
		"advice": "Set a handler for the hook, or remove it.",
	}
} | {object.union(found, {"path": array.concat(["lifecycle", by, "httpGet"], found.path)}) |
	some by in ["postStart", "preStop"]
	is_object(container.lifecycle[by].httpGet)
	port := object.get(container.lifecycle[by].httpGet, "port", null)
	found := _port_error(text.format("has a {} hook", [by]), port)
}

_hook_error(defect) := text.format("has a postStart hook that {}", [defect.why]) if {
	defect.is_rejected
} else := "has a postStart hook with tcpSocket, which only probes support"

_always_fails(defect) if defect.is_rejected

# Accepted, but it always fails.
_always_fails(defect) if defect.path == ["tcpSocket"]
