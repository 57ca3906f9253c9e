# METADATA
# title: Requests on a node fail while its pod is updated
# description: |
#   With `internalTrafficPolicy: Local` requests go only to pods on the client's own node, and to no other node if there
#   is none. A DaemonSet normally stops the old pod of a node before it starts the new one: until that is ready, all
#   requests from this node fail. One node after another has this gap, on every rollout.
# related_resources:
# - ref: https://github.com/kubernetes/enhancements/tree/master/keps/sig-network/2086-service-internal-traffic-policy
#   description: The policy has no fallback
# - ref: https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/
#   description: How a DaemonSet is updated
# - ref: https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution
#   description: A preference for the own node, with a fallback
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   exceptions:
#   - Clients keep what they could not send and try again, as many log and trace agents do.
#   example:
#   - {op: replace, path: [kind], value: DaemonSet}
#   - {op: remove, path: [spec, replicas]}
#   - {op: add, document: 1, path: [spec, internalTrafficPolicy], value: Local}
package gracegate.rules.reachability["local-traffic-gap"]

import data.gracegate.lib.patches
import data.gracegate.lib.placement
import data.gracegate.lib.related_places
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": gap.level} if {
	some at, gap in _gaps
	message := text.format(
		concat(" ", [
			`Requests from a node to Service "{}" fail while DaemonSet "{}" is updated there:`,
			`"internalTrafficPolicy: Local" allows no pod of another node, and the old pod stops before the new one starts.`,
		]),
		[services.service[min(gap.services)].name, workloads.name[at.document]],
	)
}

related contains {"at": at, "places": related_places.objects(gap.services)} if some at, gap in _gaps

fix contains {"at": at, "assumption": assumption, "patch": _steps(at.document)} if {
	assumption := "Two pods may run on one node at the same time, and there is room for the second."
	some at, _ in _gaps
	not _excludes_a_second_pod[at.document]
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Two pods cannot share the node. From Kubernetes 1.35 on, \"trafficDistribution: PreferSameNode\" in place of the",
		"policy lets requests go to another node for as long as the own one has no pod.",
	])
	some at, _ in _gaps
	_excludes_a_second_pod[at.document]
}

_gaps := {at: {"services": local, "level": level} |
	some i in workloads.complete
	workloads.kind[i] == "DaemonSet"
	local := {s | some s in services.by_workload[i]; _is_local(s)}
	count(local) > 0
	strategy := _strategy(i)
	not strategy.type == "OnDelete"
	not _surges(strategy)
	level := {true: "info", false: "warning"}[count(local - services.metrics_only) == 0]
	at := {"document": i, "path": _path(i)}
}

_is_local(s) if {
	input.documents[s].object.spec.internalTrafficPolicy == "Local"

	# Clients of a headless Service choose a pod themselves.
	not services.service[s].headless
}

_strategy(i) := strategy if {
	strategy := input.documents[i].object.spec.updateStrategy
	is_object(strategy)
} else := {}

_surges(strategy) if not object.get(strategy, ["rollingUpdate", "maxSurge"], null) in {null, 0, "0%"}

_path(i) := ["spec", "updateStrategy"] if {
	is_object(input.documents[i].object.spec.updateStrategy)
} else := ["spec"]

_excludes_a_second_pod := {i: true | some i, _ in placement.exclusive_node}

_steps(i) := [patches.put(object.keys(input.documents[i].object.spec), ["spec", "updateStrategy"], strategy)] if {
	count(_strategy(i)) == 0
	strategy := {"type": "RollingUpdate", "rollingUpdate": _settings}
} else := [patches.put(object.keys(strategy), ["spec", "updateStrategy", "rollingUpdate"], _settings)] if {
	strategy := _strategy(i)
	not is_object(object.get(strategy, "rollingUpdate", null))
} else := [step |
	settings := _strategy(i).rollingUpdate
	some key, value in _settings
	step := patches.put(object.keys(settings), ["spec", "updateStrategy", "rollingUpdate", key], value)
]

_settings := {"maxSurge": 1, "maxUnavailable": 0}
