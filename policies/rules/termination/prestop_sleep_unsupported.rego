# METADATA
# title: Native sleep is ignored or rejected
# description: |
#   Clusters before 1.30 ignore a native sleep: the container is stopped at once, as if it had no hook, and clients see
#   refused connections on every rollout. A sleep that is negative, longer than the grace period, or 0 before 1.33 is
#   rejected when the manifest is applied.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-implementations
#   description: The sleep action
# - ref: https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/3960-pod-lifecycle-sleep-action
#   description: What older clusters do with it
# - ref: https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/4818-allow-zero-value-for-sleep-action-of-prestop-hook
#   description: Which versions accept 0
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   example:
#   - {op: replace, path: [spec, template, spec, containers, 0, lifecycle, preStop, sleep, seconds], value: 45}
package gracegate.rules.termination["prestop-sleep-unsupported"]

import data.gracegate.lib.containers
import data.gracegate.lib.drains
import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.text
import data.gracegate.lib.values

violation contains {"at": at, "message": message} if {
	some at, sleep in _unsupported
	sleep.ignored
	message := text.format(
		`Container "{}" {}: its {} hook is a native sleep, which Kubernetes 1.{} ignores.`,
		[sleep.container.title, _effect[sleep.by], sleep.by, input.cluster.min_minor],
	)
}

violation contains {"at": at, "message": message} if {
	some at, sleep in _unsupported
	not sleep.ignored
	message := text.format(
		`The API server rejects container "{}": its {} hook {}.`,
		[sleep.container.title, sleep.by, sleep.why],
	)
}

fix contains {"at": at, "patch": array.concat(steps, grace.extension_steps[at.document])} if {
	some at, sleep in _unsupported
	steps := _sleep_steps(at.document, sleep)
}

fix contains {"at": at, "patch": [{"op": "replace", "path": sleep.path, "value": value}]} if {
	some at, sleep in _unsupported
	value := _post_start_hook(sleep)
}

fix contains {"at": at, "class": "text", "advice": _advice(sleep)} if {
	some at, sleep in _unsupported
	not _sleep_steps(at.document, sleep)
	not _post_start_hook(sleep)
}

_effect := {"preStop": "never drains", "postStart": "does not wait after its start"}

_unsupported := {at: sleep |
	some i, listed in containers.long_running
	input.documents[i].subject
	some container in listed
	some by in ["postStart", "preStop"]
	hook := container.spec.lifecycle[by]
	is_object(hook.sleep)
	not hooks.defect(hook)
	seconds := _seconds(hook.sleep)
	problem := _problem(i, seconds)
	path := array.concat(container.path, ["lifecycle", by])
	at := {"document": i, "path": array.concat(path, problem.path)}
	sleep := {
		"container": container,
		"by": by,
		"path": path,
		"seconds": seconds,
		"ignored": problem.why == "",
		"why": problem.why,
	}
}

# Null and absence mean 0.
_seconds(sleep) := seconds if {
	seconds := object.get(sleep, "seconds", null)
	seconds != null
} else := 0

_problem(i, seconds) := {"path": ["sleep"], "why": ""} if {
	input.cluster.min_minor < 30
} else := {"path": ["sleep", "seconds"], "why": why} if {
	why := _why(seconds)
} else := {"path": ["sleep", "seconds"], "why": why} if {
	not grace.workloads_with_zero_period[i]
	values.number(seconds, 0) > grace.period[i]
	why := text.format("sleeps {} s, longer than the grace period of {} s", [seconds, grace.period[i]])
}

_why(seconds) := "sleeps for a time that is not a whole number" if {
	not values.number(seconds, 0)
	not values.is_placeholder(seconds)
} else := text.format("sleeps for {} s", [seconds]) if {
	seconds < 0
} else := text.format("sleeps for 0 s, which Kubernetes 1.{} rejects", [input.cluster.min_minor]) if {
	values.number(seconds, 0) == 0
	not drains.is_valid_sleep(seconds, input.cluster.min_minor)
}

_sleep_steps(i, sleep) := drains.sleep_steps[i][sleep.container.path] if sleep.by == "preStop"

_post_start_hook(sleep) := hooks.sleep_hook(sleep.seconds, input.cluster.min_minor) if {
	sleep.by == "postStart"
	sleep.ignored
	values.integer(sleep.seconds, 0) > 0
	images.can_sleep(values.string(object.get(sleep.container.spec, "image", "")), input.cluster.min_minor)
}

_advice(sleep) := concat(" ", [
	"If all clusters run 1.30 or newer, set `min_kubernetes_version` accordingly;",
	"otherwise the hook has to run a program that sleeps.",
]) if {
	sleep.ignored
} else := "Use whole seconds, at least 1 and no more than the grace period, or remove the hook."
