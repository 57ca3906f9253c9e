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

import data.gracegate.lib.starts
import data.gracegate.lib.texts
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "measure": waiting.needed - waiting.deadline} if {
	some at, waiting in _impatient
	message := texts.filled(
		`The rollout of {} "{}" is declared failed after {} s, but its container "{}" may take {} s to start{}.`,
		[
			workloads.kind[at.document],
			workloads.name[at.document],
			waiting.deadline,
			waiting.title,
			waiting.seconds,
			_more(waiting.ready),
		],
	)
}

fix[at] := {"patch": waiting.steps} if some at, waiting in _impatient

# A deadline that ends before pods count as available is refused, which probe-invalid says.
_impatient := {at: found |
	some i, waiting in starts.of
	waiting.seconds > 0
	needed := waiting.seconds + waiting.ready
	needed >= waiting.deadline
	waiting.ready < waiting.deadline
	at := {"document": i, "path": _path(i, waiting)}
	found := object.union(waiting, {"needed": needed})
}

# The pods of an Argo Rollout may be described elsewhere.
_path(i, waiting) := waiting.path if {
	waiting.pods == i
} else := ["spec", "progressDeadlineSeconds"]

_more(0) := ""

_more(seconds) := texts.filled(", and counts as available {} s later", [seconds]) if seconds > 0
