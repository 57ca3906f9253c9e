# METADATA
# title: The API server refuses the change
# description: |
#   Some fields cannot change after an object was created. The API server rejects the whole update then: the rollout
#   never happens, and the object stays as it was, while everything else of the change is applied. Whoever deletes the
#   object to apply it again stops all of its pods at once.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#label-selector-updates
#   description: The selector of a Deployment
# - ref: https://github.com/kubernetes/kubernetes/blob/v1.34.0/pkg/apis/apps/validation/validation.go
#   description: What may change in a StatefulSet
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   before: []
#   example:
#   - {op: add, path: [spec, selector, matchLabels, tier], value: front}
#   - {op: add, path: [spec, template, metadata, labels, tier], value: front}
package gracegate.rules.change["immutable-field-changed"]

import data.gracegate.lib.before
import data.gracegate.lib.immutable_fields
import data.gracegate.lib.patches
import data.gracegate.lib.selectors
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message} if {
	some at, fields in _refused
	message := text.format(`{} "{}" is not updated: the API server refuses to change {}.`, [
		input.documents[at.document].object.kind,
		values.string(object.get(input.documents[at.document].object, ["metadata", "name"], "")),
		_listed(fields),
	])
}

fix contains {"at": at, "patch": [step], "advice": advice} if {
	some at, fields in _refused
	_may_keep_selector(at.document, fields)
	differing := _differing(at.document)
	advice := text.format("Keep the old value of {}: the old selector matches the new pods too.", [differing])
	spec := input.documents[at.document].object.spec
	step := patches.put(object.keys(spec), ["spec", "selector"], before.same_object[at.document].spec.selector)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, fields in _refused
	not _may_keep_selector(at.document, fields)
	advice := _advice(input.documents[at.document].object.kind)
}

_refused := {at: fields |
	some i, fields in immutable_fields.refused
	input.documents[i].subject
	written := [field | some field in fields; is_string(field); input.documents[i].object.spec[field]]
	at := {"document": i, "path": array.concat(["spec"], array.slice(written, 0, 1))}
}

# The names of the labels in which the selectors differ.
_differing(i) := concat(", ", [concat("", ["\"", name, "\""]) | some name in names]) if {
	selectors := [
		before.same_object[i].spec.selector,
		object.get(input.documents[i].object, ["spec", "selector"], {}),
	]
	labels := [values.string_map(object.get(selector, "matchLabels", {})) | some selector in selectors]
	names := sort({name | some side in labels; some name, _ in side; _label(labels[0], name) != _label(labels[1], name)})
	count(names) > 0
} else := "matchExpressions"

_label(labels, name) := object.get(labels, name, null)

_may_keep_selector(i, ["selector"]) if {
	required := selectors.requirements(before.same_object[i].spec.selector)
	count(required) > 0
	selectors.matches(required, workloads.pod[i].labels)
}

_advice("Service") := concat(" ", [
	"Create a second Service with the new settings under another name, let its clients move to it,",
	"and remove this one in another change.",
])

_advice(kind) := text.format(
	concat(" ", [
		"Keep the value, or create a second {} with the new one under another name and move over to it. By hand,",
		`"kubectl delete --cascade=orphan" leaves the pods running until the object is created again.`,
	]),
	[kind],
) if {
	kind != "Service"
}

_listed(fields) := concat(" and ", [concat("", ["spec.", field]) | some field in fields])
