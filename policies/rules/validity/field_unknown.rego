# METADATA
# title: Field that Kubernetes does not know
# description: |
#   Kubernetes has no field of this name at this place. Most tools refuse to apply the manifest, so the new version is
#   never rolled out. The others drop the field without a word: a misspelt probe or hook is as good as none.
# related_resources:
# - ref: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
#   description: What the API server does with unknown fields
# - ref: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
#   description: The fields of a Pod
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: safe
#   example:
#   - {op: remove, path: [spec, template, spec, containers, 0, readinessProbe]}
#   - op: add
#     path: [spec, template, spec, containers, 0, readinessprobe]
#     value: {httpGet: {path: /ready, port: http}}
package gracegate.rules.validity["field-unknown"]

import data.gracegate.lib.api_fields
import data.gracegate.lib.api_objects
import data.gracegate.lib.api_schema
import data.gracegate.lib.text

violation contains {"at": at, "message": message, "level": _level(found)} if {
	some at, found in _unknown
	place := api_objects.place(at.document, at.path)
	message := text.format(`Kubernetes rejects or drops field "{}" of {}: {}.`, [
		place.inside,
		place.owner,
		_because(found),
	])
}

fix contains object.union(_class(meaning), {"at": at, "patch": steps}) if {
	some at, found in _unknown
	[meaning] := found.meant
	value := object.get(input.documents[at.document].object, at.path, null)
	steps := [{"op": "remove", "path": at.path}, {"op": "add", "path": meaning.path, "value": value}]
}

fix contains {"at": at, "class": "text", "advice": _advice} if {
	some at, found in _unknown
	count(found.meant) == 0
}

_advice := "Remove the field, or write the one that you mean in its place."

_unknown := {{"document": found.document, "path": found.path}: found | some found in api_fields.unknown}

# What is newer than the fields known here may be right.
_level(found) := {0: "warning", 1: "error"}[count(found.meant)]

_because(found) := text.format("it has no such field up to 1.{}", [api_schema.newest]) if {
	count(found.meant) == 0
} else := text.format(`the field is called "{}"`, [_name(found)]) if {
	not found.meant[0].is_moved
} else := text.format(`it belongs to "{}"`, [api_objects.dotted(_parent(found.meant[0].path))])

_name(found) := found.meant[0].path[count(found.meant[0].path) - 1]

_parent(path) := array.slice(path, 0, count(path) - 1)

_class(meaning) := {} if meaning.is_certain

_class(meaning) := {"class": "assumes", "assumption": assumption} if {
	not meaning.is_certain
	assumption := "The field was meant for that place."
}
