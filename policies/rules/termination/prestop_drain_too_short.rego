# METADATA
# title: Drain ends before traffic has left
# description: |
#   A preStop hook keeps a container serving until proxies, load balancers and DNS notice that its pod stops. How long
#   that takes depends on the sender: seconds inside the cluster, more behind an Ingress, minutes behind some cloud load
#   balancers. If the hook ends earlier, the last requests reach a process that is gone, and clients see refused
#   connections and 502.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
#   description: How Kubernetes stops a pod
# - ref: https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366
#   description: How long a load balancer of AWS continues to send
# - ref: https://github.com/alphagov/govuk-helm-charts/pull/2202
#   description: 502 behind a load balancer of AWS after a drain of 15 s
# - ref: https://github.com/quay/quay/pull/6871
#   description: A drain as long as the health check of the load balancer
# - ref: https://github.com/istio/istio/issues/58514
#   description: 503 in the ambient mode of Istio
# - ref: https://www.alibabacloud.com/help/en/document_detail/2536101.html
#   description: How long a load balancer of Alibaba Cloud needs
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: safe
#   parameters:
#     least_seconds:
#       cluster: least_drain_seconds
#       default:
#         alb_ip: 20
#         nlb_ip: 180
#       description: |
#         The shortest drain that is accepted, by exposure, as in `drain_seconds`. An exposure that is not named here
#         has half of its `drain_seconds`.
#   example:
#   - {op: replace, path: [spec, template, spec, containers, 0, lifecycle, preStop, sleep, seconds], value: 3}
package gracegate.rules.termination["prestop-drain-too-short"]

import data.gracegate.lib.drains
import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.related_places
import data.gracegate.lib.services
import data.gracegate.lib.text

violation contains {"at": at, "message": message, "level": _level(drain), "measure": measure} if {
	some at, drain in _short
	measure := drain.least - drain.seconds
	message := text.format(
		`Container "{}" stops before traffic has left it: its preStop drain lasts {} s, and {}.`,
		[drain.target.container.title, drain.seconds, _sender(drain)],
	)
}

fix contains {"at": at, "patch": array.concat(steps, grace.extension_steps[at.document])} if {
	some at, _ in _short
	steps := drains.sleep_steps[at.document][_container(at)]
}

fix contains {"at": at, "patch": array.concat([step], grace.extension_steps[at.document])} if {
	some at, drain in _short
	step := _longer_script(at, drain)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, drain in _short
	not drains.sleep_steps[at.document][_container(at)]
	not _longer_script(at, drain)
	advice := text.format("Make the hook last {} s.", [drain.recommended])
}

related contains {"at": at, "places": related_places.objects(drain.target.services)} if some at, drain in _short

possible contains at if {
	some at, drain in _short
	drain.target.level == "warning"
}

_short := {at: drain |
	some i, found in drains.short_drains
	some path, drain in found
	_works(drain.hook)
	not images.missing_programs[i][path]
	at := {"document": i, "path": array.concat(path, ["lifecycle", "preStop"])}
}

# Other rules report hooks that fail, and native sleeps that are ignored or rejected.
_works(hook) if {
	not is_object(object.get(hook, "sleep", null))
	not hooks.defect(hook)
}

_works(hook) if {
	is_object(hook.sleep)
	input.cluster.min_minor >= 30
	drains.is_valid_sleep(object.get(hook.sleep, "seconds", 0), input.cluster.min_minor)
}

_container(at) := array.slice(at.path, 0, count(at.path) - 2)

_level(drain) := "info" if {
	drain.headless
} else := "info" if {
	drain.is_for_health_check
} else := {"error": "warning", "warning": "warning", "info": "info"}[drain.target.level]

_sender(drain) := text.format("the health check of its load balancer may need {} s", [drain.least]) if {
	drain.is_for_health_check
} else := text.format(`Service "{}" {} to it for up to {} s`, [name, verb, drain.recommended]) if {
	name := services.service[drain.sender].name
	verb := {"error": "still sends", "warning": "may still send", "info": "still sends"}[drain.target.level]
} else := text.format(
	"a Service in a file that could not be read may still send to it for up to {} s",
	[drain.recommended],
)

# In a script that sleeps once, and does more, the sleep gets longer.
_longer_script(at, drain) := {"op": "replace", "path": path, "value": script} if {
	not drains.sleep_hooks[at.document][_container(at)]
	words := drain.hook.exec.command
	[index] := [index | some index, word in words; regex.match(_sleep, word)]
	[found] := regex.find_all_string_submatch_n(_sleep, words[index], -1)
	path := array.concat(at.path, ["exec", "command", index])
	script := replace(words[index], found[0], concat("", [found[1], text.number(drain.recommended), found[2]]))
}

_sleep := `(\bsleep\s+)[\d.]+[smhd]?($|[\s;&|)])`
