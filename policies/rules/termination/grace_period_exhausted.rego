# METADATA
# title: Container is killed before it has finished
# description: |
#   The grace period runs from the moment the pod is told to go, and the preStop hook spends it first. What is left is
#   all that the app has for the requests it still holds. When the grace period ends, the kernel kills the process,
#   and every request in it is lost, on every rollout.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
#   description: How Kubernetes stops a pod
# - ref: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-execution
#   description: The hook counts against the grace period
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   parameters:
#     least_seconds:
#       default: 10
#       description: What a container must have left after its preStop hook, whatever its app says of itself.
#   example:
#   - {op: add, path: [spec, template, spec, terminationGracePeriodSeconds], value: 60}
#   - {op: replace, path: [spec, template, spec, containers, 0, lifecycle, preStop, sleep, seconds], value: 60}
package gracegate.rules.termination["grace-period-exhausted"]

import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.programs
import data.gracegate.lib.texts
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(stop), "measure": stop.missing} if {
	some at, stop in _exhausted
	message := texts.filled(
		concat(" ", [
			`Container "{}" is killed before it has finished:`,
			"{} s of preStop and {} s for the app do not fit into {} s of grace.",
		]),
		[stop.container.title, stop.hook, stop.least, stop.period],
	)
}

fix[at] := {"patch": grace.raise[at.document]} if some at, _ in _exhausted

_exhausted := {at: found |
	some i, stops in grace.stopping
	workloads.rolling[i]
	not grace.zero[i]
	some stop in stops
	stop.hook > 0
	stop.hook == hooks.seconds(stop.container.spec.lifecycle.preStop)
	least := max({stop.app, input.params["grace-period-exhausted"].least_seconds})
	missing := (stop.hook + least) - grace.period[i]
	missing > 0
	not _refused(stop)
	not programs.lacking[i][stop.container.path]
	at := {"document": i, "path": array.concat(stop.container.path, ["lifecycle", "preStop"])}
	found := object.union(stop, {"least": least, "missing": missing, "period": grace.period[i]})
}

_level(stop) := "error" if {
	stop.hook >= stop.period
} else := "warning"

# The API server takes no native sleep that is longer than the grace period; another rule says so.
_refused(stop) if {
	is_object(stop.container.spec.lifecycle.preStop.sleep)
	stop.hook > grace.period[stop.container.document]
}
