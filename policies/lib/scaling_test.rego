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
		"an object": [[web({})], 1],
		"zero": [[web(0)], 0],
		"said": [[web(4)], 4],
		"the floor of the autoscaler": [[web(4), hpa(2, "Deployment")], 2],
		"of another kind": [[web(4), hpa(2, "StatefulSet")], 4],
		"the higher of two floors": [[web(4), hpa(2, "Deployment"), hpa(3, "Deployment")], 3],
	}
	replicas := scaling.replicas[0] with input as testing.batch(case[0])
	replicas == case[1]
}

test_idle[note] if {
	some note, case in {
		"zero": [[web(0)], {0}],
		"zero until scaled": [[web(0), hpa(2, "Deployment")], set()],
		"one": [[web(1)], set()],
	}
	idle := scaling.idle with input as testing.batch(case[0])
	idle == case[1]
}

# The Deployment of a Rollout is scaled to zero and has as many pods as the Rollout says.
test_lent if {
	rollout := {
		"apiVersion": "argoproj.io/v1alpha1",
		"kind": "Rollout",
		"metadata": {"name": "web"},
		"spec": {"replicas": 5, "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
	}
	got := {"replicas": scaling.replicas, "idle": scaling.idle, "lent": scaling.lent} with input as testing.batch([
		web(0),
		rollout,
	])
	got == {"replicas": {0: 5, 1: 5}, "idle": set(), "lent": {0}}
}
