# METADATA
# title: A pod that fails at once counts as available
# description: |
#   Without minReadySeconds a rollout goes on as soon as a new pod is ready. One that fails in its first seconds, when the
#   first real requests come, is not noticed before all old pods are gone.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#min-ready-seconds
# custom:
#   severity: warning
#   fix: safe
#   example: |
#     apiVersion: apps/v1
#     kind: Deployment
#     metadata: {name: web}
#     spec:
#       selector: {matchLabels: {app: web}}
#       template:
#         metadata: {labels: {app: web}}
#         spec:
#           containers:
#           - name: web
#             image: registry.example/web:1.4.2
package gracegate.rules.acme["min-ready-seconds-missing"]

import data.gracegate.lib.text

violation contains {"at": at, "message": message} if {
	some at, name in _hasty
	message := text.format(`Deployment "{}" counts a new pod as available at once.`, [name])
}

fix contains {"at": at, "patch": patch} if {
	some at, _ in _hasty
	patch := [{"op": "add", "path": ["spec", "minReadySeconds"], "value": 10}]
}

_hasty := {at: name |
	some i, document in input.documents
	document.object.kind == "Deployment"
	not document.object.spec.minReadySeconds
	name := object.get(document.object, ["metadata", "name"], "")
	print("without minReadySeconds:", name)
	at := {"document": i, "path": ["spec", "minReadySeconds"]}
}
