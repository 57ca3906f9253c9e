# METADATA
# title: Proxy stops while the app still needs it
# description: |
#   Kubernetes tells all containers of a pod to stop at the same time, except those whose preStop hook has not ended. A
#   proxy without a hook is gone while the app beside it still takes requests and finishes those it has: what goes
#   through the proxy fails, on every rollout. Native sidecars stop after the app by themselves.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
#   description: Native sidecars
# - ref: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig
#   description: How long Istio's proxy drains
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   parameters:
#     mesh:
#       default: native
#       description: |
#         How the mesh brings its proxy: `classic` as a container beside the app, `native` as a native sidecar, `none`
#         where there is no mesh.
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 1]
#     value: {name: cloud-sql-proxy, image: "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.14.1"}
package gracegate.rules.termination["sidecar-stops-before-app"]

import data.gracegate.lib.containers
import data.gracegate.lib.drains
import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.meshes
import data.gracegate.lib.patches
import data.gracegate.lib.texts
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message} if {
	some at, early in _early
	message := texts.filled(
		`Container "{}" stops before the app does: it has no preStop hook, and container "{}" needs it for {}{} s.`,
		[early.proxy.title, early.app.container.title, _while(early.app), early.seconds],
	)
}

violation contains {"at": at, "message": message, "measure": measure} if {
	some at, mesh in _short_meshes
	measure := mesh.needed - mesh.drain
	message := texts.filled(
		`The proxy of {} "{}" stops before the app does: it drains for {} s, and the containers need {} s to stop.`,
		[workloads.kind[at.document], workloads.name[at.document], mesh.drain, mesh.needed],
	)
}

fix[at] := {"patch": array.concat([step], grace.raise[at.document]), "assumption": assumption, "advice": _advice} if {
	assumption := "The proxy serves until it is told to stop, and then ends by itself."
	some at, early in _early
	step := _sleep(at, early)
}

fix[at] := {"class": "text", "advice": _advice} if {
	some at, early in _early
	not _sleep(at, early)
}

fix[at] := {"class": "safe", "patch": meshes.last[at.document]} if some at, _ in _short_meshes

fix[at] := {"class": "text", "advice": advice} if {
	some at, mesh in _short_meshes
	not meshes.last[at.document]
	advice := texts.filled(`Let the proxy's configuration say "terminationDrainDuration: {}s".`, [mesh.needed])
}

# A drain that another rule asks for is not there yet.
_while(app) := "another " if {
	app.wanted == hooks.seconds(app.container.spec.lifecycle.preStop)
} else := "a drain of "

_advice := concat(" ", [
	"From Kubernetes 1.29 on, an entry of \"initContainers\" with \"restartPolicy: Always\" starts before the app",
	"and stops after it.",
])

# Of several apps, the one that goes on for longest.
_early := {at: early |
	some i, regular in containers.regular
	workloads.rolling[i]
	workloads.whole[i]
	apps := [stop | some stop in grace.stopping[i]; stop.wanted > 0; not _is_proxy(stop.container)]
	some proxy in regular
	_is_proxy(proxy)
	not hooks.present(proxy.spec)
	not _undrained[i][proxy.path]
	longest := max([stop.wanted | some stop in apps])
	app := [stop | some stop in apps; stop.wanted == longest][0]
	at := {"document": i, "path": proxy.path}
	early := {"proxy": proxy, "app": app, "seconds": longest}
}

# Another rule speaks of a proxy that a Service sends to.
_undrained := {i: {target.container.path: true | some target in found} | some i, found in drains.undrained}

_short_meshes := {at: found |
	some i, mesh in meshes.classic
	needed := meshes.needed[i]
	mesh.drain < needed
	at := {"document": i, "path": mesh.path}
	found := object.union(mesh, {"needed": needed})
}

_is_proxy(container) if {
	some name in [container.title, _program(values.text(object.get(container.spec, "image", "")))]
	regex.match(_proxies, name)
}

# The last part of an image's name, without tag and digest.
_program(image) := regex.find_all_string_submatch_n(`([^/@:]*)(:[^/@]*)?(@.*)?$`, image, 1)[0][1]

_proxies := concat("", [
	`^(.*-)?(envoy|istio-proxy|linkerd-proxy|cloud-?sql-proxy|gce-proxy|oauth2?-proxy|pgbouncer|vault-agent)`,
	`(-sidecar|-container)?$`,
])

_sleep(at, early) := step if {
	images.can_sleep(values.text(object.get(early.proxy.spec, "image", "")), input.cluster.min_minor)
	hook := hooks.sleeping(early.seconds, input.cluster.min_minor)
	step := _put(at, early.proxy.spec, hook)
}

_put(at, container, hook) := patches.put(
	object.keys(container.lifecycle),
	array.concat(at.path, ["lifecycle", "preStop"]),
	hook,
) if {
	is_object(container.lifecycle)
} else := patches.put(object.keys(container), array.concat(at.path, ["lifecycle"]), {"preStop": hook})
