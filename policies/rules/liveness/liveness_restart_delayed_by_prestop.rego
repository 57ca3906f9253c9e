# METADATA
# title: Hung container is restarted late
# description: |
#   The preStop hook also runs when a livenessProbe restarts a container. A hook that sleeps for long keeps a container
#   that hangs, and a readinessProbe that it still passes keeps sending requests to it. A grace period of the
#   livenessProbe itself ends the hook earlier, for such restarts only.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#container-hooks
#   description: When the hook runs
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#probe-level-terminationgraceperiodseconds
#   description: The grace period of a probe
# schemas:
# - input: schema.input
# custom:
#   severity: info
#   fix: assumes
#   parameters:
#     least_seconds:
#       default: 30
#       description: From how many seconds of the hook on it is reported.
#   example:
#   - {op: replace, path: [spec, template, spec, containers, 0, lifecycle, preStop, sleep, seconds], value: 30}
#   - {op: add, path: [spec, template, spec, terminationGracePeriodSeconds], value: 60}
#   - op: add
#     path: [spec, template, spec, containers, 0, livenessProbe]
#     value: {httpGet: {path: /livez, port: http}}
package gracegate.rules.liveness["liveness-restart-delayed-by-prestop"]

import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": "info", "measure": shutdown.hook} if {
	some at, shutdown in _delayed
	message := text.format(
		`Container "{}" is restarted {} s late when its livenessProbe has failed: its preStop hook runs first.`,
		[shutdown.container.title, shutdown.hook],
	)
}

fix contains {"at": at, "assumption": assumption, "patch": patch} if {
	assumption := "A container that fails its livenessProbe has nothing to finish that takes longer."
	some at, _ in _delayed
	patch := [{"op": "add", "path": array.concat(at.path, ["terminationGracePeriodSeconds"]), "value": 10}]
}

_delayed := {at: shutdown |
	some i, _ in user_traffic.certainty
	workloads.complete[i]
	some shutdown in grace.shutdowns[i]
	shutdown.hook == hooks.seconds(shutdown.container.spec.lifecycle.preStop)
	shutdown.hook >= input.params["liveness-restart-delayed-by-prestop"].least_seconds
	shutdown.hook < grace.period[i]
	probe := shutdown.container.spec.livenessProbe
	is_object(probe)
	object.get(probe, "terminationGracePeriodSeconds", null) == null
	at := {"document": i, "path": array.concat(shutdown.container.path, ["livenessProbe"])}
}
