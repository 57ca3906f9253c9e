# METADATA
# title: Manifest is refused when it is applied
# description: |
#   What is written contradicts itself in a way that is only noticed by the API server: after the merge, when the
#   manifest is applied. The new version is then never rolled out, and nor is anything else that is applied with it.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes
#   description: What a probe may say
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#differences-from-regular-containers
#   description: What an init container may not have
# - ref: https://kubernetes.io/docs/tasks/run-application/configure-pdb/#specifying-a-poddisruptionbudget
#   description: What a PodDisruptionBudget may say
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 0, livenessProbe]
#     value: {successThreshold: 2, httpGet: {path: /livez, port: http}}
package gracegate.rules.liveness["probe-invalid"]

import data.gracegate.lib.checks
import data.gracegate.lib.containers
import data.gracegate.lib.refusals
import data.gracegate.lib.texts
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message} if {
	some at, flaw in _in_containers
	template := {
		true: `Container "{}" is killed as soon as it has started: it {}.`,
		false: `The API server refuses container "{}": it {}.`,
	}[flaw.fails]
	message := texts.filled(template, [flaw.title, flaw.why])
}

violation contains {"at": at, "message": message} if {
	some at, refusal in _in_objects
	message := texts.filled(`{} refuses {} "{}": it {}.`, [refusal.who, refusal.kind, refusal.name, refusal.why])
}

fix[at] := {"patch": [object.union(flaw.step, {"path": path})]} if {
	some at, flaw in _in_containers
	path := array.concat(flaw.container, object.get(flaw.step, "path", flaw.path))
}

fix[at] := {"class": "text", "advice": flaw.advice} if some at, flaw in _in_containers

fix[at] := {"patch": refusal.steps} if {
	some at, refusal in _in_objects
	count(refusal.steps) > 0
}

fix[at] := {"class": "text", "advice": refusal.advice} if {
	some at, refusal in _in_objects
	count(refusal.steps) == 0
}

_in_containers := object.union(_in_running, _in_ending)

_in_running := {at: found |
	some i in workloads.whole
	some container in containers.running[i]
	some flaw in checks.flaws(container.spec, container.ports)
	at := {"document": i, "path": array.concat(container.path, flaw.path)}
	found := object.union({"fails": false, "title": container.title, "container": container.path}, flaw)
}

_in_ending := {at: found |
	some i in workloads.whole
	pod := workloads.pod[i]
	some position, container in values.list(object.get(pod.spec, "initContainers", []))
	is_object(container)
	not container.restartPolicy == "Always"
	some flaw in checks.forbidden(container, _is_helper(container))
	path := array.concat(pod.path, ["initContainers", position])
	at := {"document": i, "path": array.concat(path, flaw.path)}
	title := values.text(object.get(container, "name", ""))
	found := object.union({"fails": false, "title": title, "container": path}, flaw)
}

# An app's helper that runs as long as the app, and so was meant to be a sidecar.
_is_helper(container) := regex.match(
	`envoy|istio|linkerd|proxy|vault-agent|fluent|promtail|otel|collector|pgbouncer|nginx`,
	lower(concat(" ", [values.text(object.get(container, field, "")) | some field in ["name", "image"]])),
)

_in_objects := {at: found |
	some i, refused in refusals.of
	some refusal in refused
	at := {"document": i, "path": refusal.path}
	found := object.union(refusal, _owner(i))
}

_owner(i) := {"who": who, "kind": kind, "name": name} if {
	kind := input.documents[i].object.kind
	who := object.get({"Rollout": "Argo Rollouts"}, kind, "The API server")
	name := values.text(object.get(input.documents[i].object, ["metadata", "name"], ""))
}
