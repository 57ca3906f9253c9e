package gracegate.lib.autoscalers_test

import data.gracegate.lib.autoscalers
import data.gracegate.testing

bounds(spec) := [found.floor, found.said, found.most] if {
	manifest := object.union(testing.autoscaler, {"spec": object.union(spec, {"scaleTargetRef": {"name": "web"}})})
	found := autoscalers.of[0] with input as testing.batch([object.union(manifest, object.get(spec, "as", {}))])
}

test_numbers[note] if {
	some note, case in {
		"said": [{"minReplicas": 2, "maxReplicas": 6}, [2, true, 6]],
		"none": [{"minReplicas": null, "maxReplicas": null}, [1, false, 1]],
		"texts": [{"minReplicas": "2", "maxReplicas": {}}, [1, false, 1]],
		"a floor above the ceiling": [{"minReplicas": 4, "maxReplicas": 2}, [4, true, 4]],
		"KEDA": [{"minReplicas": null, "minReplicaCount": 0, "as": {"kind": "ScaledObject"}}, [0, true, 100]],
		"KEDA that says nothing": [{"as": {"kind": "ScaledObject"}}, [0, false, 100]],
	}
	bounds(case[0]) == case[1]
}

unsettled(documents) if {
	found := autoscalers.unsettled with input as testing.questions(documents)
	found[0]
}

test_unsettled[note] if {
	some note, documents in {
		"by a patch": [testing.fragment(testing.scaled(3), "overlay/web.yaml")],
		"by an autoscaler elsewhere": [testing.placed(testing.autoscaler, "overlay/hpa.yaml")],
	}
	unsettled(array.concat([testing.placed(testing.web, "apps/web.yaml")], documents))
}

test_settled[note] if {
	some note, documents in {
		"nothing": [],
		"by a patch of something else": [testing.fragment(testing.web, "overlay/web.yaml")],
		"by an autoscaler that is near": [testing.placed(testing.autoscaler, "apps/hpa.yaml")],
	}
	not unsettled(array.concat([testing.placed(testing.web, "apps/web.yaml")], documents))
}

test_doubtful if {
	found := autoscalers.unsettled with input as testing.doubtful(testing.batch([testing.web]))
	found == {0: true}
}
