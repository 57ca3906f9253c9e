# METADATA
# title: Rollout stops all pods before it starts new ones
# description: |
#   With the strategy Recreate a rollout stops every pod of the old version, waits until they are gone, and only then
#   starts the new ones. Until the new version is ready no pod can serve, and if it never becomes ready, none can
#   until somebody rolls it back.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#recreate-deployment
#   description: What Recreate does
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   example:
#   - {op: add, path: [spec, strategy], value: {type: Recreate}}
package gracegate.rules.rollout["strategy-recreate"]

import data.gracegate.lib.placement
import data.gracegate.lib.related_places
import data.gracegate.lib.rolling_update
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level} if {
	some at, found in _recreate
	level := {"certain": "warning", "possible": "info"}[user_traffic.certainty[at.document]]
	message := text.format(`A rollout of {} "{}" stops {} before it starts new ones: its strategy is Recreate.`, [
		workloads.kind[at.document],
		workloads.name[at.document],
		_all(found.replicas),
	])
}

# Pods that need a node each are replaced one by one.
fix contains {"at": at, "patch": rolling_update.steps(at.document, 0, 1), "assumption": _assumption} if {
	some at, _ in _recreate
	placement.exclusive_node[at.document]
}

fix contains {"at": at, "patch": rolling_update.steps(at.document, 1, 0), "assumption": _assumption} if {
	some at, _ in _recreate
	not placement.exclusive_node[at.document]
}

related contains {"at": at, "places": places} if {
	some at, _ in _recreate
	places := related_places.objects(services.first_by_workload[user_traffic.pod_source[at.document]])
}

possible contains at if {
	some at, _ in _recreate
	user_traffic.is_assumed[at.document]
}

_assumption := "Pods of the old and the new version can run at the same time."

# How many there are may not be known; 0 then.
_recreate := {at: {"replicas": replicas} |
	some i in workloads.complete
	workloads.kind[i] in {"Deployment", "DeploymentConfig"}
	input.documents[i].object.spec.strategy.type == "Recreate"
	user_traffic.certainty[i]
	replicas := object.get(scaling.replicas, i, 0)
	_can_overlap(i, replicas)
	at := {"document": i, "path": ["spec", "strategy", "type"]}
}

# A pod that needs what the old one holds can only start after it.
_can_overlap(i, _) if {
	not placement.exclusive_volume[i]
	not placement.exclusive_node[i]
}

_can_overlap(i, replicas) if {
	not placement.exclusive_volume[i]
	replicas > 1
}

_all(0) := "all pods"

_all(1) := "the only pod"

_all(2) := "both pods"

_all(replicas) := text.format("all {} pods", [replicas]) if not replicas in {0, 1, 2}
