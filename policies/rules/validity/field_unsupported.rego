# METADATA
# title: Field that the oldest cluster does not know
# description: |
#   The field came with a later version of Kubernetes than `min_kubernetes_version` in .gracegate.yaml. A cluster of
#   that version refuses the manifest, or drops the field, so that what depends on it does not happen there.
# related_resources:
# - ref: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
#   description: What the API server does with unknown fields
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: text
#   example:
#   - {op: add, path: [spec, template, spec, containers, 0, lifecycle, stopSignal], value: SIGQUIT}
package gracegate.rules.validity["field-unsupported"]

import data.gracegate.lib.api_fields
import data.gracegate.lib.api_objects
import data.gracegate.lib.text

violation contains {"at": at, "message": message} if {
	some at, found in _unsupported
	place := api_objects.place(at.document, at.path)
	message := text.format(`Clusters before 1.{} reject or drop field "{}" of {}: min_kubernetes_version is 1.{}.`, [
		found.since,
		place.inside,
		place.owner,
		input.cluster.min_minor,
	])
}

fix contains {"at": at, "class": "text", "advice": text.format(_advice, [found.since])} if {
	some at, found in _unsupported
}

_advice := `Remove the field, or set "min_kubernetes_version" to 1.{} once no older cluster is left.`

_unsupported := {{"document": found.document, "path": found.path}: found |
	not input.cluster.min_minor_is_assumed
	some found in api_fields.unsupported
	not _is_reported_elsewhere(found.path)
}

# The rule prestop-sleep-unsupported knows what to do instead.
_is_reported_elsewhere(path) if array.slice(path, count(path) - 2, count(path)) == ["preStop", "sleep"]
