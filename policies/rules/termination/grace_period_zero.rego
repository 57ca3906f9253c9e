# METADATA
# title: Pods are killed without time to stop
# description: |
#   With a grace period of 0 Kubernetes runs no preStop hook and sends no SIGTERM that an app could handle: it kills the
#   processes at once. Every request that a pod holds is lost, on every rollout, and connections of the traffic that
#   still arrives are refused. A StatefulSet may even start a second pod with the same name before the first is gone.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-forced
#   description: What a grace period of 0 means
# - ref: https://kubernetes.io/docs/tasks/run-application/force-delete-stateful-set-pod/
#   description: Why it is not safe for a StatefulSet
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   example:
#   - {op: add, path: [spec, template, spec, terminationGracePeriodSeconds], value: 0}
#   - op: replace
#     path: [spec, template, spec, containers, 0, lifecycle, preStop]
#     value: {httpGet: {path: /drain, port: http}}
package gracegate.rules.termination["grace-period-zero"]

import data.gracegate.lib.drains
import data.gracegate.lib.grace
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document)} if {
	some at in _zero
	count(_rejected_sleeps[at.document]) == 0
	message := text.format(
		`Pods of {} "{}" are killed at once: a grace period of 0 s leaves no time for preStop hooks or for {}.`,
		[workloads.kind[at.document], workloads.name[at.document], _lost(at.document)],
	)
}

violation contains {"at": at, "message": message, "level": "error"} if {
	some at in _zero
	[seconds, title] := max(_rejected_sleeps[at.document])
	message := text.format(
		`The API server rejects {} "{}": container "{}" sleeps {} s in preStop, longer than the grace period of 0 s.`,
		[workloads.kind[at.document], workloads.name[at.document], title, seconds],
	)
}

fix contains {"at": at, "patch": grace.extension_steps[at.document]} if some at in _zero

_zero := {{"document": i, "path": array.concat(workloads.pod[i].path, ["terminationGracePeriodSeconds"])} |
	some i in grace.workloads_with_zero_period
}

# Native sleeps, which are longer than a grace period of 0, where Kubernetes knows them.
_rejected_sleeps := {i: found |
	some i in grace.workloads_with_zero_period
	found := {[sleep.seconds, sleep.title] |
		some sleep in drains.sleep_hooks[i]
		sleep.native
		input.cluster.min_minor >= 30
		sleep.seconds > 0
	}
}

_level(i) := "error" if {
	_is_served(i)
} else := "warning" if {
	services.served_status[i] == "unknown"
} else := "info" if {
	_is_agent(i)
} else := "warning"

_lost(i) := "requests in flight" if {
	_is_served(i)
} else := "work in progress"

_is_served(i) if services.has_users[i]

# Agents of a node, as for its network, come back before anything misses them.
_is_agent(i) if {
	workloads.kind[i] == "DaemonSet"
	workloads.pod[i].spec.hostNetwork == true
}
