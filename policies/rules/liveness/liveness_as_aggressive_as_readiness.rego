# METADATA
# title: Container is restarted when it should only stop receiving requests
# description: |
#   A busy pod fails its readinessProbe, gets no new requests for a while and recovers. If the livenessProbe checks the
#   same and fails no later, the container is killed instead, with all requests in it, and its share of the load goes to
#   the other pods, which fail next. That stops a whole service under load, and new pods during a rollout.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/probes/
#   description: The same endpoint with a higher failureThreshold
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
#   description: How a livenessProbe is written
# custom:
#   severity: warning
#   fix: safe
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 0, livenessProbe]
#     value: {httpGet: {path: /ready, port: http}}
package gracegate.rules.liveness["liveness-as-aggressive-as-readiness"]

import data.gracegate.lib.liveness_budget
import data.gracegate.lib.text

violation contains {"at": at, "message": message, "measure": liveness.readiness_budget - liveness.budget} if {
	some at, liveness in _aggressive
	message := text.format(
		concat(" ", [
			`Container "{}" is restarted when it should only stop receiving requests: its livenessProbe checks the same`,
			"as its readinessProbe and fails after {} s, the readinessProbe {}.",
		]),
		[liveness.container.title, liveness.budget, _when(liveness)],
	)
}

fix contains {"at": at, "patch": liveness.steps} if some at, liveness in _aggressive

_aggressive := {at: liveness |
	some i, budgets in liveness_budget.by_workload
	some liveness in budgets
	liveness.readiness_budget > 0
	liveness.budget <= liveness.readiness_budget
	at := {"document": i, "path": liveness.path}
}

_when(liveness) := "at the same time" if {
	liveness.budget == liveness.readiness_budget
} else := text.format("only after {} s", [liveness.readiness_budget])
