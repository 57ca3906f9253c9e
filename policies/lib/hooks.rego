# METADATA
# title: Hooks
# description: What a container's preStop hook does and how long it takes.
package gracegate.lib.hooks

import data.gracegate.lib.commands
import data.gracegate.lib.flaws
import data.gracegate.lib.texts
import data.gracegate.lib.values

# METADATA
# title: Does the container have a preStop hook?
# description: Anything but null counts, as what is written there was meant to be one.
present(container) if container.lifecycle.preStop != null

# METADATA
# title: Seconds that a hook takes
# description: Undefined where they cannot be read off it.
seconds(hook) := _seconds(handler, hook[handler]) if {
	[handler] := _handlers(hook)
	not flaw(hook)
}

# METADATA
# title: Seconds that a flawed hook means to take
# description: Undefined where it means to do something else.
meant(hook) := commands.meant(hook.exec.command) if {
	["exec"] == _handlers(hook)
	flaw(hook)
}

# METADATA
# title: What is wrong with a hook
# description: A flaw. Undefined where nothing is known to be wrong.
flaw(hook) := flaws.refused([], "names nothing to do") if {
	count(_handlers(hook)) == 0
} else := flaws.refused([], texts.filled("names {}, and one is allowed", [concat(" and ", _handlers(hook))])) if {
	count(_handlers(hook)) > 1
} else := flaws.failing(["tcpSocket"], "is a tcpSocket, which only probes can be") if {
	_handlers(hook) == ["tcpSocket"]
} else := flaws.refused(["httpGet"], "is an httpGet without a port") if {
	_handlers(hook) == ["httpGet"]
	object.get(hook.httpGet, "port", null) in {null, "", 0}
} else := object.union(found, {"path": array.concat(["exec", "command"], found.path)}) if {
	_handlers(hook) == ["exec"]
	found := commands.flaw(object.get(hook.exec, "command", []))
}

# METADATA
# title: A hook that sleeps
# description: Kubernetes has a sleep of its own from 1.30 on; before, the image must have one.
sleeping(seconds, minor) := {"sleep": {"seconds": seconds}} if {
	minor >= 30
} else := {"exec": {"command": ["sleep", format_int(seconds, 10)]}}

_handlers(hook) := [handler |
	is_object(hook)
	some handler in ["exec", "httpGet", "sleep", "tcpSocket"]
	is_object(hook[handler])
]

_seconds("sleep", action) := values.whole(object.get(action, "seconds", 0), 0)

_seconds("exec", action) := commands.seconds(action.command)
