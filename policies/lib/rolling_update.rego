# METADATA
# title: Rolling updates
# description: How many pods a rolling update adds and stops at once, as the controllers count them.
# schemas:
# - input: schema.input
package gracegate.lib.rolling_update

import data.gracegate.lib.patches
import data.gracegate.lib.scaling
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Explicit rolling updates by document
# description: |
#   Of complete workloads whose manifest has the settings. `unavailable` and `surge` are pods out of `replicas`.
#   `is_forced` says that both were rounded to 0, which would never end, so that the controller takes one pod away
#   nevertheless; `is_rejected` that both are written as 0, which the API server rejects. `path` leads to the settings
#   from the document's root, `settings` is the object there.
explicit := {i: found |
	some i in workloads.complete
	not scaling.is_run_by_rollout[i]
	settings := _settings(workloads.kind[i], i)
	is_object(settings)
	replicas := scaling.replicas[i]
	unavailable := floor(_pods(object.get(settings, "maxUnavailable", null), replicas))
	surge := ceil(_pods(object.get(settings, "maxSurge", null), replicas))
	is_forced := (unavailable + surge) == 0
	zeros := [key | some key in ["maxSurge", "maxUnavailable"]; is_zero(object.get(settings, key, null))]
	found := {
		"replicas": replicas,
		"unavailable": max({unavailable} | {1 | is_forced}),
		"surge": surge,
		"is_forced": is_forced,
		"is_rejected": count(zeros) == 2,
		"path": ["spec", "strategy", _field[workloads.kind[i]]],
		"settings": settings,
	}
}

# METADATA
# title: Implicit rolling updates by document
# description: |
#   Of complete workloads whose manifest leaves the numbers to the defaults: `replicas`, `unavailable` and `surge` as in
#   `explicit`.
implicit := {i: found |
	some i in workloads.complete
	not _has_settings(i)
	not scaling.is_run_by_rollout[i]
	_is_rolling(object.get(input.documents[i].object, ["spec", "strategy"], null), _type[workloads.kind[i]])
	replicas := scaling.replicas[i]
	found := {
		"replicas": replicas,
		"unavailable": floor(_pods(null, replicas)),
		"surge": ceil(_pods(null, replicas)),
	}
}

# METADATA
# title: Updates that may stop all pods, by document
# description: |
#   Of complete DaemonSets, and of StatefulSets and CloneSets with several pods, whose `updateStrategy` lets all of them
#   be unavailable: `path` to the settings from the document's root, and `settings`, the object there. Not of Advanced
#   StatefulSets of OpenKruise that update one pod after another.
stopping_all := {i: {"path": path, "settings": settings} |
	some i in workloads.complete
	path := _update_path[_api(i)]
	settings := object.get(input.documents[i].object, path, null)
	is_object(settings)
	not input.documents[i].object.spec.updateStrategy.type == "OnDelete"
	object.get(settings, "partition", null) in {null, 0, "0%"}
	_may_stop_all(_api(i), i, object.get(settings, "maxUnavailable", null))
}

# METADATA
# scope: document
# title: Does a StatefulSet start and stop its pods in parallel?
# description: That with the number i.
is_parallel(i) if {
	input.documents[i].object.spec.podManagementPolicy == "Parallel"
} else := false

# METADATA
# scope: document
# title: Is a number of pods written as 0?
# description: As 0 or 0%.
is_zero(0)

is_zero(value) if regex.match(`^0+%$`, values.string(value))

# METADATA
# scope: document
# title: Steps to a rolling update
# description: |
#   The steps that give the workload in document i a rolling update with these numbers of pods. Everything else in its
#   strategy is kept. Undefined for kinds that have no such strategy.
steps(i, surge, unavailable) := [patches.put(object.keys(spec), ["spec", "strategy"], strategy)] if {
	spec := input.documents[i].object.spec
	not is_object(object.get(spec, "strategy", null))
	strategy := object.union(_typed(i), {_field[workloads.kind[i]]: _numbers(surge, unavailable)})
}

steps(i, surge, unavailable) := array.concat(type_steps, number_steps) if {
	strategy := input.documents[i].object.spec.strategy
	is_object(strategy)
	field := _field[workloads.kind[i]]
	type_steps := [patches.put(object.keys(strategy), ["spec", "strategy", key], value) |
		some key, value in _typed(i)
		strategy[key] == "Recreate"
	]
	pods := _numbers(surge, unavailable)
	number_steps := _number_steps(object.get(strategy, field, null), object.keys(strategy), field, pods)
}

_api(i) := {true: "Advanced StatefulSet", false: "one after another"}[is_parallel(i)] if {
	workloads.kind[i] == "StatefulSet"
	startswith(input.documents[i].object.apiVersion, "apps.kruise.io/")
} else := workloads.kind[i]

_update_path := {
	"Advanced StatefulSet": ["spec", "updateStrategy", "rollingUpdate"],
	"CloneSet": ["spec", "updateStrategy"],
	"DaemonSet": ["spec", "updateStrategy", "rollingUpdate"],
	"StatefulSet": ["spec", "updateStrategy", "rollingUpdate"],
}

# A DaemonSet has a pod on each node, however many there are.
_may_stop_all("DaemonSet", _, value) if _percent(value) >= 100

_may_stop_all(api, i, value) if {
	api in {"Advanced StatefulSet", "CloneSet"}
	scaling.replicas[i] > 1
	_percent(value) >= 100
}

# Percent are rounded up.
_may_stop_all("StatefulSet", i, value) if {
	scaling.replicas[i] > 1
	ceil(_pods(value, scaling.replicas[i])) >= scaling.replicas[i]
}

_may_stop_all(api, i, value) if {
	api in {"Advanced StatefulSet", "CloneSet"}
	scaling.replicas[i] > 1
	values.integer(value, -1) >= scaling.replicas[i]
}

_field := {"Deployment": "rollingUpdate", "DeploymentConfig": "rollingParams", "Rollout": "canary"}

_type := {"Deployment": "RollingUpdate", "DeploymentConfig": "Rolling"}

_typed(i) := {"type": _type[workloads.kind[i]]} if {
	_type[workloads.kind[i]]
} else := {}

_is_rolling(null, _)

_is_rolling(strategy, type) if {
	is_object(strategy)
	object.get(strategy, "type", null) in {null, "", type}
}

_has_settings(i) if is_object(_settings(workloads.kind[i], i))

_settings("Deployment", i) := strategy.rollingUpdate if {
	strategy := input.documents[i].object.spec.strategy
	is_object(strategy)
	object.get(strategy, "type", null) in {null, "", "RollingUpdate"}
}

_settings("DeploymentConfig", i) := strategy.rollingParams if {
	strategy := input.documents[i].object.spec.strategy
	is_object(strategy)
	object.get(strategy, "type", null) in {null, "", "Rolling"}
}

# With traffic routing the stable pods stay until the last step.
_settings("Rollout", i) := strategy.canary if {
	strategy := input.documents[i].object.spec.strategy
	not strategy.canary.trafficRouting
}

_pods(null, replicas) := (replicas * 25) / 100

_pods(value, _) := number if {
	number := values.integer(value, -1)
	number >= 0
}

_pods(value, replicas) := (replicas * _percent(value)) / 100

_percent(value) := to_number(found[0][1]) if {
	is_string(value)
	found := regex.find_all_string_submatch_n(`^0*(\d{1,4})%$`, value, 1)
}

_numbers(surge, unavailable) := {"maxSurge": surge, "maxUnavailable": unavailable}

_number_steps(settings, _, field, pods) := [step |
	some key in ["maxSurge", "maxUnavailable"]
	step := patches.put(object.keys(settings), ["spec", "strategy", field, key], pods[key])
] if {
	is_object(settings)
}

_number_steps(settings, keys, field, pods) := [patches.put(keys, ["spec", "strategy", field], pods)] if {
	not is_object(settings)
}
