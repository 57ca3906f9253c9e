# METADATA
# title: Probe can never succeed
# description: |
#   The command of the probe cannot run as it is written, or the image lacks its program. With such a readinessProbe no
#   pod ever becomes ready and the rollout stands still; with such a livenessProbe or startupProbe the container is
#   restarted for ever.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-a-liveness-command
#   description: How the command of a probe is written
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 0, livenessProbe]
#     value: {exec: {command: [test -f /tmp/alive]}, failureThreshold: 6}
package gracegate.rules.liveness["probe-command-fails"]

import data.gracegate.lib.commands
import data.gracegate.lib.containers
import data.gracegate.lib.images
import data.gracegate.lib.shells
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": failure.level} if {
	some at, failure in _failures
	message := text.format(`Container "{}" {}: its {} always fails, because {}.`, [
		failure.title,
		_consequence[failure.by],
		failure.by,
		failure.why,
	])
}

fix contains {"at": at, "patch": [{"op": "replace", "path": failure.path, "value": words}]} if {
	some at, failure in _failures
	words := commands.correction(failure.command)
}

fix contains {"at": at, "class": "text", "advice": _advice} if {
	some at, failure in _failures
	not commands.correction(failure.command)
}

possible contains at if {
	some at, failure in _failures
	failure.level == "warning"
}

_advice := "Write a command that runs in this image, or probe a port of the app."

_consequence := {
	"livenessProbe": "is restarted again and again",
	"readinessProbe": "never becomes ready",
	"startupProbe": "is restarted again and again",
}

_failures := {at: object.union(failure, {"by": by, "command": command, "path": path, "title": container.title}) |
	some i in workloads.complete
	some container in containers.long_running[i]
	some by, _ in _consequence
	command := container.spec[by].exec.command
	failure := _failure(container.spec, command)
	path := array.concat(container.path, [by, "exec", "command"])
	at := {"document": i, "path": path}
}

_failure(spec, command) := {"why": defect.why, "level": "error"} if {
	defect := commands.defect(command)
	not defect.is_rejected
} else := {"why": why, "level": level} if {
	not commands.defect(command)
	regex.match(`^((/usr)?(/local)?/s?bin/)?[^/]+$`, command[0])
	program := shells.program(command[0])
	image := values.string(object.get(spec, "image", ""))
	certainty := images.absence(image, program)
	level := _levels[certainty]
	why := text.format(`image "{}" {} the program "{}"`, [image, _lacks[certainty], program])
}

_levels := {"certain": "error", "likely": "warning"}

_lacks := {"certain": "lacks", "likely": "seems to lack"}
