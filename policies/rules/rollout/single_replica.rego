# METADATA
# title: Requests have one pod to go to
# description: |
#   A rollout can replace a single pod without a gap, but a drain of its node, a crash or one failed readinessProbe
#   cannot: until another pod has started somewhere else, every request fails.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
#   description: What takes pods away besides a rollout
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   example:
#   - {op: replace, path: [spec, replicas], value: 1}
package gracegate.rules.rollout["single-replica"]

import data.gracegate.lib.autoscalers
import data.gracegate.lib.containers
import data.gracegate.lib.neighbours
import data.gracegate.lib.patches
import data.gracegate.lib.scaling
import data.gracegate.lib.texts
import data.gracegate.lib.traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document)} if {
	some at, said in _alone
	message := texts.filled(`Requests fail whenever the one pod of {} "{}" is drained or restarted: {}.`, [
		workloads.kind[at.document],
		workloads.name[at.document],
		{true: "replicas is 1", false: "replicas is not set, which means 1"}[said],
	])
}

fix[at] := {"patch": [patches.put(keys, ["spec", "replicas"], 2)], "assumption": assumption} if {
	assumption := "The app keeps no state of its own, so that two pods can do its work."
	some at, _ in _alone
	not _is_stateful(at.document)
	keys := object.keys(input.documents[at.document].object.spec)
}

fix[at] := {"class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Where the app can run as several members, run more than one;",
		"else plan drains of its node as downtime.",
	])
	some at, _ in _alone
	_is_stateful(at.document)
}

_alone := {at: said |
	some i in workloads.whole
	workloads.kind[i] != "DaemonSet"
	traffic.sent[i]
	scaling.replicas[i] == 1
	not autoscalers.scaling[i]
	not traffic.joined[i]
	not _is_only_one_possible(i)
	spec := input.documents[i].object.spec
	said := values.whole(object.get(spec, "replicas", null), 0) == 1
	path := array.concat(["spec"], [key | some key in object.keys(spec); key == "replicas"])
	at := {"document": i, "path": path}
}

# A second pod could not mount the volume.
_is_only_one_possible(i) if neighbours.volume[traffic.pods[i]].mode == "pod"

# Where replicas is not set, something else may set it.
_level(i) := "warning" if {
	traffic.sent[i] == "sure"
	not autoscalers.unsettled[i]
	not _is_stateful(i)
	values.whole(object.get(input.documents[i].object, ["spec", "replicas"], null), 0) == 1
} else := "info"

_is_stateful(i) if workloads.kind[i] == "StatefulSet"

_is_stateful(i) if neighbours.volume[traffic.pods[i]]

_is_stateful(i) if {
	some container in containers.regular[traffic.pods[i]]
	regex.match(_databases, values.text(object.get(container.spec, "image", "")))
}

_databases := concat("", [
	`(^|[/-])(cassandra|elasticsearch|etcd|kafka|mariadb|memcached|minio|mongo(db)?|mysql|opensearch|percona|`,
	`postgres(ql)?|prometheus|rabbitmq|redis|valkey|zookeeper)(-\d+)?([:@]|$)`,
])
