# METADATA
# title: Container is restarted while it still starts
# description: |
#   A startupProbe says how long a container may take to start. Without it the livenessProbe counts from the beginning:
#   a container that needs longer than that allows is killed, starts again and never becomes ready. That shows in the
#   first rollout on a busy node, long after the change.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/probes/#startup-probe
#   description: What a startupProbe is for
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   before:
#   - op: add
#     path: [spec, template, spec, containers, 0, livenessProbe]
#     value: {httpGet: {path: /live, port: http}}
#   - op: add
#     path: [spec, template, spec, containers, 0, startupProbe]
#     value: {failureThreshold: 20, httpGet: {path: /live, port: http}}
#   example:
#   - {op: remove, path: [spec, template, spec, containers, 0, startupProbe]}
package gracegate.rules.change["probe-removed"]

import data.gracegate.lib.before
import data.gracegate.lib.patches
import data.gracegate.lib.probes
import data.gracegate.lib.startup
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values

violation contains {"at": at, "message": message, "level": level, "measure": found.former - found.total} if {
	some at, found in _removed
	level := _levels[user_traffic.certainty[at.document]]
	message := text.format(
		concat(" ", [
			`Container "{}" is restarted if it takes more than {} s to start: its startupProbe, which allowed {} s,`,
			"is gone.",
		]),
		[found.container.title, found.total, found.former],
	)
}

fix contains {"at": at, "patch": [step], "assumption": "The app still needs the time that it had."} if {
	some at, found in _removed
	path := array.concat(found.container.path, ["startupProbe"])
	step := patches.put(object.keys(found.container.spec), path, found.probe)
}

possible contains at if some at, _ in _removed

# No order helps: the new pods have less time in the end.
steps contains {"at": at, "steps": []} if some at, _ in _removed

_levels := {"certain": "warning", "possible": "info"}

# The rule liveness-kills-slow-start speaks of what is too short in itself.
_removed := {at: found |
	some i, pod in before.pod
	user_traffic.certainty[i]
	some path, start in startup.without_startup_probe[i]
	not startup.probe_candidates[i][path]
	[seconds, probe] := max(_startup_probes(pod.spec, start.container.title))
	seconds > start.total
	at := {"document": i, "path": array.concat(path, ["livenessProbe"])}
	found := {"container": start.container, "total": start.total, "former": seconds, "probe": probe}
}

# Those of the containers with a name, each with the seconds that it allowed.
_startup_probes(spec, name) := [[seconds, probe] |
	some list in ["containers", "initContainers"]
	some container in values.list(object.get(spec, list, []))
	container.name == name
	probe := container.startupProbe
	probes.handler(probe)
	seconds := probes.delay(probe) + probes.budget(probe)
]
