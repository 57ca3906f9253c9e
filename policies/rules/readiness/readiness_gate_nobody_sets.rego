# METADATA
# title: Pods wait for a readiness gate that nobody sets
# description: |
#   A pod with a readiness gate is ready only when something sets this condition to true. Gates of version 1 of the AWS
#   controller, `target-health.alb.ingress.k8s.aws/...`, are not set by version 2, which takes them away in namespaces
#   where it injects its own. Anywhere else the pods never become ready: a rollout stands still, and after an eviction
#   the Service has no pod.
# related_resources:
# - ref: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
#   description: The gates of version 2, and what becomes of those of version 1
# - ref: https://github.com/argoproj/argo-rollouts/issues/792
#   description: A rollout whose pods never become ready
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   exceptions:
#   - Version 1 of the controller, the AWS ALB Ingress Controller, still runs in the cluster.
#   example:
#   - op: add
#     path: [spec, template, spec, readinessGates]
#     value: [{conditionType: target-health.alb.ingress.k8s.aws/web_web_80}]
package gracegate.rules.readiness["readiness-gate-nobody-sets"]

import data.gracegate.lib.joins
import data.gracegate.lib.namespaces
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message} if {
	some at, gate in _unset
	message := text.format(
		concat(" ", [
			`Pods of {} "{}" never become ready:`,
			`the readiness gate "{}" is of version 1 of the AWS controller, and version 2 does not set it.`,
		]),
		[workloads.kind[at.document], workloads.name[at.document], gate],
	)
}

# Whether version 1 still runs is not known.
possible contains at if some at, _ in _unset

fix contains {"at": at, "assumption": assumption, "patch": [{"op": "remove", "path": path}]} if {
	assumption := "Version 2 of the controller runs, and its gates come from the label of the namespace."
	some at, _ in _unset
	path := _removable(at)
}

# The list goes with its only gate.
_removable(at) := array.slice(at.path, 0, count(at.path) - 1) if {
	count(workloads.pod[at.document].spec.readinessGates) == 1
} else := at.path

_unset := {at: type |
	some i in (workloads.rolling & workloads.complete)
	services.served_status[i] != "no"
	not _is_injected(i)
	pod := workloads.pod[i]
	some index, gate in values.list(object.get(pod.spec, "readinessGates", []))
	type := values.string(gate.conditionType)
	startswith(type, "target-health.alb.ingress.k8s.aws/")
	at := {"document": i, "path": array.concat(pod.path, ["readinessGates", index])}
}

_is_injected(i) if {
	namespaces.labels[joins.namespace[i]]["elbv2.k8s.aws/pod-readiness-gate-inject"] == "enabled"
}
