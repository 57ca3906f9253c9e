# METADATA
# title: preStop hook calls a program that the image lacks
# description: |
#   Small images have no shell and no sleep. A hook that calls one fails, and a hook that fails is as bad as none:
#   Kubernetes stops the container at once, and clients see refused connections on every rollout, although the manifest
#   seems to have a drain.
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

import data.gracegate.lib.drains
import data.gracegate.lib.grace
import data.gracegate.lib.images
import data.gracegate.lib.text

violation contains {"at": at, "message": message, "level": level} if {
	some at, missing in _missing
	[level, how, why] := _wording[missing.certainty]
	message := text.format(
		`Container "{}" {} drains: its preStop hook calls "{}", which its image "{}" {}.`,
		[missing.container.title, how, missing.program, missing.container.spec.image, why],
	)
}

fix contains {"at": at, "patch": array.concat(steps, grace.extension_steps[at.document])} if {
	some at, _ in _missing
	steps := _sleep_steps(at)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, missing in _missing
	not _sleep_steps(at)
	advice := text.format(
		`Use an image that has "{}", let the hook call a program of the app, or drain with a native sleep.`,
		[missing.program],
	)
}

possible contains at if {
	some at, missing in _missing
	missing.certainty == "likely"
}

_wording := {
	"certain": ["error", "never", "lacks"],
	"likely": ["warning", "most likely never", "seems to lack"],
}

_missing := {at: missing |
	some i, found in images.missing_programs
	some path, missing in found
	at := {"document": i, "path": array.concat(path, ["lifecycle", "preStop", "exec", "command", 0])}
}

_sleep_steps(at) := drains.sleep_steps[at.document][array.slice(at.path, 0, count(at.path) - 5)] if {
	input.cluster.min_minor >= 30
}
