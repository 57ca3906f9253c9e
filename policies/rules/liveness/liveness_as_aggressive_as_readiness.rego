# METADATA
# title: Container is restarted where it should only be left alone
# description: |
#   A pod that is busy fails its readinessProbe, gets no new requests for a while and recovers. When the livenessProbe
#   asks the same and gives up no later, the pod is killed instead, with all requests in it, and its share of the load
#   goes to the others, which fail next. That takes a whole service down under load, and new pods during a rollout.
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
			`Container "{}" is restarted as soon as it should get no more requests: its livenessProbe asks what its`,
			"readinessProbe asks, and gives up after {} s, the readinessProbe {}.",
		]),
		[liveness.container.title, liveness.budget, _when(liveness)],
	)
}

fix[at] := {"patch": liveness.steps} if some at, liveness in _aggressive

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
