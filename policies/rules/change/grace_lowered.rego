# METADATA
# title: Pods get less time to stop
# description: |
#   What a pod is still doing when its grace period ends is lost: long requests, uploads, jobs from a queue. A change
#   that shortens it looks harmless, because nothing fails until the next rollout stops a pod that is busy.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
#   description: What happens when the grace period ends
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   before:
#   - {op: add, path: [spec, template, spec, terminationGracePeriodSeconds], value: 300}
#   example:
#   - {op: replace, path: [spec, template, spec, terminationGracePeriodSeconds], value: 60}
package gracegate.rules.change["grace-lowered"]

import data.gracegate.lib.before
import data.gracegate.lib.grace
import data.gracegate.lib.patches
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _level(at.document, former), "measure": measure} if {
	some at, former in _lowered
	measure := former - grace.period[at.document]
	message := text.format(
		`Pods of {} "{}" are killed {} s after they were told to stop, not {} s: work that takes longer is lost now.`,
		[workloads.kind[at.document], workloads.name[at.document], grace.period[at.document], former],
	)
}

fix contains {"at": at, "patch": [step], "assumption": "The app still needs the time that it had."} if {
	some at, former in _lowered
	path := array.concat(workloads.pod[at.document].path, ["terminationGracePeriodSeconds"])
	step := patches.put(object.keys(workloads.pod[at.document].spec), path, former)
}

possible contains at if some at, _ in _lowered

# No order helps: what is shorter is shorter in the end.
steps contains {"at": at, "steps": []} if some at, _ in _lowered

# Less than half, of pods with requests of users.
_level(i, former) := "warning" if {
	user_traffic.certainty[i] == "certain"
	2 * grace.period[i] < former
} else := "info"

# Seconds before the change. The rules grace-period-zero and grace-period-exhausted speak of what is too short in
# itself.
_lowered := {at: seconds |
	some i, former in before.pod
	workloads.complete[i]
	seconds := values.number(object.get(former.spec, "terminationGracePeriodSeconds", null), 30)
	seconds > grace.period[i]
	grace.period[i] > 0
	not _is_exhausted(i)
	at := {"document": i, "path": array.concat(workloads.pod[i].path, ["terminationGracePeriodSeconds"])}
}

_is_exhausted(i) if grace.required_period[i] > grace.period[i]
