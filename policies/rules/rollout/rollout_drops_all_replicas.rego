# METADATA
# title: Rollout stops every pod at once
# description: |
#   The update strategy lets a rollout stop as many pods as there are, so the old version is gone before the new one is
#   ready. Until then no pod can serve, and if the new version never becomes ready, none ever does.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
#   description: How maxUnavailable and maxSurge are counted
# custom:
#   severity: error
#   fix: safe
#   exceptions:
#   - Two versions must never run at the same time, and downtime was chosen as the price for it.
#   example:
#   - {op: add, path: [spec, strategy], value: {rollingUpdate: {maxUnavailable: 100%}}}
package gracegate.rules.rollout["rollout-drops-all-replicas"]

import data.gracegate.lib.patches
import data.gracegate.lib.rolling_update
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level, "measure": update.replicas} if {
	some at, update in _dropping
	level := {"yes": "error", "unknown": "warning"}[services.served_status[update.pods]]
	message := text.format(`A rollout of {} "{}" can stop {} before a new one is ready: {}.`, [
		workloads.kind[at.document],
		workloads.name[at.document],
		_all(update.replicas),
		_because(update),
	])
}

fix[at] := {"patch": array.concat(keep, surge)} if {
	some at, update in _dropping
	keys := object.keys(update.settings)
	keep := [patches.put(keys, array.concat(update.path, ["maxUnavailable"]), 0)]
	surge := [patches.put(keys, array.concat(update.path, ["maxSurge"]), 1) | update.surge == 0]
}

_dropping := {at: found |
	some i, update in rolling_update.explicit
	update.replicas > 0
	update.unavailable >= update.replicas
	not update.is_rejected
	pods := object.get(scaling.deployment_of_rollout, i, i)
	services.served_status[pods] != "no"
	not _excludes_a_second_pod(workloads.pod[pods].spec)
	explicit := [key | some key in ["maxUnavailable", "maxSurge"]; not object.get(update.settings, key, null) == null]
	at := {"document": i, "path": array.concat(update.path, [explicit[0]])}
	found := object.union(update, {"pods": pods})
}

_all(1) := "its only pod"

_all(2) := "both pods"

_all(replicas) := text.format("all {} pods", [replicas]) if replicas > 2

_because(update) := text.format(`"maxUnavailable: {}" allows {} of {}`, [
	update.settings.maxUnavailable,
	update.unavailable,
	update.replicas,
]) if {
	not update.is_forced
} else := text.format(
	"maxUnavailable and maxSurge both round to 0 of {}, so the controller stops one first",
	[update.replicas],
)

# If two pods cannot run beside each other, the old one has to go first. What may mount a claim is not known here.
_excludes_a_second_pod(pod) if pod.hostNetwork == true

_excludes_a_second_pod(pod) if pod.containers[_].ports[_].hostPort > 0

_excludes_a_second_pod(pod) if pod.volumes[_].persistentVolumeClaim
