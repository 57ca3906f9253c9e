# METADATA
# title: Manifest is rejected when it is applied
# description: |
#   The manifest contradicts itself in a way that only the API server notices: after the merge, when the manifest is
#   applied. The new version is then never rolled out, nor is anything else that is applied with it.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes
#   description: What a probe may contain
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#differences-from-regular-containers
#   description: What an init container may not have
# - ref: https://kubernetes.io/docs/tasks/run-application/configure-pdb/#specifying-a-poddisruptionbudget
#   description: What a PodDisruptionBudget may contain
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

import data.gracegate.lib.api_consistency
import data.gracegate.lib.api_fields
import data.gracegate.lib.api_objects
import data.gracegate.lib.api_validation
import data.gracegate.lib.api_values
import data.gracegate.lib.containers
import data.gracegate.lib.probe_validation
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message} if {
	some at, error in _in_containers
	template := {
		true: `Container "{}" is killed as soon as it has started: it {}.`,
		false: `The API server rejects container "{}": it {}.`,
	}[error.fails]
	message := text.format(template, [error.title, error.why])
}

violation contains {"at": at, "message": message} if {
	some at, error in _in_fields
	place := api_objects.place(at.document, error.path)
	message := text.format(`{} rejects {}: {} {}.`, [_who(at.document), place.owner, place.inside, error.why])
}

violation contains {"at": at, "message": message} if {
	some at, error in _in_objects
	message := text.format(`{} rejects {} "{}": it {}.`, [error.who, error.kind, error.name, error.why])
}

fix contains {"at": at, "patch": [object.union(error.step, {"path": path})]} if {
	some at, error in _in_containers
	path := array.concat(error.container, object.get(error.step, "path", error.path))
}

fix contains {"at": at, "class": "text", "advice": error.advice} if some at, error in _in_containers

fix contains object.union(_class(found), {"at": at, "patch": [step]}) if {
	some at, error in _in_fields
	[found] := error.fix
	step := {"op": "replace", "path": at.path, "value": found.value}
}

fix contains {"at": at, "patch": error.steps} if {
	some at, error in _in_objects
	count(error.steps) > 0
}

fix contains {"at": at, "class": "text", "advice": error.advice} if {
	some at, error in _in_objects
	count(error.steps) == 0
}

_in_containers := object.union(_in_long_running, _in_init_containers)

_in_long_running := {at: found |
	some i in workloads.complete
	some container in containers.long_running[i]
	some error in probe_validation.errors(container.spec)
	at := {"document": i, "path": array.concat(container.path, error.path)}
	found := object.union({"fails": false, "title": container.title, "container": container.path}, error)
}

_in_init_containers := {at: found |
	some i in workloads.complete
	pod := workloads.pod[i]
	some index, container in values.list(object.get(pod.spec, "initContainers", []))
	is_object(container)
	not container.restartPolicy == "Always"
	some error in probe_validation.init_container_errors(container, _is_helper(container))
	path := array.concat(pod.path, ["initContainers", index])
	at := {"document": i, "path": array.concat(path, error.path)}
	title := values.string(object.get(container, "name", ""))
	found := object.union({"fails": false, "title": title, "container": path}, error)
}

# A helper that runs as long as the app, and so was meant as a sidecar.
_is_helper(container) := regex.match(
	`envoy|istio|linkerd|proxy|vault-agent|fluent|promtail|otel|collector|pgbouncer|nginx`,
	lower(concat(" ", [values.string(object.get(container, field, "")) | some field in ["name", "image"]])),
)

_in_objects := {at: found |
	some errors in [api_validation.errors, api_consistency.errors]
	some i, found_errors in errors
	some error in found_errors
	at := {"document": i, "path": error.path}
	found := object.union(error, _owner(i))
}

# What the libraries for probes and for objects say is more exact.
_in_fields := {at: error |
	some at, error in object.union(_missing, _misfits)
	not _in_containers[at]
	not _in_objects[at]
}

_misfits := {{"document": misfit.document, "path": misfit.path}: misfit | some misfit in api_values.misfits}

_missing := {{"document": found.document, "path": found.path}: error |
	some found in api_fields.missing
	path := array.concat(found.path, [found.key])
	not api_fields.meant[[found.document, path]]
	error := {"path": path, "why": "is missing", "fix": []}
}

_class(found) := {"class": "safe"} if found.class == "safe"

_class(found) := {"class": "assumes", "assumption": "The text is meant as it is shown."} if found.class == "assumes"

_owner(i) := {"who": _who(i), "kind": kind, "name": name} if {
	kind := input.documents[i].object.kind
	name := values.string(object.get(input.documents[i].object, ["metadata", "name"], ""))
}

_who(i) := object.get({"Rollout": "Argo Rollouts"}, input.documents[i].object.kind, "The API server")
