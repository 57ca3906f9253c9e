# METADATA
# title: One slow response restarts the container
# description: |
#   A garbage collection, a full disk queue or a busy node sometimes delays a response for seconds. A livenessProbe that
#   fails so fast kills a healthy container, with all requests in it, and does so in all pods at once when the load is
#   high.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/probes/
#   description: What a livenessProbe that fails under load does
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes
#   description: The fields of a probe and their defaults
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: safe
#   parameters:
#     least_seconds:
#       default: 10
#       description: How long a livenessProbe has to fail, at least, before the container is restarted.
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 0, livenessProbe]
#     value: {failureThreshold: 1, httpGet: {path: /livez, port: http}}
package gracegate.rules.liveness["liveness-hair-trigger"]

import data.gracegate.lib.liveness_budget
import data.gracegate.lib.probes
import data.gracegate.lib.text

violation contains {"at": at, "message": message} if {
	some at, liveness in _impatient
	liveness.threshold == 1
	message := text.format(
		`A single response slower than {} s restarts container "{}": its livenessProbe fails after one try.`,
		[probes.timeout(liveness.container.spec.livenessProbe), liveness.container.title],
	)
}

violation contains {"at": at, "message": message} if {
	some at, liveness in _impatient
	liveness.threshold > 1
	message := text.format(
		`A pause of {} s restarts container "{}": its livenessProbe fails after {} tries, {} s apart.`,
		[liveness.budget, liveness.container.title, liveness.threshold, liveness.period],
	)
}

fix contains {"at": at, "patch": liveness.steps} if some at, liveness in _impatient

_impatient := {at: liveness |
	some i, budgets in liveness_budget.by_workload
	some liveness in budgets
	_is_impatient(liveness)
	field := {true: "failureThreshold", false: "periodSeconds"}[liveness.threshold < 3]
	at := {"document": i, "path": array.concat(liveness.path, [field])}
}

_is_impatient(liveness) if liveness.threshold == 1

_is_impatient(liveness) if {
	liveness.threshold > 1
	liveness.budget < input.params["liveness-hair-trigger"].least_seconds
}
