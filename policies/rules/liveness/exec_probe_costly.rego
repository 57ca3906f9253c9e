# METADATA
# title: Probe starts a process every few seconds
# description: |
#   Each try of an exec probe starts a process in the container, in each pod of the node. Every second or two that takes
#   CPU from the app, most of all under load, and probes then time out that would not otherwise. Commands that list all
#   connections of the node take longer the more there are.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/probes/
#   description: What exec probes cost
# schemas:
# - input: schema.input
# custom:
#   severity: info
#   fix: assumes
#   parameters:
#     least_seconds:
#       default: 5
#       description: The shortest period of an exec probe that is accepted.
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 0, livenessProbe]
#     value: {periodSeconds: 2, failureThreshold: 6, exec: {command: [/app/healthy]}}
package gracegate.rules.liveness["exec-probe-costly"]

import data.gracegate.lib.commands
import data.gracegate.lib.containers
import data.gracegate.lib.probes
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": "info"} if {
	some at, costly in _frequent
	message := text.format(
		`The {} of container "{}" starts a process every {} s, which takes CPU from the app.`,
		[costly.field, costly.title, probes.period(costly.probe)],
	)
}

violation contains {"at": at, "message": message, "level": "info"} if {
	some at, costly in _probes
	some program in _listing_programs(costly)
	not _frequent[at]
	message := text.format(
		`The {} of container "{}" takes longer the more connections there are, because it runs "{}".`,
		[costly.field, costly.title, program],
	)
}

fix contains {"at": at, "assumption": assumption, "patch": [step]} if {
	assumption := "It is enough to notice a failure some seconds later."
	some at, _ in _frequent
	path := array.concat(at.path, ["periodSeconds"])
	step := {"op": "replace", "path": path, "value": input.params["exec-probe-costly"].least_seconds}
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Let the kubelet connect itself, with tcpSocket, httpGet or grpc."
	some at, costly in _probes
	not _frequent[at]
	count(_listing_programs(costly)) > 0
}

_frequent := {at: costly |
	some at, costly in _probes
	probes.period(costly.probe) < input.params["exec-probe-costly"].least_seconds
}

_listing_programs(costly) := commands.programs(costly.probe.exec.command) & {"lsof", "netstat"}

# A startupProbe ends when the container has started.
_probes := {at: {"title": container.title, "field": field, "probe": probe} |
	some i, _ in user_traffic.certainty
	workloads.complete[i]
	some container in containers.regular[i]
	some field in ["livenessProbe", "readinessProbe"]
	probe := container.spec[field]
	is_array(probe.exec.command)
	at := {"document": i, "path": array.concat(container.path, [field])}
}
