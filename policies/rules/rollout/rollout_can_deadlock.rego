# METADATA
# title: New pod waits for the old one, which waits for the new one
# description: |
#   A rollout that stops no pod before a new one is ready needs room for both. If the old pod holds what the new one
#   needs, a volume that only one pod or one node can mount, a port of the node or the node itself, the new pod stays
#   pending, the old one stays, and the rollout hangs until somebody intervenes.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
#   description: How many pods and nodes can mount a volume
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment
#   description: How to recognise a rollout that hangs
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: text
#   example:
#   - {op: remove, path: [spec, replicas]}
#   - op: add
#     path: [spec, template, spec, volumes]
#     value: [{name: data, persistentVolumeClaim: {claimName: data}}]
#   - op: add
#     document: 3
#     path: []
#     value: |
#       apiVersion: v1
#       kind: PersistentVolumeClaim
#       metadata:
#         name: data
#       spec:
#         accessModes: [ReadWriteOncePod]
#         resources:
#           requests:
#             storage: 1Gi
package gracegate.rules.rollout["rollout-can-deadlock"]

import data.gracegate.lib.placement
import data.gracegate.lib.rolling_update
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(stuck)} if {
	some at, stuck in _stuck
	message := text.format(`A rollout of {} "{}" can hang: {}, and no old pod stops before a new one is ready.`, [
		workloads.kind[stuck.document],
		workloads.name[stuck.document],
		_why(stuck.hold),
	])
}

fix contains {
	"at": at,
	"class": "assumes",
	"patch": patch,
	"assumption": text.format("{} pods are enough during a rollout.", [stuck.replicas - 1]),
} if {
	some at, stuck in _stuck
	stuck.hold.by != "volume"
	stuck.replicas > 1
	patch := [object.union(step, {"document": stuck.document}) | some step in rolling_update.steps(stuck.document, 0, 1)]
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Make sure that a node is always free for the new pod, or run two pods and let one stop first."
	some at, stuck in _stuck
	stuck.hold.by != "volume"
	stuck.replicas < 2
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Give each pod a volume of its own (a StatefulSet with volumeClaimTemplates) or one that many nodes can mount",
		"(ReadWriteMany). If it has to be this one, use the strategy Recreate and plan each rollout as downtime.",
	])
	some at, stuck in _stuck
	stuck.hold.by == "volume"
}

_stuck := {at: found |
	some updates in [rolling_update.explicit, rolling_update.implicit]
	some i, update in updates
	update.unavailable == 0
	update.surge > 0
	update.replicas > 0
	user_traffic.certainty[i]
	source := user_traffic.pod_source[i]
	hold := _hold(source)
	at := {"document": source, "path": hold.path}
	found := {"document": i, "hold": hold, "replicas": update.replicas}
}

# The tightest of what a pod holds.
_hold(i) := object.union(placement.exclusive_volume[i], {"by": "volume"}) if {
	placement.exclusive_volume[i]
} else := object.union(placement.exclusive_node[i], {"by": "node"}) if {
	placement.exclusive_node[i]
} else := object.union(placement.scarce_resource[i], {"by": "resource"}) if {
	placement.scarce_resource[i]
}

_level(stuck) := _certain_level(stuck.hold) if {
	user_traffic.certainty[stuck.document] == "certain"
} else := _weaker[_certain_level(stuck.hold)]

_weaker := {"error": "warning", "warning": "info", "info": "info"}

_certain_level(hold) := {"node": "warning", "pod": "error", "unknown": "info"}[hold.mode] if {
	hold.by == "volume"
} else := {"node": "warning", "resource": "info"}[hold.by]

_why(hold) := text.format(_volumes[hold.mode], [hold.name]) if {
	hold.by == "volume"
} else := text.format("one more pod needs another {}", [hold.name]) if {
	hold.by == "resource"
} else := text.format("only one pod per node can use port {}", [hold.port]) if {
	hold.port > 0
} else := "its anti-affinity allows one pod per node"

_volumes := {
	"node": `only pods on one node can mount claim "{}" (ReadWriteOnce)`,
	"pod": `only one pod can mount claim "{}" (ReadWriteOncePod)`,
	"unknown": `claim "{}" may allow only one node`,
}
