# METADATA
# title: Slow start restarts the container
# description: |
#   A startupProbe limits how long a container may take to start. If that is a few seconds, a busy node, a cold cache or
#   a migration is enough to restart the container again and again, and the rollout stands still.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-startup-probes
#   description: How long a startupProbe should allow
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: safe
#   parameters:
#     least_seconds:
#       default: 10
#       description: How long a container may take to start, at least, before its startupProbe restarts it.
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 0, startupProbe]
#     value: {failureThreshold: 3, httpGet: {path: /ready, port: http}, periodSeconds: 1}
package gracegate.rules.liveness["startup-budget-too-short"]

import data.gracegate.lib.containers
import data.gracegate.lib.patches
import data.gracegate.lib.probes
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "measure": _least - start.seconds} if {
	some at, start in _short
	message := text.format(
		`Container "{}" is restarted when it takes longer than {} s to start: its startupProbe fails after {}.`,
		[start.container.title, start.seconds, _tries(start.threshold)],
	)
}

fix contains {"at": at, "patch": [step]} if {
	some at, start in _short
	probe := start.container.spec.startupProbe
	path := array.concat(start.container.path, ["startupProbe", "failureThreshold"])
	step := patches.put(object.keys(probe), path, ceil(_usual / probes.period(probe)))
}

_least := input.params["startup-budget-too-short"].least_seconds

# What the API's defaults allow, in seconds.
_usual := max([30, _least])

_short := {at: start |
	some i in (workloads.rolling & workloads.complete)
	user_traffic.certainty[i]
	some container in containers.long_running[i]
	probe := container.spec.startupProbe
	probes.handler(probe)
	threshold := probes.threshold(probe)
	seconds := probes.delay(probe) + probes.budget(probe)
	seconds < _least
	field := {true: "failureThreshold", false: "periodSeconds"}[threshold < 3]
	at := {"document": i, "path": array.concat(container.path, ["startupProbe", field])}
	start := {"container": container, "seconds": seconds, "threshold": threshold}
}

_tries(1) := "one try"

_tries(number) := text.format("{} tries", [number]) if number != 1
