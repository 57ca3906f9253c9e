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

import data.gracegate.lib.patience
import data.gracegate.lib.texts

violation contains {"at": at, "message": message, "measure": watched.readiness - watched.budget} if {
	some at, watched in _hasty
	message := texts.filled(
		concat(" ", [
			`Container "{}" is restarted as soon as it should get no more requests: its livenessProbe asks what its`,
			"readinessProbe asks, and gives up after {} s, the readinessProbe {}.",
		]),
		[watched.container.title, watched.budget, _when(watched.readiness - watched.budget, watched.readiness)],
	)
}

fix[at] := {"patch": watched.steps} if some at, watched in _hasty

_hasty := {at: watched |
	some i, watches in patience.of
	some watched in watches
	watched.readiness > 0
	watched.budget <= watched.readiness
	at := {"document": i, "path": watched.path}
}

_when(0, _) := "at the same time"

_when(later, seconds) := texts.filled("only after {} s", [seconds]) if later > 0
