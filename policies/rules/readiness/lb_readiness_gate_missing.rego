# METADATA
# title: Rollout does not wait for the load balancer
# description: |
#   A load balancer that sends to pods itself needs seconds to add a new one, and checks its health first. Kubernetes
#   does not know of that: it counts a new pod as available at once and stops an old one. A fast rollout can stop all
#   the pods that the load balancer knows before it sends to the new ones. A readiness gate, or minReadySeconds, makes
#   it wait.
# related_resources:
# - ref: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
#   description: Why the AWS controller has a readiness gate
# - ref: https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/use-readinessgate-to-seamlessly-launch-pods-that-are-associated-with-alb-ingresses-during-rolling-updates
#   description: The gate of Alibaba Cloud
# schemas:
# - input: schema.input
# custom:
#   severity: info
#   fix: assumes
#   exceptions:
#   - The namespace has the label that injects the gate, and its manifest is elsewhere.
#   example:
#   - {op: replace, path: [spec, template, spec, containers, 0, lifecycle, preStop, sleep, seconds], value: 30}
#   - {op: add, path: [spec, template, spec, terminationGracePeriodSeconds], value: 60}
#   - op: add
#     document: 3
#     path: []
#     value: |
#       apiVersion: networking.k8s.io/v1
#       kind: Ingress
#       metadata:
#         name: web
#         annotations:
#           alb.ingress.kubernetes.io/target-type: ip
#       spec:
#         ingressClassName: alb
#         defaultBackend:
#           service:
#             name: web
#             port:
#               number: 80
package gracegate.rules.readiness["lb-readiness-gate-missing"]

import data.gracegate.lib.exposures
import data.gracegate.lib.joins
import data.gracegate.lib.namespaces
import data.gracegate.lib.patches
import data.gracegate.lib.related_places
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": "info"} if {
	some at, s in _hasty
	message := text.format(
		concat(" ", [
			`A rollout of {} "{}" can stop its old pods before the load balancer of Service "{}" sends to the new ones:`,
			"it has no readiness gate, and minReadySeconds is 0.",
		]),
		[workloads.kind[at.document], workloads.name[at.document], services.service[s].name],
	)
}

related contains {"at": at, "places": related_places.objects({s})} if some at, s in _hasty

# The label of the namespace that injects the gate may be set elsewhere.
possible contains at if {
	some at, _ in _hasty
	not namespaces.labels[joins.namespace[at.document]]
}

fix contains {"at": at, "assumption": assumption, "patch": [step]} if {
	assumption := "The load balancer sends to a new pod within 30 s, as with two health checks 15 s apart."
	some at, _ in _hasty
	keys := object.keys(input.documents[at.document].object.spec)
	step := patches.put(keys, ["spec", "minReadySeconds"], 30)
}

_hasty := {at: s |
	some i in workloads.complete
	workloads.kind[i] in {"Deployment", "Rollout"}
	not scaling.idle[i]
	s := _balanced[services.representative[i]]
	object.get(input.documents[i].object, ["spec", "minReadySeconds"], null) in {0, null}
	not exposures.is_gated(i)
	at := {"document": i, "path": ["spec"]}
}

# By representative of the workload, the lowest of its Services with a load balancer that sends to pods. GKE sets the
# gate of its NEGs by itself.
_balanced := {r: min(found) |
	some r in services.representatives
	found := {s | some s in services.by_workload[r]; count(exposures.by_service[s] & _to_pods) > 0}
	count(found) > 0
}

_to_pods := {"ack_eni", "alb_ip", "clb_direct", "elb_dedicated", "nlb_ip"}
