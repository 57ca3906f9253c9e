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
replicas := {i: number | some i, _ in workloads.kind; number := _replicas(i)}

# METADATA
# title: Idle workloads
# description: A set of documents, scaled to zero on purpose, without an autoscaler that would change that.
idle := {i | some i, number in replicas; number == 0; not autoscalers_by_workload[_controller(i)]}

# METADATA
# title: Deployment of a Rollout, by document of the Rollout
# description: The one that its workloadRef names, whose pod template it runs instead of its own.
deployment_of_rollout := {rollout: min(deployments) | some rollout, deployments in values.groups(_references)}

# METADATA
# title: Deployments that a Rollout runs
# description: A set of the documents that a Rollout names in its workloadRef.
is_run_by_rollout := {deployment | some deployment in deployment_of_rollout}

# METADATA
# title: Autoscaler by document
# description: |
#   `kind` and `name`, `target` as [kind, name] of the workload, and `fields`, the keys of its spec. `floor` is its
#   lowest number of replicas, `floor_field` the key that sets it, `is_explicit` whether the manifest does. `ceiling` is
#   its highest number, at least the floor. `floor` and `ceiling` are left out if they depend on a variable.
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
	})
}

# METADATA
# title: Workloads by autoscaler
# description: By document of the autoscaler, the workloads in one of its scopes that it targets; namespaces agree.
workloads_by_autoscaler := {s: found |
	some s, autoscaler in autoscalers
	found := {i |
		some scope in joins.scopes[s]
		some i in _workloads_by_scope[[autoscaler.target, scope]]
		joins.namespaces_agree(joins.namespace[i], joins.namespace[s])
	}
}

# METADATA
# title: Autoscalers by workload
# description: By document of the workload, the documents of the autoscalers that target it.
autoscalers_by_workload := values.groups({[i, s] | some s, found in workloads_by_autoscaler; some i in found})

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
	},
	"ScaledObject": {
		"floor": "minReplicaCount",
		"default_floor": 0,
		"ceiling": "maxReplicaCount",
		"default_ceiling": 100,
	},
}

_floor(spec, schema) := values.number(object.get(spec, schema.floor, null), schema.default_floor)

_replicas(i) := max(floors) if {
	found := autoscalers_by_workload[_controller(i)]
	floors := [least | some s in found; least := autoscalers[s].floor]
	count(floors) == count(found)
} else := number if {
	controller := _controller(i)
	not autoscalers_by_workload[controller]
	number := values.number(object.get(input.documents[controller].object, ["spec", "replicas"], null), 1)
}

# What sets the replicas of the pods: the Rollout that runs them, else the workload itself.
_controller(i) := min(_rollouts[i]) if {
	_rollouts[i]
} else := i

_rollouts := values.groups({[deployment, rollout] | some rollout, deployment in deployment_of_rollout})

_references := {[i, d] |
	some i, "Rollout" in workloads.kind
	reference := input.documents[i].object.spec.workloadRef
	some scope in joins.scopes[i]
	some d in _referable[[reference.kind, reference.name, scope]]
	joins.namespaces_agree(joins.namespace[i], joins.namespace[d])
}

_referable := values.groups({[[kind, workloads.name[i], scope], i] |
	some i, kind in workloads.kind
	_referenced_names[workloads.name[i]]
	some scope in joins.scopes[i]
})

_referenced_names := {input.documents[r].object.spec.workloadRef.name | some r, "Rollout" in workloads.kind}

_is_uncertain(i) if joins.near_unread_files[i]

_is_uncertain(i) if {
	some p in workloads.fragments[[workloads.kind[i], workloads.name[i]]]
	object.get(input.documents[p].object, ["spec", "replicas"], null) != null
}

_is_uncertain(i) if {
	not autoscalers_by_workload[i]
	_autoscalers_by_target[[workloads.kind[i], workloads.name[i]]]
}

_workloads_by_scope := values.groups({[[[kind, workloads.name[i]], scope], i] |
	some i, kind in workloads.kind
	_autoscalers_by_target[[kind, workloads.name[i]]]
	not input.documents[i].fragment
	some scope in joins.scopes[i]
})

_autoscalers_by_target := values.groups({[autoscaler.target, s] | some s, autoscaler in autoscalers})
