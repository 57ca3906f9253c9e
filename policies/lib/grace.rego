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
import data.gracegate.lib.shutdown_times
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
#   takes, or would take as it was meant or planned, `drain`, the seconds that it should take, `app`, the seconds for
#   which the app continues after it, and `stated`, those of them that the container states itself (see the library
#   shutdown_times). A container without a known duration of its hook is left out, unless it states such times: its
#   hook then counts as long as it is known to take at least.
shutdowns := {i: found |
	some i in workloads.complete
	found := [shutdown |
		some container in containers.regular[i]
		stated := shutdown_times.stated(container.spec)
		seconds := _hook_seconds(i, container, stated)
		shutdown := {
			"container": container,
			"hook": seconds,
			"drain": _drain_seconds(i, container.path, seconds),
			"app": _app_seconds(workloads.annotations[i], stated, input.cluster.app_drain_seconds),
			"stated": stated,
		}
	]
}

# METADATA
# title: Shutdown as a sum
# description: |
#   Related places, with notes, of one of the `shutdowns`: the seconds of its hook, those that the container states, and
#   the grace period that they do not fit into.
sum_of_places(shutdown) := array.concat(array.concat(hook, stated), [end]) if {
	i := shutdown.container.document
	path := shutdown.container.path
	hook := [_noted(i, array.concat(path, ["lifecycle", "preStop"]), "preStop: {} s", [shutdown.hook]) | shutdown.hook > 0]
	stated := [_noted(i, array.concat(path, setting.path), `"{}": {} s`, [setting.name, setting.seconds]) |
		some setting in shutdown.stated
	]
	needed := shutdown.hook + shutdown.app
	end := _noted(i, _period_path(i), "grace period: {} s, but {} s are needed", [period[i], needed])
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
	steps := [patches.because(patches.put(object.keys(pod.spec), _period_path(i), seconds), reason) |
		seconds > current
		reason := object.get(_reasons, i, "the default leaves time for requests in flight")
	]
}

# METADATA
# title: Shutdown of the app in a container
# description: |
#   Seconds for which the app finishes requests after SIGTERM: as the annotation sets them, else the longest that
#   arguments, environment and the proxy's annotation set, else the fallback.
app_seconds(annotations, spec, fallback) := _app_seconds(annotations, shutdown_times.stated(spec), fallback)

# METADATA
# title: Has an annotation set the shutdown of the app?
# description: It counts more than what the container states.
is_annotated(annotations) if _annotated_seconds(annotations) >= 0

_app_seconds(annotations, stated, fallback) := _annotated_seconds(annotations) if {
	is_annotated(annotations)
} else := max(configured) if {
	configured := {shutdown_times.total(stated) | count(stated) > 0} | _istio_settings(annotations)
	count(configured) > 0
} else := fallback

_annotated_seconds(annotations) := to_number(annotated[0][1]) if {
	annotated := regex.find_all_string_submatch_n(`^0*(\d{1,6})$`, annotations["gracegate.dev/app-drain-seconds"], 1)
}

_noted(i, path, note, arguments) := {"document": i, "path": path, "note": text.format(note, arguments)}

_period_path(i) := array.concat(workloads.pod[i].path, ["terminationGracePeriodSeconds"])

_drain_seconds(i, path, seconds) := max({seconds, drains.recommended_seconds[i][path]}) if {
	drains.recommended_seconds[i][path]
} else := seconds

_hook_seconds(i, container, stated) := seconds if {
	seconds := hooks.seconds(container.spec.lifecycle.preStop)
} else := seconds if {
	seconds := hooks.intended_seconds(container.spec.lifecycle.preStop)
} else := drains.planned_drains[i][container.path] if {
	drains.planned_drains[i][container.path]
} else := shutdown_times.total(stated) if {
	count(stated) > 0
	_asks_to_drain(container.spec.lifecycle.preStop)
} else := 0 if count(stated) > 0

# Such a hook waits for the app, which drains again when it then gets SIGTERM.
_asks_to_drain(hook) if regex.match(`drain|shutdown|pre-?stop`, lower(hook.httpGet.path))

# Istio's proxy accepts connections for this long.
_istio_settings(annotations) := {to_number(found[1]) |
	some found in regex.find_all_string_submatch_n(
		`terminationDrainDuration:\s*"?0*(\d{1,6})s`,
		object.get(annotations, "proxy.istio.io/config", ""),
		1,
	)
}
