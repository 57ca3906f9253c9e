# METADATA
# title: preStop hook cannot run
# description: |
#   A hook that fails is as bad as none: Kubernetes records the event FailedPreStopHook and stops the container at once,
#   so clients see refused connections on every rollout. Nobody notices before that, because most of these mistakes are
#   accepted when the manifest is applied.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#debugging-hook-handlers
#   description: What happens when a hook fails
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/attach-handler-lifecycle-event/
#   description: How a hook is written
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   example:
#   - op: replace
#     path: [spec, template, spec, containers, 0, lifecycle, preStop]
#     value: {exec: {command: ["sleep 10"]}}
package gracegate.rules.termination["prestop-command-malformed"]

import data.gracegate.lib.commands
import data.gracegate.lib.containers
import data.gracegate.lib.drains
import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.text

violation contains {"at": at, "message": message} if {
	some at, broken in _broken
	not broken.defect.is_rejected
	message := text.format(
		`Container "{}" never drains: its preStop hook always fails, because {}.`,
		[broken.container.title, broken.defect.why],
	)
}

violation contains {"at": at, "message": message} if {
	some at, broken in _broken
	broken.defect.is_rejected
	message := text.format(
		`The API server rejects container "{}": its preStop hook {}.`,
		[broken.container.title, broken.defect.why],
	)
}

fix contains {"at": at, "patch": array.concat(_sleep_steps(broken), grace.extension_steps[at.document])} if {
	some at, broken in _broken
}

fix contains {"at": at, "class": "assumes", "patch": [step], "assumption": assumption} if {
	assumption := "The image has the command, and it ends within the grace period."
	some at, broken in _broken
	not _sleep_steps(broken)
	path := array.concat(broken.hook, ["exec", "command"])
	step := {"op": "replace", "path": path, "value": _correction(broken)}
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Write the command as a list of strings, as in `[\"sleep\", \"10\"]`,",
		"or as a script, as in `[\"sh\", \"-c\", \"sleep 10; nginx -s quit\"]`.",
	])
	some at, broken in _broken
	not _sleep_steps(broken)
	not _correction(broken)
}

_broken := {at: found |
	some i, listed in containers.long_running
	input.documents[i].subject
	some container in listed
	hooks.has_prestop(container.spec)
	hook := array.concat(container.path, ["lifecycle", "preStop"])
	defect := hooks.defect(container.spec.lifecycle.preStop)
	at := {"document": i, "path": array.concat(hook, defect.path)}
	found := {"container": container, "hook": hook, "defect": defect}
}

# Not of native sidecars, which stop after the app anyway, nor of fragments, whose grace period is not known.
_sleep_steps(broken) := drains.sleep_steps[broken.container.document][broken.container.path]

_correction(broken) := commands.correction(broken.container.spec.lifecycle.preStop.exec.command) if {
	not hooks.intended_seconds(broken.container.spec.lifecycle.preStop)
}
