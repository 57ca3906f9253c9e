# METADATA
# title: Pods are killed without time to stop
# description: |
#   With a grace period of 0 Kubernetes runs no preStop hook and sends no SIGTERM that an app could answer: it kills the
#   processes at once. Every request that a pod holds is lost, on every rollout, and traffic that still comes meets
#   refused connections. A StatefulSet may even start a second pod of the same name before the first is gone.
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

import data.gracegate.lib.grace
import data.gracegate.lib.services
import data.gracegate.lib.sleeps
import data.gracegate.lib.texts
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document)} if {
	some at in _zero
	count(_refused[at.document]) == 0
	message := texts.filled(
		`Pods of {} "{}" are killed at once: a grace period of 0 s leaves no time for preStop hooks or for {}.`,
		[workloads.kind[at.document], workloads.name[at.document], _lost(at.document)],
	)
}

violation contains {"at": at, "message": message, "level": "error"} if {
	some at in _zero
	[seconds, title] := max(_refused[at.document])
	message := texts.filled(
		`The API server refuses {} "{}": container "{}" is to sleep for {} s in preStop, within a grace period of 0 s.`,
		[workloads.kind[at.document], workloads.name[at.document], title, seconds],
	)
}

fix[at] := {"patch": grace.raise[at.document]} if some at in _zero

_zero := {{"document": i, "path": array.concat(workloads.pod[i].path, ["terminationGracePeriodSeconds"])} |
	some i in grace.zero
}

# Native sleeps that do not fit into no time, where Kubernetes knows them.
_refused := {i: found |
	some i in grace.zero
	found := {[sleep.seconds, sleep.title] |
		some sleep in sleeps.only[i]
		sleep.native
		input.cluster.min_minor >= 30
		sleep.seconds > 0
	}
}

_level(i) := "error" if {
	_is_served(i)
} else := "warning" if {
	services.served[i] == "unknown"
} else := "info" if {
	_is_agent(i)
} else := "warning"

_lost(i) := "requests in flight" if {
	_is_served(i)
} else := "work in progress"

_is_served(i) if {
	services.served[i] == "yes"
	count(services.serving[i] - services.scraped) > 0
}

# Agents of a node, as for its network, come back before anything misses them.
_is_agent(i) if {
	workloads.kind[i] == "DaemonSet"
	workloads.pod[i].spec.hostNetwork == true
}
