# METADATA
# title: preStop hook sleeps with a program of the image
# description: |
#   From 1.30 on, Kubernetes can sleep by itself. A hook that calls the program sleep works only while the image has it:
#   once the image is replaced by a smaller one, the hook fails, the container is stopped at once, and clients see
#   refused connections.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-implementations
#   description: The sleep action
# - ref: https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/3960-pod-lifecycle-sleep-action
#   description: Why it exists
# schemas:
# - input: schema.input
# custom:
#   severity: info
#   fix: safe
#   example:
#   - op: replace
#     path: [spec, template, spec, containers, 0, lifecycle, preStop]
#     value: {exec: {command: ["sh", "-c", "sleep 10"]}}
package gracegate.rules.termination["prestop-prefer-native-sleep"]

import data.gracegate.lib.drains
import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.text

violation contains {"at": at, "message": message} if {
	some at, sleep in _exec
	message := text.format(
		concat(" ", [
			`Container "{}" drains only while its image has the program sleep: its preStop hook calls it for {} s,`,
			"which Kubernetes can do itself.",
		]),
		[sleep.title, sleep.seconds],
	)
}

fix contains {"at": at, "patch": drains.sleep_steps[at.document][_container(at)]} if some at, _ in _exec

_exec := {at: sleep |
	input.cluster.min_minor >= 30
	some i, found in drains.sleep_hooks
	some path, sleep in found
	not sleep.native
	sleep.seconds > 0
	not hooks.defect(sleep.container.lifecycle.preStop)
	not drains.short_drains[i][path]
	not images.missing_programs[i][path]
	_fits(i, path)
	at := {"document": i, "path": array.concat(path, ["lifecycle", "preStop", "exec", "command"])}
}

_container(at) := array.slice(at.path, 0, count(at.path) - 4)

# A grace period that is too short has to be fixed first.
_fits(i, path) if {
	some shutdown in grace.shutdowns[i]
	shutdown.container.path == path
	shutdown.hook + shutdown.app <= grace.period[i]
}
