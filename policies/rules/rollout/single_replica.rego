# METADATA
# title: Requests have only one pod to go to
# description: |
#   A rollout can replace a single pod without downtime, but after a drain of its node, a crash or one failed
#   readinessProbe every request fails until another pod has started.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
#   description: What stops pods besides a rollout
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   example:
#   - {op: replace, path: [spec, replicas], value: 1}
package gracegate.rules.rollout["single-replica"]

import data.gracegate.lib.containers
import data.gracegate.lib.patches
import data.gracegate.lib.placement
import data.gracegate.lib.related_places
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document)} if {
	some at, is_explicit in _single
	message := text.format(`Requests fail whenever the only pod of {} "{}" is drained or restarted: {}.`, [
		workloads.kind[at.document],
		workloads.name[at.document],
		{true: "replicas is 1", false: "replicas is not set and defaults to 1"}[is_explicit],
	])
}

fix contains {"at": at, "patch": [patches.put(keys, ["spec", "replicas"], 2)], "assumption": assumption} if {
	assumption := "The app keeps no state of its own, so two pods can share its work."
	some at, _ in _single
	not _is_stateful(at.document)
	keys := object.keys(input.documents[at.document].object.spec)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"If the app can run as several members, run more than one;",
		"otherwise plan drains of its node as downtime.",
	])
	some at, _ in _single
	_is_stateful(at.document)
}

related contains {"at": at, "places": places} if {
	some at, _ in _single
	places := related_places.objects(services.first_by_workload[user_traffic.pod_source[at.document]])
}

possible contains at if {
	some at, _ in _single
	user_traffic.is_assumed[at.document]
}

_single := {at: is_explicit |
	some i in workloads.complete
	workloads.kind[i] != "DaemonSet"
	user_traffic.certainty[i]
	scaling.replicas[i] == 1
	not scaling.autoscalers_by_workload[i]
	not user_traffic.has_peers[i]
	not _allows_only_one_pod(i)
	spec := input.documents[i].object.spec
	is_explicit := values.integer(object.get(spec, "replicas", null), 0) == 1
	path := array.concat(["spec"], [key | some key in object.keys(spec); key == "replicas"])
	at := {"document": i, "path": path}
}

# A second pod could not mount the volume.
_allows_only_one_pod(i) if placement.exclusive_volume[user_traffic.pod_source[i]].mode == "pod"

# If replicas is not set, something else may set it.
_level(i) := "warning" if {
	user_traffic.certainty[i] == "certain"
	not scaling.has_uncertain_replicas[i]
	not _is_stateful(i)
	values.integer(object.get(input.documents[i].object, ["spec", "replicas"], null), 0) == 1
} else := "info"

_is_stateful(i) if workloads.kind[i] == "StatefulSet"

_is_stateful(i) if placement.exclusive_volume[user_traffic.pod_source[i]]

_is_stateful(i) if {
	some container in containers.regular[user_traffic.pod_source[i]]
	regex.match(_databases, values.string(object.get(container.spec, "image", "")))
}

_databases := concat("", [
	`(^|[/-])(cassandra|elasticsearch|etcd|kafka|mariadb|memcached|minio|mongo(db)?|mysql|opensearch|percona|`,
	`postgres(ql)?|prometheus|rabbitmq|redis|valkey|zookeeper)(-\d+)?([:@]|$)`,
])
