# METADATA
# title: preStop hook calls a program that the image lacks
# description: |
#   Small images have no shell and no sleep. A hook that calls one fails, and a hook that fails is as good as none:
#   Kubernetes stops the container at once, and clients see refused connections on every rollout, although the manifest
#   looks as if it drained.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#debugging-hook-handlers
#   description: What happens when a hook fails
# - ref: https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/3960-pod-lifecycle-sleep-action
#   description: A sleep that needs no program
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   example:
#   - {op: replace, path: [spec, template, spec, containers, 0, image], value: gcr.io/distroless/java21-debian12}
#   - op: replace
#     path: [spec, template, spec, containers, 0, lifecycle, preStop]
#     value: {exec: {command: ["sh", "-c", "sleep 10"]}}
package gracegate.rules.termination["prestop-command-not-in-image"]

import data.gracegate.lib.grace
import data.gracegate.lib.programs
import data.gracegate.lib.sleeps
import data.gracegate.lib.texts

violation contains {"at": at, "message": message, "level": level} if {
	some at, lack in _lacking
	[level, how, why] := _words[lack.certainty]
	message := texts.filled(
		`Container "{}" is {}killed as if it had no preStop hook: its image "{}" {} "{}".`,
		[lack.container.title, how, lack.container.spec.image, why, lack.program],
	)
}

fix[at] := {"patch": array.concat(steps, grace.raise[at.document])} if {
	some at, _ in _lacking
	steps := _sleep(at)
}

fix[at] := {"class": "text", "advice": advice} if {
	some at, lack in _lacking
	not _sleep(at)
	advice := texts.filled(
		`Use an image that has "{}", let the hook call a program of the app's own, or drain with a native sleep.`,
		[lack.program],
	)
}

_words := {
	"surely": ["error", "", "has no"],
	"likely": ["warning", "most likely ", "seems to have no"],
}

_lacking := {at: lack |
	some i, found in programs.lacking
	some path, lack in found
	at := {"document": i, "path": array.concat(path, ["lifecycle", "preStop", "exec", "command", 0])}
}

_sleep(at) := sleeps.mend[at.document][array.slice(at.path, 0, count(at.path) - 5)] if input.cluster.min_minor >= 30
