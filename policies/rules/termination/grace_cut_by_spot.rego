# METADATA
# title: Spot node is gone before the pod has stopped
# description: |
#   When a cloud provider takes a spot node back, the pods on it have less time than their grace period: 15 s on GKE,
#   30 s on AKS, two minutes on EKS. What the preStop hook and the app still do after that is cut off, and requests
#   with it.
# related_resources:
# - ref: https://cloud.google.com/kubernetes-engine/docs/concepts/spot-vms
#   description: 15 s for pods on GKE; newer versions can have up to 120 s
# - ref: https://learn.microsoft.com/en-us/azure/aks/spot-node-pool
#   description: 30 s on AKS
# - ref: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
#   description: Two minutes on EC2
# schemas:
# - input: schema.input
# custom:
#   severity: info
#   fix: text
#   exceptions:
#   - Lost requests are accepted as the price of cheap nodes.
#   example:
#   - op: add
#     path: [spec, template, spec, nodeSelector]
#     value: {cloud.google.com/gke-spot: "true"}
package gracegate.rules.termination["grace-cut-by-spot"]

import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": "info", "measure": cut.needed - cut.seconds} if {
	some at, cut in _cuts
	message := text.format(
		`{} "{}" may need {} s to stop, but has {} s when {} takes a spot node back.`,
		[workloads.kind[at.document], workloads.name[at.document], cut.needed, cut.seconds, cut.provider],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Run some of its pods on nodes that are not taken back, or let the hook and the app need less time.",
		"Other pods then serve what these cannot finish.",
	])
	some at, _ in _cuts
}

# Of what is certain: a hook that is there, and a time that the container states.
_cuts := {at: object.union(notice, {"needed": needed}) |
	some i, _ in user_traffic.certainty
	workloads.complete[i]
	[path, notice] := _notices(i)[0]
	needed := max({seconds |
		some shutdown in grace.shutdowns[i]
		hooks.has_prestop(shutdown.container.spec)
		seconds := shutdown.hook + shutdown.app
	})
	needed > notice.seconds
	at := {"document": i, "path": path}
}

# The ways in which the pod asks for spot nodes, the shortest notice first.
_notices(i) := by_seconds if {
	pod := workloads.pod[i]
	selected := [[array.concat(pod.path, ["nodeSelector", key]), notice] |
		some key, notice in _spot
		pod.spec.nodeSelector[key] == notice.value
	]
	tolerated := [[array.concat(pod.path, ["tolerations", index]), _spot[key]] |
		some index, toleration in values.list(object.get(pod.spec, "tolerations", []))
		key := values.string(toleration.key)
		_spot[key]
	]
	by_seconds := [entry[1] |
		some entry in sort([[found[1].seconds, found] | some found in array.concat(selected, tolerated)])
	]
}

_spot := {
	"cloud.google.com/gke-preemptible": {"value": "true", "seconds": 15, "provider": "GKE"},
	"cloud.google.com/gke-spot": {"value": "true", "seconds": 15, "provider": "GKE"},
	"eks.amazonaws.com/capacityType": {"value": "SPOT", "seconds": 120, "provider": "EKS"},
	"karpenter.sh/capacity-type": {"value": "spot", "seconds": 120, "provider": "EKS"},
	"kubernetes.azure.com/scalesetpriority": {"value": "spot", "seconds": 30, "provider": "AKS"},
}
