# METADATA
# title: Autoscaler may leave one pod
# description: |
#   When load is low the autoscaler scales down to its floor. A floor of one pod means that a drain of its node, a crash
#   or one failed readinessProbe leaves nobody to answer, and with KEDA's default of none the first request finds nobody
#   at all.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
#   description: How the number of pods is decided
# - ref: https://keda.sh/docs/latest/reference/scaledobject-spec/
#   description: The floor of a ScaledObject
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   example:
#   - {op: remove, path: [spec, replicas]}
#   - op: add
#     document: 3
#     path: []
#     value: |
#       apiVersion: autoscaling/v2
#       kind: HorizontalPodAutoscaler
#       metadata:
#         name: web
#       spec:
#         scaleTargetRef:
#           apiVersion: apps/v1
#           kind: Deployment
#           name: web
#         minReplicas: 1
#         maxReplicas: 6
#         metrics:
#         - type: Resource
#           resource:
#             name: cpu
#             target:
#               type: Utilization
#               averageUtilization: 70
package gracegate.rules.rollout["hpa-min-replicas-one"]

import data.gracegate.lib.autoscalers
import data.gracegate.lib.patches
import data.gracegate.lib.scaling
import data.gracegate.lib.texts
import data.gracegate.lib.traffic
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level, "measure": 2 - low.floor} if {
	some at, low in _low
	level := _level(low)
	i := min(low.workloads)
	message := texts.filled(`{} "{}" scales {} "{}" down to {}: {}.`, [
		low.kind,
		low.name,
		workloads.kind[i],
		workloads.name[i],
		_pods[format_int(low.floor, 10)],
		_because(low),
	])
}

fix[at] := {"patch": [patches.put(low.keys, ["spec", low.key], 2)], "assumption": assumption} if {
	assumption := "The app keeps no state of its own, so that two pods can do its work."
	some at, low in _low
	low.most >= 2
}

fix[at] := {"class": "text", "advice": "Let it scale between 2 pods and more than that."} if {
	some at, low in _low
	low.most < 2
}

_low := {at: found |
	some s, scaler in autoscalers.of
	input.documents[s].subject
	scaler.floor in {0, 1}
	lowered := {i |
		some i in autoscalers.scaled[s]
		traffic.sent[i]
		not traffic.joined[i]
		scaling.replicas[i] < 2
	}
	count(lowered) > 0
	at := {"document": s, "path": array.concat(["spec"], [key | some key in scaler.keys; key == scaler.key])}
	found := object.union(scaler, {"workloads": lowered})
}

# To scale to nothing is a choice where it is written down.
_level(low) := "info" if {
	low.floor == 0
	low.said
} else := "warning" if {
	some i in low.workloads
	traffic.sent[i] == "sure"
} else := "info"

_pods := {"0": "no pod at all", "1": "one pod, and nobody answers while that is drained or restarted"}

_because(low) := texts.filled("{} is {}", [low.key, low.floor]) if {
	low.said
} else := texts.filled("{} is not set, which means {}", [low.key, low.floor])
