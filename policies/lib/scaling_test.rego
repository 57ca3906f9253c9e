package gracegate.lib.scaling_test

import data.gracegate.lib.scaling
import data.gracegate.testing

hpa(least, kind) := {
	"apiVersion": "autoscaling/v2",
	"kind": "HorizontalPodAutoscaler",
	"metadata": {"name": "web"},
	"spec": {"minReplicas": least, "scaleTargetRef": {"kind": kind, "name": "web"}},
}

web(replicas) := testing.set(testing.web, ["spec", "replicas"], replicas)

test_replicas[note] if {
	some note, case in {
		"omitted": [[testing.web], 1],
		"null": [[web(null)], 1],
		"zero": [[web(0)], 0],
		"set": [[web(4)], 4],
		"the floor of the autoscaler": [[web(4), hpa(2, "Deployment")], 2],
		"of another kind": [[web(4), hpa(2, "StatefulSet")], 4],
		"the higher of two floors": [[web(4), hpa(2, "Deployment"), hpa(3, "Deployment")], 3],
	}
	replicas := scaling.replicas[0] with input as testing.batch(case[0])
	replicas == case[1]
}

test_unknown_replicas[note] if {
	some note, objects in {
		"an object": [web({})],
		"a variable": [web("${REPLICAS:=3}")],
		"the floor of the autoscaler is a variable": [web(4), hpa("$LEAST", "Deployment")],
		"one of two floors is a variable": [web(4), hpa(2, "Deployment"), hpa("$LEAST", "Deployment")],
	}
	replicas := scaling.replicas with input as testing.batch(objects)
	replicas == {}
}

test_idle[note] if {
	some note, case in {
		"zero": [[web(0)], {0}],
		"zero, which an autoscaler leaves alone": [[web(0), hpa(2, "Deployment")], {0}],
		"zero until KEDA scales it": [[web(0), object.union(hpa(2, "Deployment"), {"kind": "ScaledObject"})], set()],
		"one": [[web(1)], set()],
	}
	idle := scaling.idle with input as testing.batch(case[0])
	idle == case[1]
}

# The Deployment of a Rollout is scaled to zero and has as many pods as the Rollout sets.
test_deployment_of_a_rollout if {
	rollout := {
		"apiVersion": "argoproj.io/v1alpha1",
		"kind": "Rollout",
		"metadata": {"name": "web"},
		"spec": {"replicas": 5, "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
	}
	batch := testing.batch([web(0), rollout])
	got := [scaling.replicas, scaling.idle, scaling.is_run_by_rollout] with input as batch
	got == [{0: 5, 1: 5}, set(), {0}]
}

bounds(spec) := [object.get(found, "floor", ""), found.is_explicit, object.get(found, "ceiling", "")] if {
	manifest := object.union(testing.autoscaler, {"spec": object.union(spec, {"scaleTargetRef": {"name": "web"}})})
	found := scaling.autoscalers[0] with input as testing.batch([object.union(manifest, object.get(spec, "as", {}))])
}

test_autoscalers[note] if {
	some note, case in {
		"explicit": [{"minReplicas": 2, "maxReplicas": 6}, [2, true, 6]],
		"none": [{"minReplicas": null, "maxReplicas": null}, [1, false, 1]],
		"strings": [{"minReplicas": "2", "maxReplicas": {}}, ["", false, ""]],
		"a variable as the floor": [{"minReplicas": "$LEAST", "maxReplicas": 6}, ["", false, ""]],
		"a variable as the ceiling": [{"minReplicas": 2, "maxReplicas": "$MOST"}, [2, true, ""]],
		"a floor above the ceiling": [{"minReplicas": 4, "maxReplicas": 2}, [4, true, 4]],
		"KEDA": [{"minReplicas": null, "minReplicaCount": 0, "as": {"kind": "ScaledObject"}}, [0, true, 100]],
		"KEDA without numbers": [{"as": {"kind": "ScaledObject"}}, [0, false, 100]],
	}
	bounds(case[0]) == case[1]
}

has_uncertain_replicas(documents) if {
	found := scaling.has_uncertain_replicas with input as testing.batch_of(documents)
	found[0]
}

test_uncertain_replicas[note] if {
	some note, documents in {
		"by a patch": [testing.fragment(testing.with_replicas(3), "overlay/web.yaml")],
		"by an autoscaler elsewhere": [testing.document(testing.autoscaler, "overlay/hpa.yaml")],
	}
	has_uncertain_replicas(array.concat([testing.document(testing.web, "apps/web.yaml")], documents))
}

test_certain_replicas[note] if {
	some note, documents in {
		"nothing": [],
		"by a patch of something else": [testing.fragment(testing.web, "overlay/web.yaml")],
		"by an autoscaler that is near": [testing.document(testing.autoscaler, "apps/hpa.yaml")],
	}
	not has_uncertain_replicas(array.concat([testing.document(testing.web, "apps/web.yaml")], documents))
}

test_uncertain_replicas_near_an_unread_file if {
	found := scaling.has_uncertain_replicas with input as testing.with_unread_file(testing.batch([testing.web]))
	found == {0: true}
}
