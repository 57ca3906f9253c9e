# METADATA
# title: Rollout is declared failed while its containers may still start
# description: |
#   Each new pod may take longer to start than the rollout waits for progress. A slow but healthy start is then reported
#   as a failed rollout: pipelines stop or roll back, and Argo CD and Flux show the app as degraded.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds
#   description: What progressDeadlineSeconds counts
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment
#   description: When a rollout is declared failed
# custom:
#   severity: warning
#   fix: safe
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 0, startupProbe]
#     value: {failureThreshold: 90, periodSeconds: 10, httpGet: {path: /livez, port: http}}
package gracegate.rules.liveness["startup-budget-exceeds-progress-deadline"]

import data.gracegate.lib.startup
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "measure": found.required - found.deadline} if {
	some at, found in _exceeded
	message := text.format(
		`The rollout of {} "{}" is declared failed after {} s, but its container "{}" may take {} s to start{}.`,
		[
			workloads.kind[at.document],
			workloads.name[at.document],
			found.deadline,
			found.title,
			found.seconds,
			_more(found.ready),
		],
	)
}

fix contains {"at": at, "patch": found.steps} if some at, found in _exceeded

# The rule probe-invalid reports a deadline before the pods count as available.
_exceeded := {at: found |
	some i, deadline in startup.progress_deadlines
	deadline.seconds > 0
	required := deadline.seconds + deadline.ready
	required >= deadline.deadline
	deadline.ready < deadline.deadline
	at := {"document": i, "path": _path(i, deadline)}
	found := object.union(deadline, {"required": required})
}

# The pods of an Argo Rollout may be described elsewhere.
_path(i, deadline) := deadline.path if {
	deadline.pods == i
} else := ["spec", "progressDeadlineSeconds"]

_more(0) := ""

_more(seconds) := text.format(", and counts as available {} s later", [seconds]) if seconds > 0
