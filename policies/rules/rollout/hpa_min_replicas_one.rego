# METADATA
# title: Autoscaler can leave one pod
# description: |
#   When load is low, the autoscaler scales down to its minimum. With a minimum of one pod, a node drain, a crash or one
#   failed readinessProbe leaves no pod to serve requests; with KEDA's default of 0, or an idleReplicaCount of 0, the
#   first request finds no pod at all.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
#   description: How the number of pods is decided
# - ref: https://keda.sh/docs/latest/reference/scaledobject-spec/
#   description: The minimum of a ScaledObject
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

import data.gracegate.lib.patches
import data.gracegate.lib.related_places
import data.gracegate.lib.scaling
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level, "measure": 2 - low.lowest.floor} if {
	some at, low in _low
	level := _level(low)
	i := low.workload
	message := text.format(`{} "{}" can scale {} "{}" down to {}: {}.`, [
		low.kind,
		low.name,
		workloads.kind[i],
		workloads.name[i],
		_pods[text.number(low.lowest.floor)],
		_because(low),
	])
}

fix contains {"at": at, "patch": array.concat(removed, raised), "assumption": assumption} if {
	assumption := "The app keeps no state of its own, so two pods can share its work."
	some at, low in _low
	low.ceiling >= 2
	removed := [{"op": "remove", "path": at.path} | low.stops_when_idle]
	raised := [patches.put(low.fields, ["spec", low.floor_field], 2) | low.floor < 2]
}

fix contains {"at": at, "class": "text", "advice": "Set a minimum of 2 pods and a higher maximum."} if {
	some at, low in _low
	not _has_room(low)
}

related contains {"at": at, "places": related_places.objects({low.workload})} if some at, low in _low

possible contains at if {
	some at, low in _low
	user_traffic.is_assumed[low.workload]
}

_has_room(low) if low.ceiling >= 2

_low := {at: found |
	some s, autoscaler in scaling.autoscalers
	input.documents[s].subject
	affected := _affected[scaling.representative_autoscaler[s]]
	lowest := _lowest(autoscaler)
	lowest.floor in {0, 1}
	path := array.concat(["spec"], [key | some key in autoscaler.fields; key == lowest.field])
	at := {"document": s, "path": path}
	found := object.union(object.union(autoscaler, affected), {"lowest": lowest})
}

_lowest(autoscaler) := {"floor": 0, "field": "idleReplicaCount", "is_explicit": true} if {
	autoscaler.stops_when_idle
} else := {
	"floor": autoscaler.floor,
	"field": autoscaler.floor_field,
	"is_explicit": autoscaler.is_explicit,
}

# By representative of the autoscaler.
_affected := {r: {"workload": min(found), "is_certain": count(certain) > 0} |
	some r in {r | some r in scaling.representative_autoscaler}
	found := {i |
		some i in scaling.workloads_by_autoscaler[r]
		user_traffic.certainty[i]
		not user_traffic.has_peers[i]
		_fewest_pods(i) < 2
	}
	count(found) > 0
	certain := {i | some i in found; user_traffic.certainty[i] == "certain"}
}

_fewest_pods(i) := 0 if {
	_idle[i]
} else := scaling.replicas[i]

# The workloads that have no pod while nothing happens.
_idle := {i |
	some s, autoscaler in scaling.autoscalers
	autoscaler.stops_when_idle
	some i in scaling.workloads_by_autoscaler[scaling.representative_autoscaler[s]]
}

# An explicit floor of 0 is a choice.
_level(low) := "info" if {
	low.lowest.floor == 0
	low.lowest.is_explicit
} else := "warning" if {
	low.is_certain
} else := "info"

_pods := {"0": "no pod at all", "1": "one pod, and none can serve while that is drained or restarted"}

_because(low) := text.format("{} is {}", [low.lowest.field, low.lowest.floor]) if {
	low.lowest.is_explicit
} else := text.format("{} is not set and defaults to {}", [low.lowest.field, low.lowest.floor])
