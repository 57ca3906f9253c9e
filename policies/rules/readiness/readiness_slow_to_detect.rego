# METADATA
# title: Broken pod keeps its traffic for long
# description: |
#   A pod that no longer answers gets requests until its readinessProbe has failed often enough. With long periods and
#   many tries that takes minutes, in which its share of all requests fails.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes
#   description: The fields of a probe and their defaults
# schemas:
# - input: schema.input
# custom:
#   severity: info
#   fix: assumes
#   parameters:
#     most_seconds:
#       default: 60
#       description: How long a readinessProbe may take to fail.
#   example:
#   - op: replace
#     path: [spec, template, spec, containers, 0, readinessProbe]
#     value: {failureThreshold: 10, httpGet: {path: /ready, port: http}}
package gracegate.rules.readiness["readiness-slow-to-detect"]

import data.gracegate.lib.patches
import data.gracegate.lib.probes
import data.gracegate.lib.scaling
import data.gracegate.lib.target_containers
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": "info", "measure": probes.budget(slow.probe)} if {
	some at, slow in _slow
	message := text.format(
		concat(" ", [
			`Container "{}" gets requests for {} s after it stopped answering:`,
			"its readinessProbe fails after {} tries, {} s apart.",
		]),
		[slow.title, probes.budget(slow.probe), probes.threshold(slow.probe), probes.period(slow.probe)],
	)
}

fix contains {"at": at, "assumption": assumption, "patch": patch} if {
	assumption := "The app, when it is healthy, answers its readinessProbe once in 30 s even under load."
	some at, slow in _slow
	patch := [patches.put(object.keys(slow.probe), array.concat(at.path, [key]), value) |
		some key, value in {"failureThreshold": 3, "periodSeconds": 10}
		object.get(slow.probe, key, value) != value
	]
}

_slow := {at: {"title": target.container.title, "probe": probe} |
	some i, targets in target_containers.by_workload
	workloads.rolling[i]
	not scaling.idle[i]
	some target in targets
	target.level != "info"
	probe := target.container.spec.readinessProbe
	is_object(probe)
	probes.budget(probe) > input.params["readiness-slow-to-detect"].most_seconds
	at := {"document": i, "path": array.concat(target.container.path, ["readinessProbe"])}
}
