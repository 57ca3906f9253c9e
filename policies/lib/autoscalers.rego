# METADATA
# title: Autoscalers
# description: Which workload an autoscaler scales, between which numbers.
# schemas:
# - input: schema.input
package gracegate.lib.autoscalers

import data.gracegate.lib.fragments
import data.gracegate.lib.places
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Autoscaler by document
# description: |
#   `key` is the field that its floor stands in, and `said` whether it does. `most` is at least the floor.
of := {s: found |
	some s, document in input.documents
	kind := document.object.kind
	field := _fields[kind]
	spec := document.object.spec
	is_object(spec.scaleTargetRef)
	least := values.whole(object.get(spec, field.floor, field.least), field.least)
	found := {
		"kind": kind,
		"name": values.text(object.get(document.object, ["metadata", "name"], "")),
		"target": [
			values.text(object.get(spec.scaleTargetRef, "kind", "Deployment")),
			values.text(object.get(spec.scaleTargetRef, "name", "")),
		],
		"key": field.floor,
		"keys": object.keys(spec),
		"floor": least,
		"said": values.whole(object.get(spec, field.floor, null), -1) == least,
		"most": max({least, values.whole(object.get(spec, field.most, field.many), field.many)}),
	}
}

# METADATA
# title: Workloads that an autoscaler scales, by document of the autoscaler
# description: Those in one of its scopes, with a namespace that agrees.
scaled := {s: found |
	some s, scaler in of
	found := {i |
		some scope in places.scopes[s]
		some i in _located[[scaler.target, scope]]
		places.agree(places.namespace[i], places.namespace[s])
	}
}

# METADATA
# title: Autoscalers of a workload, by document of the workload
scaling := values.grouped({[i, s] | some s, found in scaled; some i in found})

# METADATA
# title: Workloads whose number of replicas is perhaps decided elsewhere
# description: |
#   By a patch of theirs, an autoscaler that is not near, or something in a file that cannot be read.
unsettled := {i: true |
	some i, _ in workloads.kind
	_may_be_decided(i)
}

_fields := {
	"HorizontalPodAutoscaler": {"floor": "minReplicas", "least": 1, "most": "maxReplicas", "many": 1},
	"ScaledObject": {"floor": "minReplicaCount", "least": 0, "most": "maxReplicaCount", "many": 100},
}

_may_be_decided(i) if places.doubtful[i]

_may_be_decided(i) if {
	some p in fragments.of[[workloads.kind[i], workloads.name[i]]]
	object.get(input.documents[p].object, ["spec", "replicas"], null) != null
}

_may_be_decided(i) if {
	not scaling[i]
	_targets[[workloads.kind[i], workloads.name[i]]]
}

_located := values.grouped({[[[kind, workloads.name[i]], scope], i] |
	some i, kind in workloads.kind
	_targets[[kind, workloads.name[i]]]
	not input.documents[i].fragment
	some scope in places.scopes[i]
})

_targets := values.grouped({[scaler.target, s] | some s, scaler in of})
