# METADATA
# title: Drains
# description: |
#   Which containers stop before traffic has left them, for how long a preStop hook has to keep them, and the steps that
#   make it do so.
# schemas:
# - input: schema.input
package gracegate.lib.drains

import data.gracegate.lib.api_fields
import data.gracegate.lib.commands
import data.gracegate.lib.containers
import data.gracegate.lib.exposures
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.patches
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.target_containers
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Containers without a drain, by document
# description: |
#   A list of the regular target containers (see the library target_containers) that have no preStop hook at all, also
#   not under a wrong name or at a wrong place. Native sidecars stop after them; apps that drain by themselves, by their
#   annotation, are left out.
containers_without_drain := {i: found |
	some i in _drainable
	found := [target |
		some target in target_containers.by_workload[i]
		not target.container.sidecar
		_lacks_hook(target.container)
	]
}

# METADATA
# title: Undecided workloads without a drain
# description: |
#   By document, entries of `undecided_by_workload` (see the library target_containers) none of whose containers has a
#   preStop hook.
undecided_without_drain := {i: undecided |
	some i in _drainable
	undecided := target_containers.undecided_by_workload[i]
	every container in undecided.containers {
		_lacks_hook(container)
	}
}

_lacks_hook(container) if {
	not hooks.has_prestop(container.spec)
	meant := {[container.document, array.concat(container.path, field)] | some field in _hook_fields}
	count(meant & api_fields.meant) == 0
}

_hook_fields := {["lifecycle"], ["lifecycle", "preStop"]}

# METADATA
# title: Hooks without a drain, by document and path of the container
# description: |
#   Entries of target_containers whose preStop hook ends at once, because all that it calls is quick. Not those of
#   `early_stops`, nor those that call a program that the image lacks.
hooks_without_drain := {i: found |
	some i in _drainable
	found := {target.container.path: target |
		some target in target_containers.by_workload[i]
		not target.container.sidecar
		hook := target.container.spec.lifecycle.preStop
		hooks.seconds(hook) == 0
		is_object(hook.exec)
		not commands.is_sleep(hook.exec.command)
		not hooks.early_stop(hook)
		not images.missing_programs[i][target.container.path]
	}
}

# METADATA
# title: Early stops, by document and path of the container
# description: |
#   Entries of target_containers whose preStop hook stops the server before it sleeps, with `stop`, what stops it.
early_stops := {i: found |
	some i in _drainable
	found := {target.container.path: object.union(target, {"stop": stop}) |
		some target in target_containers.by_workload[i]
		not target.container.sidecar
		stop := hooks.early_stop(target.container.spec.lifecycle.preStop)
		not images.missing_programs[i][target.container.path]
	}
}

# METADATA
# title: Level of a container that stops before traffic does
# description: |
#   Clients of a headless Service hold on to an address for as long as DNS does, whatever the container does. With the
#   strategy Recreate a rollout loses requests anyway, and a patch elsewhere may bring the drain.
level(target) := "info" if {
	count(target.services) > 0
	count(_senders(target)) == 0
} else := "warning" if {
	target.level == "error"
	_is_uncertain(target.container)
} else := target.level

_is_uncertain(container) if input.documents[container.document].object.spec.strategy.type == "Recreate"

_is_uncertain(container) if {
	workloads.patched_in(container.document, container.title, ["lifecycle", "preStop"])
}

# Those that are not headless.
_senders(target) := {s | some s in target.services; not services.service[s].headless}

# METADATA
# title: Sender of the traffic to a container
# description: As the end of a sentence, with the seconds for which it still sends.
sender(target) := text.format(
	`Service "{}" {} to it until it is gone, as publishNotReadyAddresses says`,
	[name, verb],
) if {
	is_sent_to_until_gone(target)
	name := services.service[min(target.services)].name
	verb := {"error": "sends", "warning": "may send", "info": "sends"}[target.level]
} else := text.format(`Service "{}" {} to it for up to {} s`, [name, verb, seconds]) if {
	named := [found | some found in [_senders(target), target.services]; count(found) > 0][0]
	[seconds, slowest] := max([[exposures.seconds[s], s] | some s in named])
	name := services.service[slowest].name
	verb := {"error": "still sends", "warning": "may still send", "info": "still sends"}[target.level]
} else := "a Service in a file that could not be read may still send to it"

# METADATA
# scope: document
# title: Is the container sent to until it is gone?
# description: |
#   Its Services all publish pods that are not ready, and so pods that are stopping. A drain does not help then.
is_sent_to_until_gone(target) if {
	count(_senders(target)) > 0
	every s in _senders(target) {
		services.service[s].publishes_unready
	}
}

# METADATA
# title: Planned drains, by document and path of the container
# description: |
#   Seconds that a container in `containers_without_drain` needs. Only if everything that decides it is known, also the
#   grace period that it has to fit into, its hook can sleep, and a drain helps.
planned_drains := {i: found |
	some i, listed in containers_without_drain
	values.number(object.get(workloads.pod[i].spec, "terminationGracePeriodSeconds", null), 30)
	found := {target.container.path: max({exposures.seconds[s] | some s in target.services}) |
		some target in listed
		count(target.services) > 0
		count(target.services - exposures.is_certain) == 0
		not is_sent_to_until_gone(target)
		images.can_sleep(values.string(object.get(target.container.spec, "image", "")), input.cluster.min_minor)
	}
}

# METADATA
# title: Sleep hooks, by document and path of the container
# description: |
#   preStop hooks of regular containers that only sleep, also those that were meant to but have a defect: `native`, true
#   for the sleep of Kubernetes, `seconds`, `container`, which is the container's spec, `title`, and `path` to the hook
#   from the document's root.
sleep_hooks := {i: found |
	some i in workloads.complete
	found := {container.path: sleep |
		some container in containers.regular[i]
		hook := container.spec.lifecycle.preStop
		seconds := _seconds(hook)
		native := _native(hook)
		sleep := {
			"native": native,
			"seconds": seconds,
			"container": container.spec,
			"title": container.title,
			"path": array.concat(container.path, ["lifecycle", "preStop"]),
		}
	}
}

# METADATA
# scope: document
# title: Does the API server accept the seconds of a native sleep?
# description: Clusters before 1.33 reject 0. The length of the grace period does not count here.
is_valid_sleep(seconds, _) if values.integer(seconds, -1) > 0

is_valid_sleep(seconds, minor) if {
	minor >= 33
	seconds in {0, null}
}

# METADATA
# title: Short drains, by document and path of the container
# description: |
#   Hooks of target containers that end before traffic has left: `target`, `hook`, its `seconds`, the `least` that would
#   be accepted and the `recommended` seconds, `sender`, the slowest Service, null if it is not known, `headless`, true
#   if all Services are, and `is_for_health_check`, true if only the health check of a load balancer takes longer.
#   Scripts count if everything else that they do is quick, and hooks with a defect if they were meant to sleep.
short_drains := {i: found |
	some i in _drainable
	found := {target.container.path: drain |
		some target in target_containers.by_workload[i]
		not target.container.sidecar
		hook := target.container.spec.lifecycle.preStop
		seconds := _seconds(hook)
		_is_quick(hook)
		routes := _exposures(target)
		by_exposure := max({_least[exposure] | some exposure in routes})
		window := max({0} | {window | some s in target.services; window := exposures.health_check_seconds[s]})
		least := max({by_exposure, window})
		seconds < least
		[recommended, sender] := _slowest(target, routes)
		drain := {
			"target": target,
			"hook": hook,
			"seconds": seconds,
			"least": least,
			"recommended": max({recommended, window}),
			"sender": sender,
			"is_for_health_check": seconds >= by_exposure,
			"headless": routes == {"headless"},
		}
	}
}

# METADATA
# title: Recommended seconds, by document and path of the container
# description: Of hooks that sleep, as long as they do, or the `recommended` seconds of a short drain.
recommended_seconds := {i: found |
	some i in workloads.complete
	current := {path: sleep.seconds | some path, sleep in sleep_hooks[i]; sleep.seconds > 0}
	found := object.union(current, {path: drain.recommended | some path, drain in short_drains[i]})
}

# METADATA
# title: Steps to a sleep that works, by document and path of the container
# description: |
#   Of `sleep_hooks`. The same for all rules, so that their fixes agree. Undefined if there is none, as when neither the
#   image nor Kubernetes can sleep.
sleep_steps := {i: found |
	some i, listed in sleep_hooks
	found := {path: steps |
		some path, sleep in listed
		steps := _steps(sleep, recommended_seconds[i][path])
	}
}

_drainable := {i |
	some i in ((workloads.rolling & workloads.complete) - scaling.idle)
	not workloads.annotations[i]["gracegate.dev/drain"] == "app"
}

_seconds(hook) := hooks.seconds(hook)

_seconds(hook) := hooks.intended_seconds(hook)

# Undefined for a hook that does more than sleep.
_native(hook) if {
	is_object(hook.sleep)
} else := false if {
	hooks.intended_seconds(hook)
} else := false if {
	commands.is_sleep(hook.exec.command)
}

_is_quick(hook) if _native(hook) in {true, false}

_is_quick(hook) if {
	hooks.seconds(hook) > 0
	commands.is_quick(hook.exec.command)
	not hooks.early_stop(hook)
}

# Clients of a headless Service use an address for as long as DNS keeps it; that counts if there is no other exposure.
_exposures(target) := found - {"headless"} if {
	found := {exposure | some s in target.services; some exposure in exposures.by_service[s]}
	count(found - {"headless"}) > 0
} else := {"headless"} if {
	count(target.services) > 0
} else := {"cluster"}

_least := {exposure: min({seconds, _configured_or_half(exposure, seconds)}) |
	some exposure, seconds in input.cluster.drain_seconds
}

_configured_or_half(exposure, seconds) := input.cluster.least_drain_seconds[exposure] if {
	values.integer(input.cluster.least_drain_seconds[exposure], -1) >= 0
} else := ceil(seconds / 2)

_slowest(target, routes) := max(found) if {
	count(target.services) > 0
	found := {[input.cluster.drain_seconds[exposure], s] |
		some s in target.services
		some exposure in (exposures.by_service[s] & routes)
	}
} else := [input.cluster.drain_seconds.cluster, null]

_steps(sleep, seconds) := [patches.put(
	object.keys(sleep.container.lifecycle.preStop.sleep),
	array.concat(sleep.path, ["sleep", "seconds"]),
	seconds,
) |
	sleep.seconds != seconds
] if {
	sleep.native
	input.cluster.min_minor >= 30
} else := [{"op": "replace", "path": sleep.path, "value": hooks.sleep_hook(seconds, input.cluster.min_minor)}] if {
	images.can_sleep(values.string(object.get(sleep.container, "image", "")), input.cluster.min_minor)
}
