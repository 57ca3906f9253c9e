# METADATA
# title: Liveness budget
# description: How long a livenessProbe waits before its container is restarted, and how long it should wait.
package gracegate.lib.liveness_budget

import data.gracegate.lib.containers
import data.gracegate.lib.patches
import data.gracegate.lib.probes
import data.gracegate.lib.workloads

# METADATA
# title: Liveness budgets by document of the workload
# description: |
#   Of complete rolling workloads, a list of the containers with a livenessProbe that has a handler: `container`, `path`
#   to the probe from the document's root, its `period`, `threshold` and `budget` in seconds, and `readiness_budget`,
#   that of a readinessProbe with the same handler, 0 if there is none. `steps` make the livenessProbe patient; they are
#   the same for all rules, so that their fixes agree.
by_workload := {i: found |
	some i in (workloads.rolling & workloads.complete)
	found := [liveness |
		some container in containers.long_running[i]
		probe := container.spec.livenessProbe
		handler := probes.normal_handler(probe, container.ports)
		path := array.concat(container.path, ["livenessProbe"])
		readiness_probe := object.get(container.spec, "readinessProbe", null)
		readiness_budget := _readiness_budget(readiness_probe, handler, container.ports)
		period := probes.period(probe)
		threshold := max({probes.patient_threshold(period), ceil((2 * readiness_budget) / period)})
		liveness := {
			"container": container,
			"path": path,
			"period": period,
			"threshold": probes.threshold(probe),
			"budget": probes.budget(probe),
			"readiness_budget": readiness_budget,
			"steps": [patches.put(object.keys(probe), array.concat(path, ["failureThreshold"]), threshold)],
		}
	]
}

_readiness_budget(probe, handler, ports) := probes.budget(probe) if {
	probes.normal_handler(probe, ports) == handler
} else := 0
