# METADATA
# title: Drains
# description: The containers that stop before traffic does, and how long a drain would have to be.
# schemas:
# - input: schema.input
package gracegate.lib.drains

import data.gracegate.lib.exposures
import data.gracegate.lib.hooks
import data.gracegate.lib.scaling
import data.gracegate.lib.targets
import data.gracegate.lib.workloads

# METADATA
# title: Containers without a drain, by document
# description: |
#   Regular containers that a Service sends to and that have no preStop hook at all. Native sidecars stop after them,
#   and an app that says so drains by itself.
undrained[i] := [target |
	some target in targets.of[i]
	not target.container.sidecar
	not hooks.present(target.container.spec)
] if {
	some i in workloads.whole
	i in workloads.rolling
	not i in scaling.idle
	not workloads.annotations[i]["gracegate.dev/drain"] == "app"
}

# METADATA
# title: Seconds of the drain that a container needs, by document and path of the container
# description: Only where all is known that decides it.
planned[i] := {target.container.path: max({exposures.seconds[s] | some s in target.from}) |
	some target in undrained[i]
	count(target.from) > 0
	count(target.from - exposures.known) == 0
	_sleeps(target.container.spec)
} if {
	some i, _ in undrained
}

planned[i] := {} if {
	some i in workloads.whole
	not undrained[i]
}

_sleeps(_) if input.cluster.min_minor >= 30

_sleeps(spec) if not _bare(spec)

# Images that have no command but the app's own.
_bare(spec) if regex.match(`distroless|^cgr\.dev/|^scratch$|:nonroot|-static`, spec.image)
