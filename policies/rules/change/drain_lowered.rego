# METADATA
# title: Drain is shorter than before
# description: |
#   Somebody once chose how long a container keeps serving after its pod was told to stop. A change that shortens that
#   is fine as long as no proxy, load balancer or client needs the time that is gone, which no manifest shows.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
#   description: How Kubernetes stops a pod
# schemas:
# - input: schema.input
# custom:
#   severity: info
#   fix: text
#   before:
#   - {op: replace, path: [spec, template, spec, containers, 0, lifecycle, preStop, sleep, seconds], value: 15}
#   example:
#   - {op: replace, path: [spec, template, spec, containers, 0, lifecycle, preStop, sleep, seconds], value: 10}
package gracegate.rules.change["drain-lowered"]

import data.gracegate.lib.before
import data.gracegate.lib.drains
import data.gracegate.lib.hooks
import data.gracegate.lib.target_containers
import data.gracegate.lib.text
import data.gracegate.lib.values

violation contains {"at": at, "message": message, "measure": drain.former - drain.seconds} if {
	some at, drain in _lowered
	message := text.format(
		`Container "{}" refuses requests {} s after its pod was told to stop, not {} s: its preStop drain is shorter now.`,
		[drain.title, drain.seconds, drain.former],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, drain in _lowered
	advice := text.format(
		"Keep {} s unless it is known that nothing sends to a stopping pod for that long.",
		[drain.former],
	)
}

possible contains at if some at, _ in _lowered

# No order helps: what is shorter is shorter in the end.
steps contains {"at": at, "steps": []} if some at, _ in _lowered

# The rule prestop-drain-too-short speaks of what is too short in itself.
_lowered := {at: found |
	some i, pod in before.pod
	some target in target_containers.by_workload[i]
	container := target.container
	seconds := hooks.seconds(container.spec.lifecycle.preStop)
	seconds > 0
	not drains.short_drains[i][container.path]
	former_seconds := max({hooks.seconds(former.lifecycle.preStop) |
		some former in values.list(object.get(pod.spec, "containers", []))
		former.name == container.title
	})
	former_seconds > seconds
	at := {"document": i, "path": array.concat(container.path, ["lifecycle", "preStop"])}
	found := {"title": container.title, "seconds": seconds, "former": former_seconds}
}
