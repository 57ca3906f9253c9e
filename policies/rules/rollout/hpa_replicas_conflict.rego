# METADATA
# title: Each apply undoes what the autoscaler did
# description: |
#   The manifest says how many replicas a workload has, and so does an autoscaler. Whoever applies the manifest sets the
#   number back: under load that takes away pods that are needed, in the middle of their requests, until the autoscaler
#   has made them anew.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling
#   description: How to give the number up without losing pods
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

import data.gracegate.lib.autoscalers
import data.gracegate.lib.texts
import data.gracegate.lib.traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level} if {
	some at, conflict in _conflicts
	level := {"sure": "warning", "perhaps": "info"}[traffic.sent[at.document]]
	scaler := autoscalers.of[conflict.scaler]
	message := texts.filled(`Each apply sets {} "{}" back to {}, where {} "{}" may have made {}.`, [
		workloads.kind[at.document],
		workloads.name[at.document],
		_pods(conflict.replicas),
		scaler.kind,
		scaler.name,
		scaler.most,
	])
}

fix[at] := {"class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Leave the number to the autoscaler. Removing replicas and no more scales to 1 once:",
		"first remove it from the last-applied configuration with \"kubectl apply edit-last-applied\",",
		"or apply server-side and give up its ownership.",
		"Where Argo CD applies it, ignoreDifferences on /spec/replicas does that.",
	])
	some at, conflict in _conflicts
}

_conflicts := {at: found |
	some i in workloads.whole
	traffic.sent[i]
	scalers := autoscalers.scaling[i]
	replicas := values.whole(object.get(input.documents[i].object, ["spec", "replicas"], null), 0)
	replicas > 0
	moving := {s | some s in scalers; not _holds(autoscalers.of[s], replicas)}
	count(moving) > 0
	at := {"document": i, "path": ["spec", "replicas"]}
	found := {"replicas": replicas, "scaler": min(moving)}
}

# One that may only ever ask for the same number.
_holds(scaler, replicas) if {
	scaler.floor == replicas
	scaler.most == replicas
}

_pods(1) := "1 pod"

_pods(replicas) := texts.filled("{} pods", [replicas]) if replicas != 1
