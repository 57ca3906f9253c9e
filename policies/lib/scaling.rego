# METADATA
# title: Scaling
# description: How many replicas a workload has at least, and what decides that.
# schemas:
# - input: schema.input
package gracegate.lib.scaling

import data.gracegate.lib.joins
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Replicas by document
# description: |
#   Of workloads: the highest floor of the autoscalers that target it, else what its manifest sets, else 1. Pods of a
#   Deployment that a Rollout runs have the replicas of the Rollout. Workloads whose number is a variable are left out.
#   A HorizontalPodAutoscaler leaves a workload at 0 that its manifest scales to 0; KEDA does not.
replicas := {i: number | some i, _ in workloads.kind; number := _numbers[_controller(i)]}

# METADATA
# title: Idle workloads
# description: A set of documents, scaled to zero on purpose, without an autoscaler that would change that.
idle := {i |
	some i, number in replicas
	number == 0
	_stays_at_zero[_controller(i)]
}

# METADATA
# title: Deployment of a Rollout, by document of the Rollout
# description: The one that its workloadRef names, whose pod template it runs instead of its own.
deployment_of_rollout := {i: min(found) |
	some i, "Rollout" in workloads.kind
	reference := input.documents[i].object.spec.workloadRef
	found := {_first_referable[[reference.kind, reference.name, scope]] | some scope in joins.search_scopes[i]}
	count(found) > 0
}

# METADATA
# title: Deployments that a Rollout runs
# description: A set of the documents that a Rollout names in its workloadRef.
is_run_by_rollout := {deployment | some deployment in deployment_of_rollout}

# METADATA
# title: Autoscaler by document
# description: |
#   `kind` and `name`, `target` as [kind, name] of the workload, and `fields`, the keys of its spec. `floor` is its
#   lowest number of replicas under load, `floor_field` the key that sets it, `is_explicit` whether the manifest does.
#   `stops_when_idle` says that KEDA leaves no pod while nothing happens, whatever the floor is. `ceiling` is its
#   highest number, at least the floor. `floor` and `ceiling` are left out if they depend on a variable.
autoscalers := {s: found |
	some s, document in input.documents
	kind := document.object.kind
	schema := _schemas[kind]
	spec := document.object.spec
	is_object(spec.scaleTargetRef)
	floors := {"floor": least | least := _floor(spec, schema)}
	ceilings := {"ceiling": max([_floor(spec, schema), most]) |
		most := values.number(object.get(spec, schema.ceiling, null), schema.default_ceiling)
	}
	found := object.union(object.union(floors, ceilings), {
		"kind": kind,
		"name": values.string(object.get(document.object, ["metadata", "name"], "")),
		"target": [
			values.string(object.get(spec.scaleTargetRef, "kind", "Deployment")),
			values.string(object.get(spec.scaleTargetRef, "name", "")),
		],
		"fields": object.keys(spec),
		"floor_field": schema.floor,
		"is_explicit": values.integer(object.get(spec, schema.floor, null), -1) >= 0,
		"stops_when_idle": values.integer(object.get(spec, schema.idle, null), -1) == 0,
	})
}

# METADATA
# title: Representative by workload
# description: |
#   Of workloads that some autoscaler may target: the lowest document of those with the same entry in
#   `autoscalers_by_workload`. What follows from its autoscalers alone is the same for all of them.
representative := joins.representatives({i: [kind, workloads.name[i], sort(joins.search_scopes[i])] |
	some i, kind in workloads.kind
	_targets[[kind, workloads.name[i]]]
	not input.documents[i].fragment
})

# METADATA
# title: Autoscalers by workload
# description: |
#   By document of the workload, the documents of the autoscalers that target it, in one of its scopes and with a
#   namespace that agrees.
autoscalers_by_workload := {i: _autoscalers[r] | some i, r in representative}

# METADATA
# title: Representative by autoscaler
# description: The lowest autoscaler with the same entry in `workloads_by_autoscaler`, by document of the autoscaler.
representative_autoscaler := joins.representatives(_targeted)

# METADATA
# title: Workloads by autoscaler
# description: By document of the autoscaler, the workloads that have it in `autoscalers_by_workload`.
workloads_by_autoscaler := {s: _workloads[lowest] | some s, lowest in representative_autoscaler}

# METADATA
# title: Workloads whose replicas are uncertain
# description: |
#   By document, true if a patch of the workload, an autoscaler elsewhere, or a file that could not be read may set its
#   number of replicas.
has_uncertain_replicas := {i: true |
	some i, _ in workloads.kind
	_is_uncertain(i)
}

# KEDA scales to zero by default.
_schemas := {
	"HorizontalPodAutoscaler": {
		"floor": "minReplicas",
		"default_floor": 1,
		"ceiling": "maxReplicas",
		"default_ceiling": 1,
		"idle": "",
	},
	"ScaledObject": {
		"floor": "minReplicaCount",
		"default_floor": 0,
		"ceiling": "maxReplicaCount",
		"default_ceiling": 100,
		"idle": "idleReplicaCount",
	},
}

_floor(spec, schema) := values.number(object.get(spec, schema.floor, null), schema.default_floor)

# Scaled to zero by their manifest, without an autoscaler or with one that leaves it so.
_stays_at_zero := {i |
	some i, _ in workloads.kind
	values.integer(object.get(input.documents[i].object, ["spec", "replicas"], null), 1) == 0
	every s in object.get(autoscalers_by_workload, i, set()) {
		autoscalers[s].kind == "HorizontalPodAutoscaler"
	}
}

_numbers := object.union(object.union(_scaled, _written), {i: 0 | some i in _stays_at_zero})

_scaled := {i: _floors[representative[i]] | some i, _ in autoscalers_by_workload}

_written := {i: number |
	some i, _ in workloads.kind
	not autoscalers_by_workload[i]
	number := values.number(object.get(input.documents[i].object, ["spec", "replicas"], null), 1)
}

# The highest floor, by representative of the workload. Undefined if one of them is not known.
_floors := {r: max(floors) |
	some r, found in _autoscalers
	floors := [least | some s in found; least := autoscalers[s].floor]
	count(floors) == count(found)
}

# What sets the replicas of the pods: the Rollout that runs them, else the workload itself.
_controller(i) := object.get(_rollout, i, i)

_rollout := {deployment: min(found) |
	some deployment, found in values.groups([[d, rollout] | some rollout, d in deployment_of_rollout])
}

_first_referable := {key: min(found) |
	some key, found in values.groups([[[kind, workloads.name[i], scope], i] |
		some i, kind in workloads.kind
		_referenced_names[workloads.name[i]]
		some scope in joins.index_scopes[i]
	])
}

_referenced_names := {input.documents[r].object.spec.workloadRef.name | some r, "Rollout" in workloads.kind}

_is_uncertain(i) if joins.near_unread_files[i]

_is_uncertain(i) if _patched[[workloads.kind[i], workloads.name[i]]]

_is_uncertain(i) if {
	not autoscalers_by_workload[i]
	_targets[[workloads.kind[i], workloads.name[i]]]
}

# As [kind, name] of the workload, whose replicas a fragment sets.
_patched := {key |
	some key, found in workloads.fragments
	some p in found
	object.get(input.documents[p].object, ["spec", "replicas"], null) != null
}

_targets := {autoscaler.target | some autoscaler in autoscalers}

# By representative of the workload; those that no autoscaler near it targets are left out.
_autoscalers := {r: found |
	some r in {r | some r in representative}
	target := [workloads.kind[r], workloads.name[r]]
	found := {s | some scope in joins.search_scopes[r]; some s in _by_scope[[target, scope]]}
	count(found) > 0
}

_by_scope := values.groups([[[autoscaler.target, scope], s] |
	some s, autoscaler in autoscalers
	some scope in joins.index_scopes[s]
])

# The representatives of the workloads that an autoscaler targets.
_targeted := {s: values.sorted_documents(found) |
	some s, found in values.groups([[s, r] | some r, found in _autoscalers; some s in found])
}

_workloads := {lowest: found |
	some lowest in {lowest | some lowest in representative_autoscaler}
	found := {i | some r in _targeted[lowest]; some i in _represented[r]}
}

_represented := values.groups([[r, i] | some i, r in representative])
