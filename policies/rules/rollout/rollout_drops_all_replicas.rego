# METADATA
# title: Rollout stops every pod at once
# description: |
#   The update strategy lets a rollout stop as many pods as there are, so the old version is gone before the new one is
#   ready. Until then no pod can serve, and if the new version never becomes ready, none ever does.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
#   description: How maxUnavailable and maxSurge are counted
# - ref: https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/MaxUnavailableStatefulSet/
#   description: In which versions a StatefulSet obeys maxUnavailable
# - ref: https://github.com/kubernetes/kubernetes/issues/137409
#   description: Why 1.35.4 and 1.36 do not
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   exceptions:
#   - There must never be two pods at the same time, and downtime was chosen as the price for it.
#   example:
#   - {op: add, path: [spec, strategy], value: {rollingUpdate: {maxUnavailable: 100%}}}
package gracegate.rules.rollout["rollout-drops-all-replicas"]

import data.gracegate.lib.patches
import data.gracegate.lib.placement
import data.gracegate.lib.related_places
import data.gracegate.lib.rolling_update
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level, "measure": update.replicas} if {
	some at, update in _dropping
	level := _level(at.document, update)
	message := text.format(`A rollout of {} "{}" can stop {} before a new one is ready: {}.`, [
		workloads.kind[at.document],
		workloads.name[at.document],
		_all(update.replicas),
		_because(update),
	])
}

violation contains {"at": at, "message": message, "level": level} if {
	some at, update in _stopping_all
	level := _stopping_level(at.document, update)
	message := text.format(
		`A rollout of {} "{}" can stop {} before a new one is ready: "maxUnavailable: {}" allows it{}.`,
		[
			workloads.kind[at.document],
			workloads.name[at.document],
			_all_of(at.document),
			update.settings.maxUnavailable,
			_where(at.document),
		],
	)
}

# One after another, as without the setting.
fix contains {"at": at, "patch": [{"op": "replace", "path": at.path, "value": 1}]} if some at, _ in _stopping_all

fix contains object.union(_condition(at.document, update), {"at": at, "patch": array.concat([keep], more)}) if {
	some at, update in _dropping
	keys := object.keys(update.settings)
	[unavailable, surge] := _pods(update)
	keep := patches.put(keys, array.concat(update.path, ["maxUnavailable"]), unavailable)
	more := [patches.put(keys, array.concat(update.path, ["maxSurge"]), surge) | surge != update.surge]
}

related contains {"at": at, "places": related_places.objects(services.first_by_workload[update.pods])} if {
	some at, update in _dropping
}

possible contains at if {
	some at, update in _dropping
	services.served_status[update.pods] == "unknown"
}

# One of several pods may be missing, so that nothing is added that the manifest does not add itself.
_pods(update) := [1, update.surge] if {
	update.replicas > 1
} else := [0, max({1, update.surge})]

# To replace several pods one by one starts no new pod earlier than the manifest allows: pods that are stopping count as
# gone, so old and new ones run side by side even if all may be missing.
_condition(i, update) := {} if {
	update.replicas > 1
	not scaling.has_uncertain_replicas[i]
} else := {"class": "assumes", "assumption": assumption} if {
	update.replicas > 1
	assumption := "The workload has at least 2 pods, whatever other files set."
} else := {"class": "assumes", "assumption": assumption} if {
	also := [text.format(", and there is room for {}", [update.room]) | update.room != ""]
	assumption := concat("", ["Two versions of the app may run at the same time", concat("", also), "."])
}

# Where a second pod may find no room, to stop the old one first may be meant. The floor of an autoscaler is one of many
# numbers, and what sets the number elsewhere is not known.
_level(i, update) := "error" if {
	services.served_status[update.pods] == "yes"
	update.room == ""
	_is_certain(i, update)
} else := "warning"

_is_certain(_, update) if regex.match(`^\d{3,}%$`, values.string(object.get(update.settings, "maxUnavailable", null)))

_is_certain(i, _) if {
	not scaling.autoscalers_by_workload[i]
	not scaling.has_uncertain_replicas[i]
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
	found := object.union(update, {"pods": pods, "room": _room(pods)})
}

_stopping_all := {at: update |
	some i, update in rolling_update.stopping_all
	services.served_status[i] != "no"
	at := {"document": i, "path": array.concat(update.path, ["maxUnavailable"])}
}

_stopping_level(i, update) := "error" if {
	services.served_status[i] == "yes"
	_is_certain(i, update)
	not _is_ordered(i)
} else := "warning"

# Kubernetes' own description of the field says that it might not be effective then.
_is_ordered(i) if {
	_where(i) != ""
	not rolling_update.is_parallel(i)
}

# The versions in which a StatefulSet obeys the field: MaxUnavailableStatefulSet was on in 1.35.0 to 1.35.3, then off
# again until 1.37.
_where(i) := ", in Kubernetes 1.35 and from 1.37 on" if {
	workloads.kind[i] == "StatefulSet"
	not startswith(input.documents[i].object.apiVersion, "apps.kruise.io/")
} else := ""

_all_of(i) := "its pods on all nodes" if {
	workloads.kind[i] == "DaemonSet"
} else := _all(scaling.replicas[i])

# What a second pod needs beside the first; empty if nothing is known to be scarce.
_room(i) := text.format("another {}", [placement.scarce_resource[i].name]) if {
	placement.scarce_resource[i]
} else := text.format("a second pod at {} of the node", [placement.writable_host_path[i]]) if {
	placement.writable_host_path[i]
} else := ""

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
