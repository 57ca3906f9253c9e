# METADATA
# title: Shell keeps SIGTERM from the app
# description: |
#   Kubernetes asks the first process of a container to stop. Where that is a shell which waits for the app, many shells
#   do not pass the request on: the app goes on as if nothing had happened until the grace period ends, is then killed,
#   and every request in it is lost, on every rollout. With `exec` the app takes the shell's place.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
#   description: Which process gets the signal
# - ref: https://docs.docker.com/reference/dockerfile/#shell-form-entrypoint-example
#   description: What exec changes
# custom:
#   severity: warning
#   fix: assumes
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 0, command]
#     value: ["sh", "-c", "npm run migrate && node server.js"]
package gracegate.rules.termination["entrypoint-swallows-sigterm"]

import data.gracegate.lib.containers
import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.shells
import data.gracegate.lib.sleeps
import data.gracegate.lib.targets
import data.gracegate.lib.texts
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document, entry)} if {
	some at, entry in _swallowing
	[is, keeps] := _words[entry.delivery]
	message := texts.filled(
		`Container "{}" {} killed with its {} {}: its "{}" {} SIGTERM from the app.`,
		[entry.container.title, is, _lost(at.document, entry), _when(at.document), entry.shell, keeps],
	)
}

fix[at] := {"patch": [{"op": "replace", "path": at.path, "value": script}], "assumption": assumption} if {
	assumption := "The last command of the script is the app."
	some at, entry in _swallowing
	script := _handed_over(entry.script)
}

fix[at] := {"class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Start the app with `exec` as the last command of the script,",
		"or let the shell pass the signal on: `trap 'kill -TERM $pid' TERM; app & pid=$!; wait $pid`.",
	])
	some at, entry in _swallowing
	not _handed_over(entry.script)
}

_swallowing := {at: entry |
	some i in (workloads.rolling & workloads.whole)
	not workloads.pod[i].spec.shareProcessNamespace == true
	some container in containers.regular[i]
	words := _started(container.spec)
	place := shells.script_place(words)
	script := words[place]
	not regex.match(_aware, script)
	not _stops_itself(i, container)
	delivery := _delivery(container.spec, words[0], script)
	at := {"document": i, "path": array.concat(container.path, _word(container.spec, place))}
	entry := {
		"container": container,
		"shell": shells.program(words[0]),
		"script": script,
		"delivery": delivery,
	}
}

# Undefined where a word is no text, and where the image says what is started.
_started(spec) := words if {
	is_array(spec.command)
	words := array.concat(spec.command, values.list(object.get(spec, "args", [])))
	count([word | some word in words; not is_string(word)]) == 0
	count(spec.command) > 0
}

_word(spec, place) := ["command", place] if {
	place < count(spec.command)
} else := ["args", place - count(spec.command)]

# Scripts that hand over to the app or to an init of containers, or that answer signals themselves.
_aware := concat("|", [
	`(^|[;&|({\n]|\b(then|else|do)\b)\s*(\w+=\S*\s+)*exec\s+[^\s\d<>&]`,
	`\btrap\b|\b(tini|dumb-init|catatonit|docker-init|supervisord|s6-svscan|runsvdir)\b`,
	`(^|[\s;&|/])(sleep\s+(inf|infinity|\d+d?)|tail\s+(-\S+\s+)*/dev/null)[\s;]*$`,
])

# A hook that does more than to wait may stop the app.
_stops_itself(i, container) if {
	hooks.present(container.spec)
	not sleeps.only[i][container.path]
}

# Whether the app gets the signal, as measured: bash and the ash of busybox put the last command of a script in the
# shell's place, but not where it is in a pipeline or a compound; dash never does. Undefined where it surely gets it.
_delivery(spec, shell, script) := "none" if {
	not _is_replaceable(script)
} else := "none" if {
	shells.program(shell) == "dash"
} else := "unlikely" if {
	not _is_replacing(shell, spec)
} else := "perhaps" if {
	shells.last(script).separator != ""
}

_is_replacing(shell, _) if shells.program(shell) == "bash"

_is_replacing(shell, spec) if {
	shells.program(shell) in {"ash", "sh"}
	regex.match(`(^|/)(alpine|busybox)([:@]|$)|:[^/@]*(alpine|busybox)`, values.text(object.get(spec, "image", "")))
}

_is_replaceable(script) if {
	last := shells.last(script)
	regex.match(`^(|;|&&|\n)$`, last.separator)
	not regex.match(`^\s*(fi|done|esac|\}|\)|\(|\{|wait)`, last.command)
}

_handed_over(script) := concat("", [last.before, parts[1], "exec ", parts[2], rest]) if {
	_is_replaceable(script)
	not contains(script, "<<")
	last := shells.last(script)
	parts := regex.find_all_string_submatch_n(_assigned, last.command, 1)[0]
	not regex.match(`^(\w+=|(cd|echo|export|set|source|\.|:|\[|sleep|kill|eval|read|printf|unset)(\s|$))`, parts[2])
	handed := count(last.before) + count(last.command)
	rest := substring(script, handed, -1)
}

_assigned := `(?s)^(\s*(?:[A-Za-z_]\w*=[^\s'"\x60\\()]*\s+)*)([\w./$"{@-].*)$`

_level(i, entry) := "warning" if {
	entry.delivery != "perhaps"
	_is_served(i, entry)
} else := "info"

_lost(i, entry) := "requests" if {
	_is_served(i, entry)
} else := "work"

# Another rule wants more than 0 s.
_when(i) := texts.filled("after {} s", [grace.period[i]]) if {
	not grace.zero[i]
} else := "at the end of its grace period"

_is_served(i, entry) if {
	some target in targets.of[i]
	target.container.path == entry.container.path
	target.level != "info"
}

_words := {"none": ["is", "keeps"], "unlikely": ["may be", "may keep"], "perhaps": ["may be", "may keep"]}
