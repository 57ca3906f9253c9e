# METADATA
# title: Container is restarted before it can become ready
# description: |
#   Without a startupProbe the livenessProbe also applies to a container that is still starting. One that takes longer
#   than the probe allows is killed and starts again, and never becomes ready: the rollout hangs, and so does each
#   restart on a busy node. A long initialDelaySeconds only moves the guess, and a container that hangs goes unnoticed
#   for as long.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-startup-probes
#   description: How slow starts are protected
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes
#   description: What the three probes decide
# custom:
#   severity: error
#   fix: safe
#   example:
#   - {op: add, path: [spec, template, spec, containers, 0, readinessProbe, initialDelaySeconds], value: 90}
#   - op: add
#     path: [spec, template, spec, containers, 0, livenessProbe]
#     value: {failureThreshold: 6, httpGet: {path: /ready, port: http}}
package gracegate.rules.liveness["liveness-kills-slow-start"]

import data.gracegate.lib.patches
import data.gracegate.lib.startup
import data.gracegate.lib.text

violation contains {"at": at, "message": message, "level": level, "measure": start.ready - start.total} if {
	some at, start in _candidates
	start.why == "killed"
	[level, verb] := _certainty[start.asks_alike]
	message := text.format(
		concat(" ", [
			`Container "{}" {} restarted before it can become ready: its livenessProbe fails after {} s,`,
			"but its readinessProbe starts only after {} s.",
		]),
		[start.container.title, verb, start.total, start.ready],
	)
}

violation contains {"at": at, "message": message, "level": "warning", "measure": 60 - start.total} if {
	some at, start in _candidates
	start.why == "slow"
	message := text.format(
		concat(" ", [
			`Container "{}" is restarted if it takes more than {} s to start: its livenessProbe fails then,`,
			"and apps like the one in its image often take longer.",
		]),
		[start.container.title, start.total],
	)
}

violation contains {"at": at, "message": message, "level": "info", "measure": start.delay} if {
	some at, start in _candidates
	start.why == "delayed"
	message := text.format(
		concat(" ", [
			`Container "{}" is not watched for {} s after each start, and is restarted if it takes more than {} s to start:`,
			"its livenessProbe waits a fixed time, a startupProbe only as long as the start takes.",
		]),
		[start.container.title, start.delay, start.total],
	)
}

fix contains {"at": at, "patch": array.concat(steps, _deadline_steps(at.document))} if {
	some at, start in _candidates
	steps := array.concat([_startup_probe(start)], _delay_removal(start))
	start.by != ""
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Fix the handler of the livenessProbe, and add a startupProbe with the same handler."
	some at, start in _candidates
	start.by == ""
}

# What the livenessProbe asks may be there long before the app is ready.
_certainty := {true: ["error", "is"], false: ["warning", "may be"]}

_candidates := {at: start |
	some i, found in startup.probe_candidates
	some path, start in found
	at := {"document": i, "path": array.concat(path, ["livenessProbe"])}
}

_startup_probe(start) := patches.put(
	object.keys(start.container.spec),
	array.concat(start.container.path, ["startupProbe"]),
	start.probe,
)

# What the readinessProbe asks may be there long before what the livenessProbe asks.
_delay_removal(start) := [{"op": "remove", "path": path} |
	start.by == "livenessProbe"
	start.container.spec.livenessProbe.initialDelaySeconds
	path := array.concat(start.container.path, ["livenessProbe", "initialDelaySeconds"])
]

# A rollout has to wait for what the startupProbe allows.
_deadline_steps(i) := startup.progress_deadlines[i].steps if {
	deadline := startup.progress_deadlines[i]
	deadline.longest + deadline.ready >= deadline.deadline
} else := []
