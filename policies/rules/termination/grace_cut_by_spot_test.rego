package gracegate.rules.termination["grace-cut-by-spot_test"]

import data.gracegate.rules.termination["grace-cut-by-spot"] as rule
import data.gracegate.testing

pod := ["spec", "template", "spec"]

# web on nodes that this field of the pod asks for, with a drain of so many seconds.
web(field, value, seconds) := testing.set(placed, path, seconds) if {
	placed := testing.set(testing.web, array.concat(pod, [field]), value)
	path := testing.inside(["lifecycle", "preStop", "sleep", "seconds"])
}

found(objects) := {[violation.at.path, violation.measure] | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

gke := {"cloud.google.com/gke-spot": "true"}

test_a_spot_node_of_gke if {
	at := {"document": 0, "path": array.concat(pod, ["nodeSelector", "cloud.google.com/gke-spot"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([
		web("nodeSelector", gke, 10),
		testing.service,
	])
	got.violation == {{
		"at": at,
		"level": "info",
		"measure": 5,
		"message": `Deployment "web" may need 20 s to stop, but has 15 s when GKE takes a spot node back.`,
	}}
	{[fix.at, fix.class] | some fix in got.fix} == {[at, "text"]}
}

test_silent_on[note] if {
	some note, objects in {
		"any node": [testing.web, testing.service],
		"other nodes": [web("nodeSelector", {"disk": "ssd"}, 60), testing.service],
		"nodes that are not spot": [web("nodeSelector", {"karpenter.sh/capacity-type": "on-demand"}, 300), testing.service],
		"wrong types": [web("nodeSelector", "spot", 60), testing.service],
		"tolerations of wrong types": [web("tolerations", ["x", {"key": 1}, {}], 60), testing.service],
		"enough time": [web("nodeSelector", gke, 5), testing.service],
		"enough time on EKS": [web("nodeSelector", {"karpenter.sh/capacity-type": "spot"}, 60), testing.service],
		"nothing that sends to it": [web("nodeSelector", gke, 60)],
		"no hook": [testing.remove_at(web("nodeSelector", gke, 60), testing.inside(["lifecycle"])), testing.service],
	}
	found(objects) == set()
}

test_ways_to_a_spot_node[note] if {
	some note, case in {
		"a toleration": [
			"tolerations",
			[{"key": "disk"}, {"key": "kubernetes.azure.com/scalesetpriority", "value": "spot"}],
			{[array.concat(pod, ["tolerations", 1]), 20]},
		],
		"the shortest notice": [
			"nodeSelector",
			{"cloud.google.com/gke-spot": "true", "eks.amazonaws.com/capacityType": "SPOT"},
			{[array.concat(pod, ["nodeSelector", "cloud.google.com/gke-spot"]), 35]},
		],
	}
	found([web(case[0], case[1], 40), testing.service]) == case[2]
}
