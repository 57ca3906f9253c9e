# METADATA
# title: Each apply undoes what the autoscaler did
# description: |
#   The manifest sets the number of replicas, and so does an autoscaler. Each apply of the manifest resets the number:
#   under load that removes pods that are needed, in the middle of their requests, until the autoscaler has added new
#   ones.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling
#   description: How to remove the number without losing pods
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: text
#   example:
#   - op: add
#     document: 3
#     path: []
#     value: |
#       apiVersion: autoscaling/v2
#       kind: HorizontalPodAutoscaler
#       metadata:
#         name: web
#       spec:
#         scaleTargetRef:
#           apiVersion: apps/v1
#           kind: Deployment
#           name: web
#         minReplicas: 2
#         maxReplicas: 6
#         metrics:
#         - type: Resource
#           resource:
#             name: cpu
#             target:
#               type: Utilization
#               averageUtilization: 70
package gracegate.rules.rollout["hpa-replicas-conflict"]

import data.gracegate.lib.joins
import data.gracegate.lib.related_places
import data.gracegate.lib.scaling
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level} if {
	some at, conflict in _conflicts
	level := {"certain": "warning", "possible": "info"}[user_traffic.certainty[at.document]]
	autoscaler := scaling.autoscalers[conflict.autoscaler]
	message := text.format(`Each apply resets {} "{}" to {}, although {} "{}" may have scaled it to {}.`, [
		workloads.kind[at.document],
		workloads.name[at.document],
		_pods(conflict.replicas),
		autoscaler.kind,
		autoscaler.name,
		object.get(autoscaler, "ceiling", "another number"),
	])
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Leave the number to the autoscaler. Removing only replicas scales to 1 once:",
		"first remove it from the last-applied configuration with \"kubectl apply edit-last-applied\",",
		"or apply server-side and give up its ownership.",
		"With Argo CD, ignoreDifferences on /spec/replicas does that.",
	])
	some at, conflict in _conflicts
}

related contains {"at": at, "places": related_places.objects({conflict.autoscaler})} if some at, conflict in _conflicts

possible contains at if {
	some at, _ in _conflicts
	user_traffic.is_assumed[at.document]
}

_conflicts := {at: found |
	some i, lowest in _representative
	at := {"document": i, "path": ["spec", "replicas"]}
	found := _conflict[lowest]
}

# Of the workloads with the same autoscalers and the same replicas, the lowest document.
_representative := joins.representatives({i: [scaling.representative[i], replicas] |
	some i, replicas in _fixed_replicas
})

_fixed_replicas := {i: replicas |
	some i in workloads.complete
	user_traffic.certainty[i]
	scaling.autoscalers_by_workload[i]
	replicas := values.integer(object.get(input.documents[i].object, ["spec", "replicas"], null), 0)
	replicas > 0
}

_conflict := {i: {"replicas": replicas, "autoscaler": min(conflicting)} |
	some i in {lowest | some lowest in _representative}
	replicas := _fixed_replicas[i]
	conflicting := {s |
		some s in scaling.autoscalers_by_workload[i]
		not _is_fixed_at(scaling.autoscalers[s], replicas)
	}
	count(conflicting) > 0
}

# An autoscaler whose only number is the same.
_is_fixed_at(autoscaler, replicas) if {
	autoscaler.floor == replicas
	autoscaler.ceiling == replicas
}

_pods(1) := "1 pod"

_pods(replicas) := text.format("{} pods", [replicas]) if replicas != 1
