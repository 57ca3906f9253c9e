# METADATA
# title: Container stops before traffic does
# description: |
#   When a pod is replaced, Kubernetes stops it and removes it from its Services at the same time. Proxies, load
#   balancers and DNS notice seconds later, and until then they send requests to a process that is gone: clients see
#   refused connections and 502. A preStop sleep keeps the container serving until the last of them has noticed.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
#   description: How Kubernetes stops a pod
# - ref: https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/3960-pod-lifecycle-sleep-action
#   description: Why the sleep action exists
# - ref: https://cloud.tencent.com/document/product/457/109977
#   description: How TKE stops a pod and removes it from its load balancer
# - ref: https://support.huaweicloud.com/en-us/bestpractice-cce/cce_bestpractice_0135.html
#   description: What a pod behind a dedicated load balancer of CCE needs
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   exceptions:
#   - The app itself continues to accept connections after SIGTERM for as long as traffic arrives.
#   - All clients retry refused requests on another pod, as workers behind a queue do.
#   example:
#   - {op: remove, path: [spec, template, spec, containers, 0, lifecycle]}
package gracegate.rules.termination["prestop-drain-missing"]

import data.gracegate.lib.drains
import data.gracegate.lib.exposures
import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.patches
import data.gracegate.lib.related_places
import data.gracegate.lib.services
import data.gracegate.lib.text

violation contains {"at": at, "message": message, "level": drains.level(target)} if {
	some at, target in _without_drain
	message := text.format(
		`Container "{}" stops before traffic does: it has no preStop drain, and {}.`,
		[target.container.title, drains.sender(target)],
	)
}

violation contains {"at": at, "message": message, "level": drains.level(target)} if {
	some at, target in _with_quick_hook
	message := text.format(
		`Container "{}" stops before traffic does: its preStop hook ends at once, and {}.`,
		[target.container.title, drains.sender(target)],
	)
}

violation contains {"at": at, "message": message, "level": "warning"} if {
	some at, undecided in _none_with_drain
	message := text.format(
		concat(" ", [
			"One of the containers {} stops before traffic does: none of them has a preStop drain",
			`or declares port {}, to which Service "{}" sends.`,
		]),
		[undecided.titles, undecided.port, services.service[undecided.service].name],
	)
}

fix contains object.union(_hint(target), {"at": at, "patch": patch}) if {
	some at, target in _without_drain
	drains.planned_drains[at.document][at.path]
	patch := array.concat(_sleep(at, target.container.spec), grace.extension_steps[at.document])
}

fix contains {"at": at, "class": "text", "patch": [], "advice": advice} if {
	advice := concat(" ", [
		"Add a preStop sleep that lasts until traffic has left the container:",
		text.format("{} s behind a Service alone, {} s behind an Ingress,", [
			input.cluster.drain_seconds.cluster,
			input.cluster.drain_seconds.ingress,
		]),
		"more behind a cloud load balancer. The manifests do not show what else sends to it.",
	])
	some at, target in _without_drain
	not drains.planned_drains[at.document][at.path]
	not drains.is_sent_to_until_gone(target)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Remove publishNotReadyAddresses from the Service and add a preStop sleep: alone, neither helps."
	some at, target in _without_drain
	drains.is_sent_to_until_gone(target)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Let the hook sleep too until traffic has left, or sleep instead: readiness takes seconds to spread."
	some at, _ in _with_quick_hook
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Declare the port in the container that listens on it, and add a preStop sleep there."
	some at, _ in _none_with_drain
}

related contains {"at": at, "places": related_places.objects(target.services)} if {
	some at, target in object.union(_without_drain, _with_quick_hook)
}

related contains {"at": at, "places": related_places.objects({undecided.service})} if {
	some at, undecided in _none_with_drain
}

possible contains at if {
	some at, target in object.union(_without_drain, _with_quick_hook)
	target.level == "warning"
}

possible contains at if some at, _ in _none_with_drain

_hint(target) := {"advice": concat(" ", [
	`On TKE, the annotation "service.cloud.tencent.com/enable-grace-deletion" (of an Ingress: "ingress.cloud...") lets`,
	"the load balancer stop sending before the pod is stopped; the cluster itself still needs the sleep.",
])} if {
	some s in target.services
	"clb_direct" in exposures.by_service[s]
} else := {}

_without_drain := {at: target |
	some i, found in drains.containers_without_drain
	some target in found
	at := {"document": i, "path": target.container.path}
}

_none_with_drain := {at: undecided |
	some i, undecided in drains.undecided_without_drain
	at := {"document": i, "path": undecided.containers[0].path}
}

_with_quick_hook := {at: target |
	some i, found in drains.hooks_without_drain
	some path, target in found
	at := {"document": i, "path": array.concat(path, ["lifecycle", "preStop"])}
}

_sleep(at, container) := [patches.put(
	object.keys(container.lifecycle),
	array.concat(at.path, ["lifecycle", "preStop"]),
	hooks.sleep_hook(drains.planned_drains[at.document][at.path], input.cluster.min_minor),
)] if {
	is_object(container.lifecycle)
} else := [patches.put(
	object.keys(container),
	array.concat(at.path, ["lifecycle"]),
	{"preStop": hooks.sleep_hook(drains.planned_drains[at.document][at.path], input.cluster.min_minor)},
)]
