# METADATA
# title: Probe waits longer for a response than its period
# description: |
#   A probe makes one try at a time, so each missing response delays the next try. The probe fails after the time of its
#   timeouts, not of its periods: a container that hangs keeps receiving requests, or is not restarted, for much longer
#   than the manifest suggests.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes
#   description: The fields of a probe and their defaults
# custom:
#   severity: warning
#   fix: assumes
#   example:
#   - {op: add, path: [spec, template, spec, containers, 0, readinessProbe, periodSeconds], value: 5}
#   - {op: add, path: [spec, template, spec, containers, 0, readinessProbe, timeoutSeconds], value: 30}
package gracegate.rules.liveness["probe-timeout-exceeds-period"]

import data.gracegate.lib.containers
import data.gracegate.lib.probes
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "measure": slow.timeout - slow.period} if {
	some at, slow in _slow
	message := text.format(
		concat(" ", [
			`Container "{}" {} only after {} s when it hangs, not after {} s:`,
			"its {} waits up to {} s for each response, longer than its period of {} s.",
		]),
		[
			slow.title,
			_consequence[slow.by],
			slow.timeout * slow.threshold,
			slow.period * slow.threshold,
			slow.by,
			slow.timeout,
			slow.period,
		],
	)
}

fix contains {"at": at, "class": "assumes", "patch": [step], "assumption": assumption, "advice": advice} if {
	some at, slow in _slow
	step := {"op": "replace", "path": at.path, "value": slow.period}
	assumption := text.format("A healthy app responds within {} s.", [slow.period])
	advice := text.format("If it may take longer, set periodSeconds of the probe to {}.", [slow.timeout])
}

_consequence := {
	"livenessProbe": "is restarted",
	"readinessProbe": "stops receiving requests",
	"startupProbe": "is restarted",
}

_slow := {at: found |
	some i in (workloads.rolling & workloads.complete)
	some container in containers.long_running[i]
	some by, _ in _consequence
	probe := container.spec[by]
	probes.handler(probe)
	timeout := probes.timeout(probe)
	period := probes.period(probe)
	timeout > period
	at := {"document": i, "path": array.concat(container.path, [by, "timeoutSeconds"])}
	found := {
		"title": container.title,
		"by": by,
		"timeout": timeout,
		"period": period,
		"threshold": probes.threshold(probe),
	}
}
