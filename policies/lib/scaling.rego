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
replicas[i] := max(_floors[i]) if count(_floors[i]) > 0

replicas[i] := _written[_controller[i]] if {
	some i, floors in _floors
	count(floors) == 0
}

# METADATA
# title: Idle workloads
# description: Scaled to zero on purpose, with no autoscaler that would change that.
idle contains i if {
	some i, floors in _floors
	count(floors) == 0
	replicas[i] == 0
}

# METADATA
# title: Autoscaled workloads
autoscaled contains i if {
	some i, floors in _floors
	count(floors) > 0
}

# METADATA
# title: Template of a Rollout, by document
# description: An Argo Rollout may use the pods of a Deployment instead of its own.
template[i] := min(deployments) if {
	some i, deployments in _referenced
	count(deployments) > 0
}

_referenced[i] := {d |
	reference := input.documents[i].object.spec.workloadRef
	some scope in places.scopes[i]
	some d in _workloads[[reference.kind, reference.name, scope]]
	places.agree(places.namespace[i], places.namespace[d])
} if {
	some i, "Rollout" in workloads.kind
}

# Who decides on the replicas: the Rollout where one uses the workload's pods, else the workload.
_controller[i] := _borrowers[i][0]

_controller[i] := i if {
	some i, _ in workloads.kind
	not _borrowers[i]
}

_borrowers := values.grouped({[d, rollout] | some rollout, d in template})

_written[i] := values.whole(object.get(input.documents[i].object, ["spec", "replicas"], 1), 1) if some i, _ in workloads.kind

_floors[i] := {floor |
	c := _controller[i]
	some scope in places.scopes[c]
	some scaler in _scalers[[workloads.kind[c], workloads.name[c], scope]]
	places.agree(places.namespace[c], places.namespace[scaler])
	floor := _floor[scaler]
} if {
	some i, _ in workloads.kind
}

_workloads := values.grouped({[[kind, workloads.name[i], scope], i] |
	some i, kind in workloads.kind
	some scope in places.scopes[i]
})

_scalers := values.grouped({[[kind, target.name, scope], i] |
	some i, kind in _scaled_kind
	target := input.documents[i].object.spec.scaleTargetRef
	some scope in places.scopes[i]
})

_scaled_kind[i] := document.object.spec.scaleTargetRef.kind if {
	some i, document in input.documents
	document.object.kind == "HorizontalPodAutoscaler"
}

_scaled_kind[i] := values.text(object.get(document.object.spec.scaleTargetRef, "kind", "Deployment")) if {
	some i, document in input.documents
	document.object.kind == "ScaledObject"
	is_object(document.object.spec.scaleTargetRef)
}

_floor[i] := values.whole(object.get(document.object, ["spec", "minReplicas"], 1), 1) if {
	some i, document in input.documents
	document.object.kind == "HorizontalPodAutoscaler"
}

# KEDA scales to zero unless told otherwise.
_floor[i] := values.whole(object.get(document.object, ["spec", "minReplicaCount"], 0), 0) if {
	some i, document in input.documents
	document.object.kind == "ScaledObject"
}
