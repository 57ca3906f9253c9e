# METADATA
# title: One slow answer restarts the container
# description: |
#   A garbage collection, a full disk queue or a busy node delays an answer for some seconds every now and then. A
#   livenessProbe that gives up that fast kills a healthy container, with all requests in it, and does so everywhere at
#   once when the load is high.
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

import data.gracegate.lib.patience
import data.gracegate.lib.probes
import data.gracegate.lib.texts

violation contains {"at": at, "message": message} if {
	some at, watched in _touchy
	watched.threshold == 1
	message := texts.filled(
		`One answer that takes longer than {} s restarts container "{}": its livenessProbe gives up after a single try.`,
		[probes.timeout(watched.container.spec.livenessProbe), watched.container.title],
	)
}

violation contains {"at": at, "message": message} if {
	some at, watched in _touchy
	watched.threshold > 1
	message := texts.filled(
		`A pause of {} s restarts container "{}": its livenessProbe gives up after {} tries, {} s apart.`,
		[watched.budget, watched.container.title, watched.threshold, watched.period],
	)
}

fix[at] := {"patch": watched.steps} if some at, watched in _touchy

_touchy := {at: watched |
	some i, watches in patience.of
	some watched in watches
	_is_touchy(watched)
	field := {true: "failureThreshold", false: "periodSeconds"}[watched.threshold < 3]
	at := {"document": i, "path": array.concat(watched.path, [field])}
}

_is_touchy(watched) if watched.threshold == 1

_is_touchy(watched) if {
	watched.threshold > 1
	watched.budget < input.params["liveness-hair-trigger"].least_seconds
}
