# METADATA
# title: Rollout stops old pods before the traffic has moved
# description: |
#   Argo Rollouts keeps the old pods for 30 s after it has moved the traffic, because nodes, load balancers and meshes
#   learn of that one after another. With a shorter `scaleDownDelaySeconds` they still send to pods that are gone. With
#   `dynamicStableScale` old pods go at each step, before the new weights have arrived everywhere, and an abort finds
#   too few of them.
# related_resources:
# - ref: https://argo-rollouts.readthedocs.io/en/stable/features/specification/
#   description: The fields, and the least delay that is recommended
# - ref: https://github.com/argoproj/argo-rollouts/issues/4828
#   description: Requests lost with dynamicStableScale
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: assumes
#   example:
#   - {op: replace, path: [apiVersion], value: argoproj.io/v1alpha1}
#   - {op: replace, path: [kind], value: Rollout}
#   - op: add
#     path: [spec, strategy]
#     value:
#       canary:
#         canaryService: web-canary
#         stableService: web
#         dynamicStableScale: true
#         trafficRouting: {alb: {ingress: web, servicePort: 80}}
#         steps: [{setWeight: 100}, {pause: {duration: 60s}}]
package gracegate.rules.rollout["rollout-drops-stable-early"]

import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": level, "measure": _recommended - seconds} if {
	some at, seconds in _short_delays
	level := _delay_level[at.path[2]]
	message := text.format(
		concat(" ", [
			`Rollout "{}" stops the old pods {} s after it has moved the traffic, while nodes and load balancers may still`,
			`send to them: "scaleDownDelaySeconds" should be at least {}, its default.`,
		]),
		[workloads.name[at.document], seconds, _recommended],
	)
}

violation contains {"at": at, "message": message, "level": level} if {
	some at, level in _dynamic
	message := text.format(
		concat(" ", [
			`Rollout "{}" stops old pods at each step while they still get requests:`,
			`"dynamicStableScale" does not wait until the new weights have arrived.`,
		]),
		[workloads.name[at.document]],
	)
}

fix contains {"at": at, "class": "safe", "patch": [{"op": "remove", "path": at.path}]} if some at, _ in _short_delays

fix contains {"at": at, "patch": [step], "assumption": assumption} if {
	assumption := "The cluster has room for the old and the new pods at the same time."
	some at, _ in _dynamic
	step := {"op": "replace", "path": at.path, "value": false}
}

possible contains at if some at, "warning" in _dynamic

possible contains at if some at, _ in _short_delays

# Seconds.
_recommended := 30

# The drains of the pods cover what a switch of a Service takes, but not what a router may take.
_delay_level := {"blueGreen": "info", "canary": "warning"}

_short_delays := {at: seconds |
	some i, _ in _rollouts
	some path in [["spec", "strategy", "blueGreen"], ["spec", "strategy", "canary"]]
	strategy := object.get(input.documents[i].object, path, {})
	_moves_traffic(path[2], strategy)
	seconds := values.number(strategy.scaleDownDelaySeconds, _recommended)
	seconds < _recommended
	at := {"document": i, "path": array.concat(path, ["scaleDownDelaySeconds"])}
}

_moves_traffic("blueGreen", _)

_moves_traffic("canary", strategy) if is_object(strategy.trafficRouting)

_dynamic := {at: level |
	some i, _ in _rollouts
	canary := input.documents[i].object.spec.strategy.canary
	canary.dynamicStableScale == true
	is_object(canary.trafficRouting)
	level := _dynamic_level(canary)
	at := {"document": i, "path": ["spec", "strategy", "canary", "dynamicStableScale"]}
}

# All old pods are gone during the pause.
_dynamic_level(canary) := "error" if {
	steps := values.list(object.get(canary, "steps", []))
	some n, step in steps
	step.setWeight == 100
	steps[n + 1].pause != null
} else := "warning"

_rollouts := {i: true |
	some i, _ in user_traffic.certainty
	workloads.kind[i] == "Rollout"
	workloads.complete[i]
}
