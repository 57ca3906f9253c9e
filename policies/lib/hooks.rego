# METADATA
# title: Hooks
# description: What a lifecycle hook of a container does, how long it takes, and its defects.
package gracegate.lib.hooks

import data.gracegate.lib.commands
import data.gracegate.lib.text
import data.gracegate.lib.values

# METADATA
# title: Does the container have a preStop hook?
# description: Any value but null counts, because whatever is there was meant as a hook.
has_prestop(container) if container.lifecycle.preStop != null

# METADATA
# title: Duration of a hook
# description: Seconds. Undefined if they cannot be read from it, or if it has a defect.
seconds(hook) := _seconds(handler, hook[handler]) if {
	[handler] := _handlers(hook)
	not defect(hook)
}

# METADATA
# title: Intended sleep of a hook with a defect
# description: Seconds. Undefined if the hook was meant to do anything else.
intended_seconds(hook) := commands.intended_seconds(_intended_command(hook)) if {
	defect(hook)
	count({type | some type in _handlers(hook); type != "exec"}) == 0
} else := values.integer(hook.sleep, 0) if {
	count(_handlers(hook)) == 0
	values.integer(hook.sleep, 0) > 0
}

# METADATA
# title: Defect of a hook
# description: As in the library commands, with a `path` inside the hook. Undefined if no defect is known.
defect(hook) := commands.rejected_defect([], "has no handler") if {
	count(_handlers(hook)) == 0
} else := commands.rejected_defect([], why) if {
	count(_handlers(hook)) > 1
	why := text.format("has {}, but only one is allowed", [concat(" and ", _handlers(hook))])
} else := commands.runtime_defect(["tcpSocket"], "only probes support tcpSocket") if {
	_handlers(hook) == ["tcpSocket"]
} else := commands.rejected_defect(["httpGet"], "has an httpGet without a port") if {
	_handlers(hook) == ["httpGet"]
	object.get(hook.httpGet, "port", null) in {null, "", 0}
} else := object.union(found, {"path": array.concat(["exec", "command"], found.path)}) if {
	_handlers(hook) == ["exec"]
	found := commands.defect(object.get(hook.exec, "command", []))
}

# METADATA
# title: Stop of the server before a hook sleeps
# description: |
#   What stops it, as it is written. Undefined if nothing does, or if it is not certain.
early_stop(hook) := concat(" ", commands.early_stop(hook.exec.command)) if {
	["exec"] == _handlers(hook)
	not defect(hook)
} else := path if {
	["httpGet"] == _handlers(hook)
	path := values.string(hook.httpGet.path)
	endswith(path, "/quitquitquit")
}

# METADATA
# title: Hook that sleeps
# description: Its manifest for a cluster's lowest minor version. Before 1.30, the image must have the program sleep.
sleep_hook(seconds, minor) := {"sleep": {"seconds": seconds}} if {
	minor >= 30
} else := {"exec": {"command": ["sleep", text.number(seconds)]}}

# The words of the command, wherever it stands. A string is one that lacks its list.
_intended_command(hook) := hook.exec.command if {
	is_array(hook.exec.command)
} else := [hook.exec.command] if {
	is_string(hook.exec.command)
} else := [hook.exec] if {
	is_string(hook.exec)
} else := hook.exec if {
	is_array(hook.exec)
} else := [hook] if {
	is_string(hook)
} else := hook if {
	is_array(hook)
}

_handlers(hook) := [handler |
	is_object(hook)
	some handler in ["exec", "httpGet", "sleep", "tcpSocket"]
	is_object(hook[handler])
]

_seconds("sleep", action) := values.integer(seconds, 0) if {
	seconds := object.get(action, "seconds", null)
	not values.is_placeholder(seconds)
}

_seconds("exec", action) := commands.seconds(action.command)
