# METADATA
# title: Rollout leaves pods of the old version
# description: |
#   With a partition, a StatefulSet updates only the pods from that number on, and with OnDelete nothing is updated
#   until somebody deletes the pods. Old and new versions serve side by side for as long, and a fix that was rolled out
#   is not there.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#partitions
#   description: What a partition excludes
# - ref: https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/#daemonset-update-strategy
#   description: The update strategy OnDelete
# schemas:
# - input: schema.input
# custom:
#   severity: info
#   fix: assumes
#   exceptions:
#   - An operator or a person updates the pods one by one.
#   example:
#   - {op: replace, path: [kind], value: StatefulSet}
#   - {op: add, path: [spec, serviceName], value: web}
#   - {op: add, path: [spec, updateStrategy], value: {rollingUpdate: {partition: 1}}}
package gracegate.rules.rollout["rollout-leaves-old-pods"]

import data.gracegate.lib.scaling
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message} if {
	some at, partition in _partitions
	message := text.format(`A rollout of StatefulSet "{}" leaves {} at the old version: "partition: {}" excludes {}.`, [
		workloads.name[at.document],
		_pods(at.document, partition),
		partition,
		{true: "it", false: "them"}[partition == 1],
	])
}

violation contains {"at": at, "message": message} if {
	some at in _on_delete
	message := text.format(
		`{} "{}" runs the old version until somebody deletes its pods: its updateStrategy is OnDelete.`,
		[workloads.kind[at.document], workloads.name[at.document]],
	)
}

fix contains {"at": at, "class": "assumes", "patch": [step], "assumption": assumption} if {
	assumption := "All pods should get the new version now."
	some at, _ in _partitions
	step := {"op": "replace", "path": at.path, "value": 0}
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Use RollingUpdate, or delete the pods one by one after each change."
	some at in _on_delete
}

_partitions := {at: partition |
	some i in _served
	workloads.kind[i] == "StatefulSet"
	strategy := input.documents[i].object.spec.updateStrategy
	is_object(strategy)
	object.get(strategy, "type", null) in {null, "", "RollingUpdate"}
	partition := values.integer(strategy.rollingUpdate.partition, 0)
	partition > 0
	at := {"document": i, "path": ["spec", "updateStrategy", "rollingUpdate", "partition"]}
}

_on_delete := {at |
	some i in _served
	workloads.kind[i] in {"DaemonSet", "StatefulSet"}
	input.documents[i].object.spec.updateStrategy.type == "OnDelete"
	at := {"document": i, "path": ["spec", "updateStrategy", "type"]}
}

_served := {i | some i, _ in user_traffic.certainty; workloads.complete[i]}

_pods(i, partition) := "every pod" if {
	partition >= scaling.replicas[i]
} else := "1 pod" if {
	partition == 1
} else := text.format("{} pods", [partition])
