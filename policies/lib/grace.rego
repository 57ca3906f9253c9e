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
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Grace period by document
# description: In seconds, from the beginning of the preStop hooks to SIGKILL.
period[i] := values.whole(object.get(pod.spec, "terminationGracePeriodSeconds", 30), 30) if some i, pod in workloads.pod

# METADATA
# title: Seconds that an app goes on after its preStop, by document and path of the container
app[i] := {container.path: apps.seconds(workloads.annotations[i], container.spec, input.cluster.app_drain_seconds) |
	some container in containers.regular[i]
} if {
	some i in workloads.whole
}

# METADATA
# title: Seconds that a preStop hook takes, by document and path of the container
# description: Of regular containers, where the hook says so.
spent[i] := {container.path: seconds |
	some container in containers.regular[i]
	seconds := hooks.seconds(container.spec.lifecycle.preStop)
} if {
	some i in workloads.whole
}

# METADATA
# title: Seconds that the pod needs to stop, by document
# description: |
#   The longest of its containers: its preStop, or the one planned for it, what the app itself takes, and five seconds
#   to spare, rounded up to five. Never below the default of the API.
needed[i] := max({30} | times) if {
	some i in workloads.whole
	times := {time |
		some path, seconds in object.union(spent[i], drains.planned[i])
		time := 5 * ceil(((seconds + app[i][path]) + 5) / 5)
	}
}

# METADATA
# title: The steps that make the grace period long enough, by document
# description: One, or none where it is. The same for all containers of a pod, so that their fixes agree.
raise[i] := [step |
	needed[i] > period[i]
	pod := workloads.pod[i]
	step := patches.put(object.keys(pod.spec), array.concat(pod.path, ["terminationGracePeriodSeconds"]), needed[i])
] if {
	some i in workloads.whole
}
