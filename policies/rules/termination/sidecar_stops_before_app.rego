# METADATA
# title: Proxy stops while the app still needs it
# description: |
#   Kubernetes stops all containers of a pod at the same time, except those whose preStop hook has not ended. A proxy
#   without a hook is gone while the app next to it still accepts and finishes requests: what goes through the proxy
#   fails, on every rollout. Native sidecars stop after the app by themselves.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
#   description: Native sidecars
# - ref: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig
#   description: How long Istio's proxy drains
# - ref: https://linkerd.io/2/reference/proxy-configuration/
#   description: How long Linkerd's proxy waits before it exits
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   parameters:
#     mesh:
#       default: native
#       description: |
#         How the mesh brings its proxy: `classic` as a container next to the app, `native` as a native sidecar, `none`
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
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message} if {
	some at, early in _early
	message := text.format(
		`Container "{}" stops before the app does: it has no preStop hook, and container "{}" needs it for {}{} s.`,
		[early.proxy.title, early.app.container.title, _while(early.app), early.seconds],
	)
}

violation contains {"at": at, "message": message, "measure": measure} if {
	some at, proxy in _short_proxies
	measure := proxy.required - proxy.drain
	message := text.format(
		`The proxy of {} "{}" stops before the app does: it drains for {} s, but the containers need {} s to stop.`,
		[workloads.kind[at.document], workloads.name[at.document], proxy.drain, proxy.required],
	)
}

fix contains {"at": at, "patch": patch, "assumption": assumption, "advice": _advice} if {
	assumption := "The proxy serves until it gets SIGTERM, and then exits by itself."
	some at, early in _early
	patch := array.concat([_sleep(at, early)], grace.extension_steps[at.document])
}

fix contains {"at": at, "class": "text", "advice": _advice} if {
	some at, early in _early
	not _sleep(at, early)
}

fix contains {"at": at, "class": "safe", "patch": array.concat([step], _extension(at.document, proxy.required))} if {
	some at, proxy in _short_proxies
	step := meshes.drain_step(at.document, proxy.required)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, proxy in _short_proxies
	not meshes.drain_step(at.document, proxy.required)
	advice := text.format(_proxy_advice[proxy.mesh], [proxy.required])
}

_proxy_advice := {
	"istio": `Set "terminationDrainDuration: {}s" in the configuration of the proxy.`,
	"linkerd": `Set the annotation "config.alpha.linkerd.io/proxy-wait-before-exit-seconds" of the pods to "{}".`,
}

# A drain that another rule suggests is not there yet.
_while(app) := "another " if {
	app.drain == hooks.seconds(app.container.spec.lifecycle.preStop)
} else := "a drain of "

_advice := concat(" ", [
	"From Kubernetes 1.29 on, an entry of \"initContainers\" with \"restartPolicy: Always\" starts before the app",
	"and stops after it.",
])

# Of several apps, the one that drains for longest.
_early := {at: early |
	some i, regular in containers.regular
	workloads.rolling[i]
	workloads.complete[i]
	apps := [shutdown | some shutdown in grace.shutdowns[i]; shutdown.drain > 0; not _is_proxy(shutdown.container)]
	some proxy in regular
	_is_proxy(proxy)
	not hooks.has_prestop(proxy.spec)
	not _is_without_drain[i][proxy.path]
	longest := max([app.drain | some app in apps])
	app := [app | some app in apps; app.drain == longest][0]
	at := {"document": i, "path": proxy.path}
	early := {"proxy": proxy, "app": app, "seconds": longest}
}

# The rule prestop-drain-missing reports a proxy that a Service sends to.
_is_without_drain := {i: {target.container.path: true | some target in found} |
	some i, found in drains.containers_without_drain
}

# A classic proxy stops when the pod does. Only of pods whose hooks have a known duration.
_short_proxies := {at: found |
	input.params["sidecar-stops-before-app"].mesh == "classic"
	some i, proxy in meshes.proxies
	times := {seconds |
		some shutdown in grace.shutdowns[i]
		shutdown.drain > 0
		annotations := object.remove(workloads.annotations[i], [meshes.annotation[proxy.mesh]])
		app := grace.app_seconds(annotations, shutdown.container.spec, input.cluster.app_drain_seconds)
		seconds := shutdown.drain + app
	}
	required := max(times)
	proxy.drain < required
	at := {"document": i, "path": proxy.path}
	found := {"mesh": proxy.mesh, "drain": proxy.drain, "required": required}
}

# The proxy counts as an app that drains for as long as it does.
_extension(i, seconds) := [step |
	longest := max([shutdown.drain | some shutdown in grace.shutdowns[i]])
	period := max({grace.required_period[i], 5 * ceil(((longest + seconds) + 5) / 5)})
	period > grace.period[i]
	path := array.concat(workloads.pod[i].path, ["terminationGracePeriodSeconds"])
	reason := text.format("preStop ({} s) and the proxy's drain ({} s) have to fit", [longest, seconds])
	step := patches.because(patches.put(object.keys(workloads.pod[i].spec), path, period), reason)
]

# The image `auto` is a placeholder: whoever injects the proxy completes the container, and may make it a native
# sidecar.
_is_proxy(container) if {
	not container.spec.image == "auto"
	some name in [container.title, _program(values.string(object.get(container.spec, "image", "")))]
	regex.match(_proxies, name)
}

# The last part of an image's name, without tag and digest.
_program(image) := regex.find_all_string_submatch_n(`([^/@:]*)(:[^/@]*)?(@.*)?$`, image, 1)[0][1]

_proxies := concat("", [
	`^(.*-)?(envoy|istio-proxy|linkerd-proxy|cloud-?sql-proxy|gce-proxy|oauth2?-proxy|pgbouncer|vault-agent)`,
	`(-sidecar|-container)?$`,
])

_sleep(at, early) := step if {
	images.can_sleep(values.string(object.get(early.proxy.spec, "image", "")), input.cluster.min_minor)
	hook := hooks.sleep_hook(early.seconds, input.cluster.min_minor)
	step := _put(at, early.proxy.spec, hook)
}

_put(at, container, hook) := patches.put(
	object.keys(container.lifecycle),
	array.concat(at.path, ["lifecycle", "preStop"]),
	hook,
) if {
	is_object(container.lifecycle)
} else := patches.put(object.keys(container), array.concat(at.path, ["lifecycle"]), {"preStop": hook})
