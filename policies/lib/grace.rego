# METADATA
# title: Grace
# description: How long a pod has to stop, and how long it needs.
# schemas:
# - input: schema.input
package gracegate.lib.grace

import data.gracegate.lib.apps
import data.gracegate.lib.containers
import data.gracegate.lib.drains
import data.gracegate.lib.hooks
import data.gracegate.lib.patches
import data.gracegate.lib.sleeps
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Grace period by document
# description: In seconds, from the beginning of the preStop hooks to SIGKILL.
period := {i: values.whole(object.get(workloads.pod[i].spec, "terminationGracePeriodSeconds", 30), 30) |
	some i in workloads.whole
}

# METADATA
# title: Workloads without any time to stop
zero := {i | some i, seconds in period; seconds == 0; workloads.rolling[i]}

# METADATA
# title: Stopping containers by document
# description: |
#   Regular containers with `hook`, the seconds that their preStop takes, or would if it were as it was meant or
#   planned, `wanted`, those that it should take, and `app`, the seconds that they go on after it. A container whose
#   hook says nothing of its time is not among them.
stopping := {i: found |
	some i in workloads.whole
	found := [stop |
		some container in containers.regular[i]
		seconds := _seconds(i, container)
		stop := {
			"container": container,
			"hook": seconds,
			"wanted": _wanted(i, container.path, seconds),
			"app": apps.seconds(workloads.annotations[i], container.spec, input.cluster.app_drain_seconds),
		}
	]
}

# METADATA
# title: Seconds that the pod needs to stop, by document
# description: |
#   The longest of its containers, hook and app, and five seconds to spare, rounded up to five. Never below the default
#   of the API.
needed := {i: max({30} | times) |
	some i, stops in stopping
	times := {enough | some stop in stops; enough := 5 * ceil(((stop.wanted + stop.app) + 5) / 5)}
}

# METADATA
# title: The steps that make the grace period long enough, by document
# description: One, or none where it is. The same for all containers of a pod, so that their fixes agree.
raise := {i: steps |
	some i, seconds in needed
	pod := workloads.pod[i]
	path := array.concat(pod.path, ["terminationGracePeriodSeconds"])
	steps := [patches.put(object.keys(pod.spec), path, seconds) | seconds > period[i]]
}

_wanted(i, path, seconds) := max({seconds, sleeps.wanted[i][path]}) if {
	sleeps.wanted[i][path]
} else := seconds

_seconds(_, container) := hooks.seconds(container.spec.lifecycle.preStop)

_seconds(_, container) := hooks.meant(container.spec.lifecycle.preStop)

_seconds(i, container) := drains.planned[i][container.path]
