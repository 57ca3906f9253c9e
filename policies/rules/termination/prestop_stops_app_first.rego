# METADATA
# title: preStop hook stops the app while traffic still arrives
# description: |
#   A server that is told to quit closes its listening sockets at once, also when it finishes the requests that it has.
#   Kubernetes needs seconds to take the pod out of its Services, and until then clients see refused connections and
#   502. A sleep after that only makes the pod wait: it has to come first.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
#   description: How Kubernetes stops a pod
# - ref: https://nginx.org/en/docs/control.html
#   description: What nginx does when it is told to quit
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: text
#   exceptions:
#   - What the hook stops is another process than the one that clients connect to.
#   example:
#   - op: replace
#     path: [spec, template, spec, containers, 0, lifecycle, preStop]
#     value: {exec: {command: ["nginx", "-s", "quit"]}}
package gracegate.rules.termination["prestop-stops-app-first"]

import data.gracegate.lib.drains
import data.gracegate.lib.related_places
import data.gracegate.lib.text

violation contains {"at": at, "message": message, "level": _level(stopped)} if {
	some at, stopped in _stopped
	message := text.format(
		`Container "{}" refuses connections while traffic still arrives: its preStop hook begins with "{}", and {}.`,
		[stopped.container.title, stopped.stop, drains.sender(stopped)],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, stopped in _stopped
	advice := text.format(
		`Sleep first, as in "sleep {}; {}". Where the image stops gracefully on SIGTERM, the sleep alone is enough.`,
		[input.cluster.drain_seconds.cluster, stopped.stop],
	)
}

related contains {"at": at, "places": related_places.objects(stopped.services)} if some at, stopped in _stopped

possible contains at if {
	some at, stopped in _stopped
	stopped.level == "warning"
}

_stopped := {at: stopped |
	some i, found in drains.early_stops
	some path, stopped in found
	at := {"document": i, "path": array.concat(path, ["lifecycle", "preStop"])}
}

# A signal, or a request, may be for a helper.
_level(stopped) := drains.level(stopped) if {
	regex.match(`^(apache2ctl|apachectl|httpd|nginx) |^kill (\S+ )*1$`, stopped.stop)
} else := {"error": "warning", "warning": "warning", "info": "info"}[drains.level(stopped)]
