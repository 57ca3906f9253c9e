# METADATA
# title: Rollout stops all pods before it starts new ones
# description: |
#   With the strategy Recreate a rollout stops every pod of the old version, waits until they are gone, and only then
#   starts the new ones. From then until the new version is ready nobody answers, and if it never gets ready, nobody
#   does until somebody rolls it back.
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

import data.gracegate.lib.neighbours
import data.gracegate.lib.scaling
import data.gracegate.lib.strategies
import data.gracegate.lib.texts
import data.gracegate.lib.traffic
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level} if {
	some at, found in _recreated
	level := {"sure": "warning", "perhaps": "info"}[traffic.sent[at.document]]
	message := texts.filled(`A rollout of {} "{}" stops {} and then waits for new ones: its strategy is Recreate.`, [
		workloads.kind[at.document],
		workloads.name[at.document],
		_all(found.replicas),
	])
}

# Pods that need a node each are taken away one by one.
fix[at] := {"patch": strategies.rolling(at.document, 0, 1), "assumption": _assumption} if {
	some at, _ in _recreated
	neighbours.apart[at.document]
}

fix[at] := {"patch": strategies.rolling(at.document, 1, 0), "assumption": _assumption} if {
	some at, _ in _recreated
	not neighbours.apart[at.document]
}

_assumption := "Pods of the old and of the new version can run beside each other."

_recreated := {at: {"replicas": replicas} |
	some i in workloads.whole
	workloads.kind[i] in {"Deployment", "DeploymentConfig"}
	input.documents[i].object.spec.strategy.type == "Recreate"
	traffic.sent[i]
	replicas := scaling.replicas[i]
	_can_overlap(i, replicas)
	at := {"document": i, "path": ["spec", "strategy", "type"]}
}

# A pod that needs what the old one holds can only be started after it.
_can_overlap(i, _) if {
	not neighbours.volume[i]
	not neighbours.apart[i]
}

_can_overlap(i, replicas) if {
	not neighbours.volume[i]
	replicas > 1
}

_all(1) := "the only pod"

_all(replicas) := texts.filled("all {} pods", [replicas]) if replicas != 1
