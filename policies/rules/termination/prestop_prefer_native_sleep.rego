# METADATA
# title: preStop hook sleeps with a program of the image
# description: |
#   Kubernetes can sleep by itself from 1.30 on. A hook that calls sleep works only for as long as the image has it: the
#   day that the image becomes a smaller one, the hook fails, the container is stopped at once, and clients see refused
#   connections.
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

import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.programs
import data.gracegate.lib.sleeps
import data.gracegate.lib.texts

violation contains {"at": at, "message": message} if {
	some at, sleep in _exec
	message := texts.filled(
		concat(" ", [
			`Container "{}" drains only if its image has a sleep: its preStop hook calls that program for {} s,`,
			"which Kubernetes can do itself.",
		]),
		[sleep.title, sleep.seconds],
	)
}

fix[at] := {"patch": sleeps.mend[at.document][_container(at)]} if some at, _ in _exec

_exec := {at: sleep |
	input.cluster.min_minor >= 30
	some i, found in sleeps.only
	some path, sleep in found
	not sleep.native
	sleep.seconds > 0
	not hooks.flaw(sleep.container.lifecycle.preStop)
	not sleeps.short[i][path]
	not programs.lacking[i][path]
	_fits(i, path)
	at := {"document": i, "path": array.concat(path, ["lifecycle", "preStop", "exec", "command"])}
}

_container(at) := array.slice(at.path, 0, count(at.path) - 4)

# Where the grace period is too short, that has to be mended first.
_fits(i, path) if {
	some stop in grace.stopping[i]
	stop.container.path == path
	stop.hook + stop.app <= grace.period[i]
}
