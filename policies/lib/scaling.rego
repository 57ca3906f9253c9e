# METADATA
# title: Scaling
# description: How many replicas a workload runs at least, and who decides it.
# schemas:
# - input: schema.input
package gracegate.lib.scaling

import data.gracegate.lib.places
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Replicas in effect, by document
# description: The floor of the autoscaler that targets the workload, else what it says itself, else 1.
replicas := {i: _replicas(i) | some i, _ in workloads.kind}

# METADATA
# title: Idle workloads
# description: Scaled to zero on purpose, with no autoscaler that would change that.
idle := {i | some i, number in replicas; number == 0; not autoscaled[i]}

# METADATA
# title: Autoscaled workloads
autoscaled := {i | some i, floors in _floors; count(floors) > 0}

# METADATA
# title: Template of a Rollout, by document
# description: An Argo Rollout may run the pods of a Deployment instead of its own.
template := {rollout: min(deployments) | some rollout, deployments in values.grouped(_borrowed)}

# METADATA
# title: Workloads whose pods a Rollout runs
lent := {deployment | some deployment in template}

_replicas(i) := max(_floors[i]) if {
	count(_floors[i]) > 0
} else := values.whole(object.get(input.documents[_controller(i)].object, ["spec", "replicas"], 1), 1)

# Who decides on the replicas of the pods: the Rollout where one has borrowed them, else the workload itself.
_controller(i) := min(_borrowers[i]) if {
	_borrowers[i]
} else := i

_borrowers := values.grouped({[deployment, rollout] | some rollout, deployment in template})

_borrowed := {[i, d] |
	some i, "Rollout" in workloads.kind
	reference := input.documents[i].object.spec.workloadRef
	some scope in places.scopes[i]
	some d in _lenders[[reference.kind, reference.name, scope]]
	places.agree(places.namespace[i], places.namespace[d])
}

_lenders := values.grouped({[[kind, workloads.name[i], scope], i] |
	some i, kind in workloads.kind
	_referenced[workloads.name[i]]
	some scope in places.scopes[i]
})

_referenced := {input.documents[r].object.spec.workloadRef.name | some r, "Rollout" in workloads.kind}

_floors := {i: found |
	some i, _ in workloads.kind
	c := _controller(i)
	found := {least |
		some scope in places.scopes[c]
		some scaler in _scalers[[workloads.kind[c], workloads.name[c], scope]]
		places.agree(places.namespace[c], places.namespace[scaler])
		least := _floor(input.documents[scaler].object.kind, scaler)
	}
}

_scalers := values.grouped({[[object.get(target, "kind", "Deployment"), target.name, scope], i] |
	some i, document in input.documents
	document.object.kind in {"HorizontalPodAutoscaler", "ScaledObject"}
	target := document.object.spec.scaleTargetRef
	is_object(target)
	some scope in places.scopes[i]
})

_floor("HorizontalPodAutoscaler", i) := values.whole(
	object.get(input.documents[i].object, ["spec", "minReplicas"], 1),
	1,
)

# KEDA scales to zero unless told otherwise.
_floor("ScaledObject", i) := values.whole(object.get(input.documents[i].object, ["spec", "minReplicaCount"], 0), 0)
