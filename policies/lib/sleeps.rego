# METADATA
# title: Sleeps
# description: Hooks that do nothing but wait until traffic has left, how long they would have to, and how they can.
# schemas:
# - input: schema.input
package gracegate.lib.sleeps

import data.gracegate.lib.containers
import data.gracegate.lib.exposures
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.patches
import data.gracegate.lib.scaling
import data.gracegate.lib.shells
import data.gracegate.lib.targets
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Hooks that only sleep, by document and path of the container
# description: |
#   Of regular containers; `native` says in which way, `seconds` how long. Those that mean to but cannot are among them.
only := {i: found |
	some i in workloads.whole
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
# title: Does the API server take the seconds of a native sleep?
# description: Clusters before 1.33 take no 0. How long the grace period is does not count here.
taken(seconds, _) if values.whole(seconds, -1) > 0

taken(seconds, minor) if {
	minor >= 33
	seconds in {0, null}
}

# METADATA
# title: Hooks that end before traffic has left, by document and path of the container
# description: |
#   With the `least` that they would have to take and the seconds that are `recommended`. `sender` is the slowest
#   Service, null where it is not known. Scripts count if all that they do besides is quick, and hooks that are wrong if
#   they mean to sleep.
short := {i: found |
	some i in ((workloads.rolling & workloads.whole) - scaling.idle)
	not workloads.annotations[i]["gracegate.dev/drain"] == "app"
	found := {target.container.path: drain |
		some target in targets.of[i]
		not target.container.sidecar
		hook := target.container.spec.lifecycle.preStop
		seconds := _seconds(hook)
		_is_quick(hook)
		ways := _ways(target)
		least := max({_least[way] | some way in ways})
		seconds < least
		[recommended, sender] := _slowest(target, ways)
		drain := {
			"target": target,
			"hook": hook,
			"seconds": seconds,
			"least": least,
			"recommended": recommended,
			"sender": sender,
			"headless": ways == {"headless"},
		}
	}
}

# METADATA
# title: Seconds that hooks should take, by document and path of the container
# description: Of hooks that sleep; as long as they do, or as recommended where that is too short.
wanted := {i: found |
	some i in workloads.whole
	sleeping := {path: sleep.seconds | some path, sleep in only[i]; sleep.seconds > 0}
	found := object.union(sleeping, {path: drain.recommended | some path, drain in short[i]})
}

# METADATA
# title: The steps that make a hook a sleep that works, by document and path of the container
# description: |
#   All rules that mend a hook that only sleeps take these, so that their fixes agree. Undefined where it cannot be
#   mended, as where the image has no sleep and Kubernetes neither.
mend := {i: found |
	some i, sleeping in only
	found := {path: steps |
		some path, sleep in sleeping
		steps := _steps(sleep, wanted[i][path])
	}
}

_seconds(hook) := hooks.seconds(hook)

_seconds(hook) := hooks.meant(hook)

_native(hook) if {
	is_object(hook.sleep)
} else := false if {
	hooks.meant(hook)
} else := false if {
	shells.program(hook.exec.command[0]) == "sleep"
} else := false if {
	script := hook.exec.command[shells.script_place(hook.exec.command)]
	regex.match(`^\s*(exec\s+)?(\S*/)?sleep\s+[\d.]+[smhd]?\s*;?\s*$`, script)
}

_is_quick(hook) if _native(hook) in {true, false}

_is_quick(hook) if {
	hooks.seconds(hook)
	script := hook.exec.command[shells.script_place(hook.exec.command)]
	programs := [shells.program(split(command, " ")[0]) | some command in shells.commands(script)]
	every program in programs {
		_quick[program]
	}
}

_quick := {":", "date", "echo", "exit", "kill", "nginx", "pkill", "rm", "set", "sleep", "touch", "true"}

# Clients of a headless Service hold on to an address for as long as DNS does; that counts where there is no other way.
_ways(target) := ways - {"headless"} if {
	ways := {way | some s in target.from; some way in exposures.of[s]}
	count(ways - {"headless"}) > 0
} else := {"headless"} if {
	count(target.from) > 0
} else := {"cluster"}

# Undefined where the rule that has the parameter is not asked.
_least[way] := min({seconds, _said_or_half(said, way, seconds)}) if {
	said := input.params["prestop-drain-too-short"].least_seconds
	some way, seconds in input.cluster.drain_seconds
}

_said_or_half(said, way, seconds) := said[way] if {
	values.whole(said[way], -1) >= 0
} else := ceil(seconds / 2)

_slowest(target, ways) := max(reached) if {
	count(target.from) > 0
	reached := {[input.cluster.drain_seconds[way], s] |
		some s in target.from
		some way in (exposures.of[s] & ways)
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
} else := [{"op": "replace", "path": sleep.path, "value": hooks.sleeping(seconds, input.cluster.min_minor)}] if {
	images.can_sleep(values.text(object.get(sleep.container, "image", "")), input.cluster.min_minor)
}
