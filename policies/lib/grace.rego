# METADATA
# title: Grace
# description: How long a pod has to stop, and how long it needs.
# schemas:
# - input: schema.input
package gracegate.lib.grace

import data.gracegate.lib.containers
import data.gracegate.lib.drains
import data.gracegate.lib.hooks
import data.gracegate.lib.patches
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Grace period by document
# description: |
#   Of complete workloads, the seconds from the beginning of the preStop hooks to SIGKILL. Not of those that set it to a
#   variable.
period := {i: seconds |
	some i in workloads.complete
	seconds := values.number(object.get(workloads.pod[i].spec, "terminationGracePeriodSeconds", null), 30)
}

# METADATA
# title: Workloads with a grace period of 0
# description: A set of documents, of rolling workloads only.
workloads_with_zero_period := {i | some i, seconds in period; seconds == 0; workloads.rolling[i]}

# METADATA
# title: Shutdowns by document
# description: |
#   Of complete workloads, a list of their regular containers: `container`, `hook`, the seconds that its preStop hook
#   takes, or would take as it was meant or planned, `drain`, the seconds that it should take, and `app`, the seconds
#   for which the app continues after it. A container without a known duration of its hook is left out.
shutdowns := {i: found |
	some i in workloads.complete
	found := [shutdown |
		some container in containers.regular[i]
		seconds := _hook_seconds(i, container)
		shutdown := {
			"container": container,
			"hook": seconds,
			"drain": _drain_seconds(i, container.path, seconds),
			"app": app_seconds(workloads.annotations[i], container.spec, input.cluster.app_drain_seconds),
		}
	]
}

# METADATA
# title: Required grace period by document
# description: |
#   Seconds: the longest drain and app of its `shutdowns` and five more, rounded up to five; never below the default of
#   the API.
required_period := {i: max({30} | times) |
	some i, listed in shutdowns
	times := {enough | some shutdown in listed; enough := 5 * ceil(((shutdown.drain + shutdown.app) + 5) / 5)}
}

# Why the longest of its shutdowns needs that period.
_reasons := {i: text.format("preStop ({} s) and shutdown ({} s) have to fit", [drain, app]) |
	some i, listed in shutdowns
	[_, drain, app] := max([[shutdown.drain + shutdown.app, shutdown.drain, shutdown.app] | some shutdown in listed])
}

# METADATA
# title: Steps to the required grace period, by document
# description: |
#   One step, or none if the period is long enough. The same for all containers, so that their fixes agree. Not of
#   workloads whose period is not known.
extension_steps := {i: steps |
	some i, seconds in required_period
	current := period[i]
	pod := workloads.pod[i]
	path := array.concat(pod.path, ["terminationGracePeriodSeconds"])
	steps := [patches.because(patches.put(object.keys(pod.spec), path, seconds), reason) |
		seconds > current
		reason := object.get(_reasons, i, "the default leaves time for requests in flight")
	]
}

# METADATA
# title: Shutdown of the app in a container
# description: |
#   Seconds for which the app finishes requests after SIGTERM: as the annotation sets them, else the longest that
#   arguments, environment and the proxy's annotation set, else the fallback.
app_seconds(annotations, spec, fallback) := to_number(annotated[0][1]) if {
	annotated := regex.find_all_string_submatch_n(`^0*(\d{1,6})$`, annotations["gracegate.dev/app-drain-seconds"], 1)
	count(annotated) > 0
} else := max(configured) if {
	configured := _app_settings(spec) | _istio_settings(annotations)
	count(configured) > 0
} else := fallback

_drain_seconds(i, path, seconds) := max({seconds, drains.recommended_seconds[i][path]}) if {
	drains.recommended_seconds[i][path]
} else := seconds

_hook_seconds(_, container) := hooks.seconds(container.spec.lifecycle.preStop)

_hook_seconds(_, container) := hooks.intended_seconds(container.spec.lifecycle.preStop)

_hook_seconds(i, container) := drains.planned_drains[i][container.path]

_app_settings(spec) := (_flags(line) | _gunicorn_default(line)) | _spring_settings(spec) if {
	line := _command_line(spec)
}

_command_line(spec) := concat(" ", [word |
	some word in array.concat(
		array.concat(values.list(object.get(spec, "command", [])), values.list(object.get(spec, "args", []))),
		[variable.value | some variable in _environment(spec); variable.name == "GUNICORN_CMD_ARGS"],
	)
	is_string(word)
])

_environment(spec) := [variable |
	some variable in values.list(object.get(spec, "env", []))
	is_string(variable.value)
]

# Of gunicorn and uvicorn.
_flags(line) := {to_number(found[1]) |
	some found in regex.find_all_string_submatch_n(
		`--(?:graceful-timeout|timeout-graceful-shutdown)[=\s]+0*(\d{1,6})`,
		line,
		-1,
	)
}

_gunicorn_default(line) := {30 | regex.match(`(^|[\s/])gunicorn(\s|$)`, line); count(_flags(line)) == 0}

_spring_settings(spec) := {ceil(to_number(found[1]) * _units[found[2]]) |
	some variable in _environment(spec)
	variable.name == "SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE"
	some found in regex.find_all_string_submatch_n(`^(?:PT)?0*(\d{1,9})(|ms|s|m|h|S|M|H)$`, variable.value, 1)
}

_units := {"": 0.001, "ms": 0.001, "s": 1, "S": 1, "m": 60, "M": 60, "h": 3600, "H": 3600}

# Istio's proxy accepts connections for this long.
_istio_settings(annotations) := {to_number(found[1]) |
	some found in regex.find_all_string_submatch_n(
		`terminationDrainDuration:\s*"?0*(\d{1,6})s`,
		object.get(annotations, "proxy.istio.io/config", ""),
		1,
	)
}
