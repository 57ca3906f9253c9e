# METADATA
# title: Pod is killed before its load balancer has drained it
# description: |
#   A load balancer that drains a pod sends it no new requests and lets the ones that it has finish, for as long as its
#   setting says. The pod ends earlier all the same when its grace period does: long downloads, uploads and WebSockets
#   are cut, although the load balancer was told to wait for them.
# related_resources:
# - ref: https://github.com/dust-tt/dust/pull/20075
#   description: A hook that ends before the 300 s of the load balancer
# - ref: https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration#draining_timeout
#   description: The draining of GKE
# - ref: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay
#   description: The deregistration delay of AWS
# schemas:
# - input: schema.input
# custom:
#   severity: info
#   fix: assumes
#   exceptions:
#   - No request takes that long, and the setting of the load balancer is only a limit.
#   example:
#   - op: add
#     document: 1
#     path: [metadata, annotations]
#     value:
#       alb.ingress.kubernetes.io/target-group-attributes: deregistration_delay.timeout_seconds=120
package gracegate.rules.termination["hook-shorter-than-lb-drain"]

import data.gracegate.lib.grace
import data.gracegate.lib.load_balancer_draining
import data.gracegate.lib.patches
import data.gracegate.lib.related_places
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": "info", "measure": cut.seconds - cut.period} if {
	some at, cut in _cuts
	message := text.format(
		concat(" ", [
			`The load balancer of Service "{}" lets requests to {} "{}" finish for {} s,`,
			"but its pods are killed after {} s.",
		]),
		[
			services.service[cut.service].name,
			workloads.kind[at.document],
			workloads.name[at.document],
			cut.seconds,
			cut.period,
		],
	)
}

related contains {"at": at, "places": related_places.objects({cut.service})} if some at, cut in _cuts

fix contains {"at": at, "assumption": assumption, "patch": [step]} if {
	assumption := "Requests take that long, and the app or its hook waits for them."
	some at, cut in _cuts
	pod := workloads.pod[at.document]
	path := array.concat(pod.path, ["terminationGracePeriodSeconds"])
	step := patches.put(object.keys(pod.spec), path, 5 * ceil((cut.seconds + 5) / 5))
}

_cuts := {at: {"seconds": seconds, "service": service, "period": grace.period[i]} |
	some i in (workloads.rolling & workloads.complete)
	not scaling.idle[i]
	not grace.workloads_with_zero_period[i]
	[seconds, service] := load_balancer_draining.by_representative[services.representative[i]]
	seconds > grace.period[i]
	pod := workloads.pod[i]
	at := {"document": i, "path": array.concat(pod.path, [key | some key in object.keys(pod.spec); key == _key])}
}

_key := "terminationGracePeriodSeconds"
