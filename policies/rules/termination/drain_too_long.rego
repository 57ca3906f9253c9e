# METADATA
# title: Pods take longer to stop than anybody waits
# description: |
#   A rollout waits for pods that stop, one after another in a StatefulSet, and they take up room beside the new ones. A
#   drain that is much longer than traffic needs to leave makes every rollout and every drain of a node that much
#   longer. The cluster autoscaler waits at most 10 minutes for a pod, whatever its grace period is, and then ends the
#   node.
# related_resources:
# - ref: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
#   description: How long the cluster autoscaler waits (max-graceful-termination-sec)
# - ref: https://github.com/kubernetes/enhancements/tree/master/keps/sig-apps/3973-consider-terminating-pods-deployment
#   description: Pods that stop are not counted as replicas
# schemas:
# - input: schema.input
# custom:
#   severity: info
#   fix: text
#   exceptions:
#   - Requests or sessions really last that long, as calls and large uploads do.
#   parameters:
#     most_seconds:
#       default: 60
#       description: The longest drain that is accepted where traffic leaves earlier.
#   example:
#   - {op: replace, path: [spec, template, spec, containers, 0, lifecycle, preStop, sleep, seconds], value: 90}
#   - {op: add, path: [spec, template, spec, terminationGracePeriodSeconds], value: 120}
package gracegate.rules.termination["drain-too-long"]

import data.gracegate.lib.drains
import data.gracegate.lib.exposures
import data.gracegate.lib.grace
import data.gracegate.lib.scaling
import data.gracegate.lib.target_containers
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": "info", "measure": long.seconds} if {
	some at, long in _long_drains
	message := text.format(
		`Each pod of {} "{}" takes {} s to drain, although traffic has left it after {} s.`,
		[workloads.kind[at.document], workloads.name[at.document], long.seconds, long.needed],
	)
}

violation contains {"at": at, "message": message, "level": "info", "measure": seconds} if {
	some at, seconds in _long_periods
	message := text.format(
		`Pods of {} "{}" may be killed before their {} s of grace: the cluster autoscaler waits for at most {} s.`,
		[workloads.kind[at.document], workloads.name[at.document], seconds, _autoscaler_seconds],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, long in _long_drains
	advice := text.format("Let the hook last {} s, unless something else needs longer.", [long.needed])
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Raise --max-graceful-termination-sec of the cluster autoscaler, or keep the pods from it with the annotation",
		"\"cluster-autoscaler.kubernetes.io/safe-to-evict: 'false'\".",
	])
	some at, _ in _long_periods
}

# https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
_autoscaler_seconds := 600

_long_drains := {at: {"seconds": sleep.seconds, "needed": needed} |
	some i, targets in target_containers.by_workload
	workloads.rolling[i]
	not scaling.idle[i]
	some target in targets
	sleep := drains.sleep_hooks[i][target.container.path]
	sleep.seconds > input.params["drain-too-long"].most_seconds
	sleep.seconds < grace.period[i]
	count(target.services) > 0
	count(target.services - exposures.is_certain) == 0
	needed := max({exposures.seconds[s] | some s in target.services})
	sleep.seconds > needed
	at := {"document": i, "path": sleep.path}
}

_long_periods := {at: seconds |
	some i, _ in user_traffic.certainty
	seconds := grace.period[i]
	seconds > _autoscaler_seconds
	at := {"document": i, "path": array.concat(workloads.pod[i].path, ["terminationGracePeriodSeconds"])}
}
