# METADATA
# title: Patience
# description: How long a livenessProbe waits before it has its container restarted, and how long it had better wait.
package gracegate.lib.patience

import data.gracegate.lib.containers
import data.gracegate.lib.patches
import data.gracegate.lib.probes
import data.gracegate.lib.workloads

# METADATA
# title: Watched containers by document
# description: |
#   Those of workloads that roll, with a livenessProbe that asks something. `period`, `threshold` and `budget` are its
#   tries and their seconds; `readiness` is the budget of a readinessProbe that asks the same, 0 where there is none.
#   `steps` make the probe patient. They are the same for all rules, so that their fixes agree.
of := {i: found |
	some i in (workloads.rolling & workloads.whole)
	found := [watched |
		some container in containers.running[i]
		probe := container.spec.livenessProbe
		asked := probes.asks(probe, container.ports)
		path := array.concat(container.path, ["livenessProbe"])
		readiness := _readiness(object.get(container.spec, "readinessProbe", null), asked, container.ports)
		period := probes.period(probe)
		enough := max({least(period), ceil((2 * readiness) / period)})
		watched := {
			"container": container,
			"path": path,
			"period": period,
			"threshold": probes.threshold(probe),
			"budget": probes.budget(probe),
			"readiness": readiness,
			"steps": [patches.put(object.keys(probe), array.concat(path, ["failureThreshold"]), enough)],
		}
	]
}

# METADATA
# title: Tries that a livenessProbe with this period should have
# description: |
#   As long as the defaults of the API wait, and twice as long as the readinessProbe that gracegate suggests where there
#   is none.
least(period) := max({3, ceil(30 / period)})

_readiness(probe, asked, ports) := probes.budget(probe) if {
	probes.asks(probe, ports) == asked
} else := 0
