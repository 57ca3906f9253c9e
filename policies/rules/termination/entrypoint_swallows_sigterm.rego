# METADATA
# title: Shell keeps SIGTERM from the app
# description: |
#   Kubernetes sends SIGTERM to the first process of a container. If that is a shell which waits for the app, it often
#   does not forward the signal: the app continues as if nothing had happened until the grace period ends, is then
#   killed, and every request in it is lost, on every rollout. With `exec` the app replaces the shell. Some versions of
#   npm and yarn, which start the app below a shell, do not forward it either.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
#   description: Which process gets the signal
# - ref: https://docs.docker.com/reference/dockerfile/#shell-form-entrypoint-example
#   description: What exec changes
# - ref: https://github.com/nodejs/docker-node/blob/main/docs/BestPractices.md#cmd
#   description: Why npm is not started in a container
# custom:
#   severity: warning
#   fix: assumes
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 0, command]
#     value: ["sh", "-c", "npm run migrate && node server.js"]
package gracegate.rules.termination["entrypoint-swallows-sigterm"]

import data.gracegate.lib.containers
import data.gracegate.lib.drains
import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.shells
import data.gracegate.lib.target_containers
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document, entry)} if {
	some at, entry in _swallowing
	[is, keeps] := _verbs[entry.delivery]
	message := text.format(
		`Container "{}" {} killed with its {} {}: "{}" {} SIGTERM to the app.`,
		[entry.container.title, is, _lost(at.document, entry), _when(at.document), entry.shell, keeps],
	)
}

violation contains {"at": at, "message": message, "level": "info"} if {
	some at, entry in _package_managers
	message := text.format(
		`Container "{}" may be killed with its {} {}: "{}" may not forward SIGTERM to the app.`,
		[entry.container.title, _lost(at.document, entry), _when(at.document), entry.program],
	)
}

fix contains {"at": at, "patch": [{"op": "replace", "path": at.path, "value": script}], "assumption": assumption} if {
	assumption := "The last command of the script is the app."
	some at, entry in _swallowing
	script := _exec_script(entry.script)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Start the app with `exec` as the last command of the script,",
		"or let the shell forward the signal: `trap 'kill -TERM $pid' TERM; app & pid=$!; wait $pid`.",
	])
	some at, entry in _swallowing
	not _exec_script(entry.script)
}

fix contains {"at": at, "class": "text", "advice": "Start the app itself, as in `command: [node, server.js]`."} if {
	some at, _ in _package_managers
}

possible contains at if {
	some at, entry in _swallowing
	entry.delivery != "none"
}

possible contains at if some at, _ in _package_managers

_package_managers := {at: {"container": container, "program": program} |
	some [i, container] in _candidates
	is_string(container.spec.command[0])
	program := shells.program(container.spec.command[0])
	program in {"npm", "pnpm", "yarn"}
	at := {"document": i, "path": array.concat(container.path, ["command"])}
}

# Containers whose first process has to forward signals.
_candidates contains [i, container] if {
	some i in (workloads.rolling & workloads.complete)
	not workloads.pod[i].spec.shareProcessNamespace == true
	some container in containers.regular[i]
	not _stops_itself(i, container)
}

_swallowing := {at: entry |
	some [i, container] in _candidates
	words := _command_line(container.spec)
	index := shells.script_index(words)
	script := words[index]
	not regex.match(_signal_aware, script)
	delivery := _delivery(container.spec, words[0], script)
	at := {"document": i, "path": array.concat(container.path, _word_path(container.spec, index))}
	entry := {
		"container": container,
		"shell": shells.program(words[0]),
		"script": script,
		"delivery": delivery,
	}
}

# Undefined if a word is no string, or if the image decides what is started.
_command_line(spec) := words if {
	is_array(spec.command)
	words := array.concat(spec.command, values.list(object.get(spec, "args", [])))
	count([word | some word in words; not is_string(word)]) == 0
	count(spec.command) > 0
}

_word_path(spec, index) := ["command", index] if {
	index < count(spec.command)
} else := ["args", index - count(spec.command)]

# Scripts that hand over to the app or to an init of containers, or that answer signals themselves.
_signal_aware := concat("|", [
	`(^|[;&|({\n]|\b(then|else|do)\b)\s*(\w+=\S*\s+)*exec\s+[^\s\d<>&]`,
	`\btrap\b|\b(tini|dumb-init|catatonit|docker-init|supervisord|s6-svscan|runsvdir)\b`,
	`(^|[\s;&|/])(sleep\s+(inf|infinity|\d+d?)|tail\s+(-\S+\s+)*/dev/null)[\s;]*$`,
])

# A hook that does more than sleep may stop the app.
_stops_itself(i, container) if {
	hooks.has_prestop(container.spec)
	not drains.sleep_hooks[i][container.path]
}

# Whether the app gets the signal, as measured: bash and the ash of busybox put the last command of a script in the
# shell's place, but not in a pipeline or a compound; dash never does. Undefined if the app certainly gets it.
_delivery(spec, shell, script) := "none" if {
	not _is_replaceable(script)
} else := "none" if {
	shells.program(shell) == "dash"
} else := "unlikely" if {
	not _is_replacing(shell, spec)
} else := "possible" if {
	shells.last_command(script).separator != ""
}

_is_replacing(shell, _) if shells.program(shell) == "bash"

_is_replacing(shell, spec) if {
	shells.program(shell) in {"ash", "sh"}
	regex.match(`(^|/)(alpine|busybox)([:@]|$)|:[^/@]*(alpine|busybox)`, values.string(object.get(spec, "image", "")))
}

_is_replaceable(script) if {
	last := shells.last_command(script)
	regex.match(`^(|;|&&|\n)$`, last.separator)
	not regex.match(`^\s*(fi|done|esac|\}|\)|\(|\{|wait)`, last.command)
}

_exec_script(script) := concat("", [last.before, parts[1], "exec ", parts[2], rest]) if {
	_is_replaceable(script)
	not contains(script, "<<")
	last := shells.last_command(script)
	parts := regex.find_all_string_submatch_n(_assignments, last.command, 1)[0]
	not regex.match(`^(\w+=|(cd|echo|export|set|source|\.|:|\[|sleep|kill|eval|read|printf|unset)(\s|$))`, parts[2])
	length := count(last.before) + count(last.command)
	rest := substring(script, length, -1)
}

_assignments := `(?s)^(\s*(?:[A-Za-z_]\w*=[^\s'"\x60\\()]*\s+)*)([\w./$"{@-].*)$`

_level(i, entry) := "warning" if {
	entry.delivery != "possible"
	_is_served(i, entry)
} else := "info"

_lost(i, entry) := "requests" if {
	_is_served(i, entry)
} else := "work"

# The rule grace-period-zero reports a period of 0 s.
_when(i) := text.format("after {} s", [grace.period[i]]) if {
	not grace.workloads_with_zero_period[i]
} else := "at the end of its grace period"

_is_served(i, entry) if {
	some target in target_containers.by_workload[i]
	target.container.path == entry.container.path
	target.level != "info"
}

_verbs := {
	"none": ["is", "does not forward"],
	"unlikely": ["may be", "may not forward"],
	"possible": ["may be", "may not forward"],
}
