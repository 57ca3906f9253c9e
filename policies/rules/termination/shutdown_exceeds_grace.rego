# METADATA
# title: App is killed before its own shutdown time is over
# description: |
#   Many servers and frameworks are told how long they may take to finish requests after SIGTERM: by a flag, by a
#   variable, by a hook that asks them to drain first. Kubernetes does not know of that time. When the grace period is
#   over it kills the process, and the requests that the app still meant to finish are lost, on every rollout.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
#   description: How Kubernetes stops a pod
# - ref: https://github.com/BerriAI/litellm/pull/29439
#   description: A hook and SIGTERM that each drain for 30 s
# - ref: https://github.com/dograh-hq/dograh/pull/577
#   description: A delay and a drain that together exceed the grace period
# - ref: https://docs.spring.io/spring-boot/reference/web/graceful-shutdown.html
#   description: The shutdown time of Spring Boot
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: safe
#   exceptions:
#   - The app never needs the time that it allows itself, because all its requests are short.
#   example:
#   - op: replace
#     path: [spec, template, spec, containers, 0, lifecycle, preStop]
#     value: {httpGet: {path: /drain, port: http}}
#   - op: add
#     path: [spec, template, spec, containers, 0, env]
#     value: [{name: GRACEFUL_SHUTDOWN_TIMEOUT, value: 30s}]
package gracegate.rules.termination["shutdown-exceeds-grace"]

import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.scaling
import data.gracegate.lib.target_containers
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": shutdown.level, "measure": shutdown.missing} if {
	some at, shutdown in _exceeding
	message := text.format(`Container "{}" {} killed before it has shut down: {} {} the {} s grace period.`, [
		shutdown.container.title,
		{true: "is", false: "may be"}[shutdown.is_documented],
		concat(" plus ", shutdown.parts),
		{true: "exceeds", false: "exceed"}[count(shutdown.parts) == 1],
		grace.period[at.document],
	])
}

related contains {"at": at, "places": grace.sum_of_places(shutdown)} if some at, shutdown in _exceeding

possible contains at if {
	some at, shutdown in _exceeding
	not shutdown.is_documented
}

fix contains {"at": at, "patch": steps} if {
	some at, shutdown in _exceeding
	not _has_unknown_hook(shutdown)
	steps := _steps(at.document, shutdown)
}

fix contains {"at": at, "class": "assumes", "assumption": assumption, "patch": steps} if {
	assumption := "The preStop hook itself ends at once."
	some at, shutdown in _exceeding
	_has_unknown_hook(shutdown)
	steps := _steps(at.document, shutdown)
}

# The message has given the reason and its numbers, unless a drain that is not there yet has to fit in too.
_steps(i, shutdown) := [object.remove(step, ["reason"]) | some step in grace.extension_steps[i]] if {
	shutdown.drain == shutdown.hook
} else := grace.extension_steps[i]

# The rule grace-period-exhausted reports a container whose hook itself takes a known time.
_exceeding := {at: found |
	some i, shutdowns in grace.shutdowns
	workloads.rolling[i]
	not scaling.idle[i]
	not grace.workloads_with_zero_period[i]
	some shutdown in shutdowns
	count(shutdown.stated) > 0
	not grace.is_annotated(workloads.annotations[i])
	level := _levels[i][shutdown.container.path]
	not _has_known_hook(shutdown)
	hook := _hook_now(shutdown)
	missing := (hook + shutdown.app) - grace.period[i]
	missing > 0
	longest := max([[stated.seconds, stated.path] | some stated in shutdown.stated])
	at := {"document": i, "path": array.concat(shutdown.container.path, longest[1])}
	found := object.union(shutdown, {
		"hook": hook,
		"level": level,
		"missing": missing,
		"is_documented": {stated.is_documented | some stated in shutdown.stated} == {true},
		"parts": array.concat(_hook_part(shutdown, hook), [_part(stated) | some stated in shutdown.stated]),
	})
}

_has_known_hook(shutdown) if hooks.seconds(shutdown.container.spec.lifecycle.preStop) > 0

_has_known_hook(shutdown) if hooks.intended_seconds(shutdown.container.spec.lifecycle.preStop)

# A drain that another rule suggests is not there yet.
_hook_now(shutdown) := shutdown.hook if {
	hooks.has_prestop(shutdown.container.spec)
} else := 0

_hook_part(shutdown, hook) := [text.format("preStop (up to {} s)", [hook])] if {
	hook > 0
} else := ["preStop"] if {
	_has_unknown_hook(shutdown)
} else := []

_has_unknown_hook(shutdown) if {
	hooks.has_prestop(shutdown.container.spec)
	not _ends_at_once(shutdown)
	shutdown.hook == 0
}

_ends_at_once(shutdown) if hooks.seconds(shutdown.container.spec.lifecycle.preStop) == 0

_part(stated) := text.format(`"{}" ({} s)`, [stated.name, stated.seconds])

# Of the containers that may get requests, by document and path.
_levels := {i: object.union(undecided, decided) |
	some i, targets in target_containers.by_workload
	decided := {target.container.path: _warning_at_most[target.level] | some target in targets}
	undecided := {container.path: "warning" |
		some container in object.get(target_containers.undecided_by_workload, i, {"containers": []}).containers
	}
}

_warning_at_most := {"error": "warning", "warning": "warning", "info": "info"}
