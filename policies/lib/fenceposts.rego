# METADATA
# title: Fenceposts
# description: How many pods a rolling update takes away and adds at once, as the controllers count it.
# schemas:
# - input: schema.input
package gracegate.lib.fenceposts

import data.gracegate.lib.scaling
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Rolling updates by document
# description: |
#   `unavailable` and `surge` are pods out of `replicas`, and `forced` says that both came to none, which would never
#   end, so that one pod is taken away after all. `refused` says that it is written as none, which is not taken. `path`
#   leads to where the manifest decides on them, `written` is what it says there: only of workloads that say something,
#   as the defaults take none of few pods away.
of := {i: found |
	some i in workloads.whole
	not scaling.lent[i]
	path := _path[workloads.kind[i]]
	written := _written(workloads.kind[i], i)
	is_object(written)
	replicas := scaling.replicas[i]
	unavailable := floor(_pods(object.get(written, "maxUnavailable", null), replicas))
	surge := ceil(_pods(object.get(written, "maxSurge", null), replicas))
	forced := (unavailable + surge) == 0
	nothing := [key | some key in ["maxSurge", "maxUnavailable"]; is_none(object.get(written, key, null))]
	found := {
		"replicas": replicas,
		"unavailable": max({unavailable} | {1 | forced}),
		"surge": surge,
		"forced": forced,
		"refused": count(nothing) == 2,
		"path": path,
		"written": written,
	}
}

# METADATA
# title: Rolling updates that say nothing of their numbers, by document
# description: What the defaults come to, as in `of`.
by_default := {i: found |
	some i in workloads.whole
	not of[i]
	not scaling.lent[i]
	_rolls(object.get(input.documents[i].object, ["spec", "strategy"], null), _type[workloads.kind[i]])
	replicas := scaling.replicas[i]
	found := {
		"replicas": replicas,
		"unavailable": floor(_pods(null, replicas)),
		"surge": ceil(_pods(null, replicas)),
	}
}

_type := {"Deployment": "RollingUpdate", "DeploymentConfig": "Rolling"}

_rolls(null, _)

_rolls(strategy, type) if {
	is_object(strategy)
	object.get(strategy, "type", null) in {null, "", type}
}

# METADATA
# scope: document
# title: Is a number of pods written as none?
is_none(0)

is_none(value) if regex.match(`^0+%$`, values.text(value))

_path := {
	"Deployment": ["spec", "strategy", "rollingUpdate"],
	"DeploymentConfig": ["spec", "strategy", "rollingParams"],
	"Rollout": ["spec", "strategy", "canary"],
}

_written("Deployment", i) := strategy.rollingUpdate if {
	strategy := input.documents[i].object.spec.strategy
	is_object(strategy)
	object.get(strategy, "type", null) in {null, "", "RollingUpdate"}
}

_written("DeploymentConfig", i) := strategy.rollingParams if {
	strategy := input.documents[i].object.spec.strategy
	is_object(strategy)
	object.get(strategy, "type", null) in {null, "", "Rolling"}
}

# Under traffic routing the stable pods stay until the last step.
_written("Rollout", i) := strategy.canary if {
	strategy := input.documents[i].object.spec.strategy
	not strategy.canary.trafficRouting
}

_pods(null, replicas) := (replicas * 25) / 100

_pods(value, _) := number if {
	number := values.whole(value, -1)
	number >= 0
}

_pods(value, replicas) := (replicas * to_number(found[0][1])) / 100 if {
	is_string(value)
	found := regex.find_all_string_submatch_n(`^0*(\d{1,4})%$`, value, 1)
}
