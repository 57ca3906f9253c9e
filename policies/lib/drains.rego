# METADATA
# title: Drains
# description: The containers that stop before traffic does, and how long a drain would have to be.
# schemas:
# - input: schema.input
package gracegate.lib.drains

import data.gracegate.lib.exposures
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.scaling
import data.gracegate.lib.targets
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Containers without a drain, by document
# description: |
#   Regular containers that a Service sends to and that have no preStop hook at all. Native sidecars stop after them,
#   and an app that says so drains by itself.
undrained := {i: found |
	some i in ((workloads.rolling & workloads.whole) - scaling.idle)
	not workloads.annotations[i]["gracegate.dev/drain"] == "app"
	found := [target |
		some target in targets.of[i]
		not target.container.sidecar
		not hooks.present(target.container.spec)
	]
}

# METADATA
# title: Seconds of the drain that a container needs, by document and path of the container
# description: Only where all is known that decides it.
planned := {i: found |
	some i, containers in undrained
	found := {target.container.path: max({exposures.seconds[s] | some s in target.from}) |
		some target in containers
		count(target.from) > 0
		count(target.from - exposures.known) == 0
		images.can_sleep(values.text(object.get(target.container.spec, "image", "")), input.cluster.min_minor)
	}
}
