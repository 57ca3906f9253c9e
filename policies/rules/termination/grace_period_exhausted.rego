# METADATA
# title: Container is killed before it can shut down
# description: |
#   The grace period starts when the pod starts to terminate, and the preStop hook uses it first. The app has only the
#   rest for the requests that it still holds. When the grace period ends, the kernel kills the process, and every
#   request in it is lost, on every rollout.
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
#       description: Seconds that a container must have after its preStop hook, however short its own shutdown is.
#   example:
#   - {op: add, path: [spec, template, spec, terminationGracePeriodSeconds], value: 60}
#   - {op: replace, path: [spec, template, spec, containers, 0, lifecycle, preStop, sleep, seconds], value: 60}
package gracegate.rules.termination["grace-period-exhausted"]

import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.shutdown_times
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(shutdown), "measure": shutdown.missing} if {
	some at, shutdown in _exhausted
	message := text.format(
		concat(" ", [
			`Container "{}" is killed before it can shut down:`,
			"preStop ({} s) plus shutdown ({} s{}) exceed the {} s grace period.",
		]),
		[shutdown.container.title, shutdown.hook, shutdown.least, _setting(shutdown), shutdown.period],
	)
}

# Where the container states its own time, the numbers have places to look at.
related contains {"at": at, "places": grace.sum_of_places(shutdown)} if {
	some at, shutdown in _exhausted
	_setting_names(shutdown) != ""
}

# What only the name of a setting says.
possible contains at if {
	some at, shutdown in _exhausted
	_setting_names(shutdown) != ""
	_level(shutdown) == "warning"
	some setting in shutdown.stated
	not setting.is_documented
}

fix contains {"at": at, "patch": [_step(step, shutdown) | some step in grace.extension_steps[at.document]]} if {
	some at, shutdown in _exhausted
}

# The message has given the reason and its numbers, unless the hook is to last longer than it does.
_step(step, shutdown) := object.remove(step, ["reason"]) if {
	shutdown.drain == shutdown.hook
} else := step

_exhausted := {at: found |
	some i, shutdowns in grace.shutdowns
	workloads.rolling[i]
	not grace.workloads_with_zero_period[i]
	some shutdown in shutdowns
	shutdown.hook > 0
	shutdown.hook == hooks.seconds(shutdown.container.spec.lifecycle.preStop)
	least := max({shutdown.app, input.params["grace-period-exhausted"].least_seconds})
	missing := (shutdown.hook + least) - grace.period[i]
	missing > 0
	not _is_rejected(shutdown)
	not images.missing_programs[i][shutdown.container.path]
	at := {"document": i, "path": array.concat(shutdown.container.path, ["lifecycle", "preStop"])}
	found := object.union(shutdown, {"least": least, "missing": missing, "period": grace.period[i]})
}

# The setting that the seconds come from, if the container does not set them itself.
_setting(shutdown) := ", least_seconds" if {
	shutdown.least > shutdown.app
} else := ", app_drain_seconds" if {
	grace.app_seconds(workloads.annotations[shutdown.container.document], shutdown.container.spec, -1) == -1
} else := text.format(", {}", [_setting_names(shutdown)]) if {
	_setting_names(shutdown) != ""
} else := ""

# Those that the container states, if they decide how long it takes.
_setting_names(shutdown) := concat(" and ", names) if {
	shutdown.least == shutdown_times.total(shutdown.stated)
	not grace.is_annotated(workloads.annotations[shutdown.container.document])
	names := [text.format(`"{}"`, [setting.name]) | some setting in shutdown.stated]
} else := ""

_level(shutdown) := "error" if {
	shutdown.hook >= shutdown.period
} else := "warning"

# The rule prestop-sleep-unsupported reports a native sleep that is longer than the grace period.
_is_rejected(shutdown) if {
	is_object(shutdown.container.spec.lifecycle.preStop.sleep)
	shutdown.hook > grace.period[shutdown.container.document]
}
