# METADATA
# title: Deployment tool deletes the workload to update it
# description: |
#   Argo CD, Flux and Helm normally change a workload in place, and its controller then replaces the pods one by one.
#   Some options and hooks make them delete the object first and create it again: all its pods stop at once, whatever
#   its strategy, replicas and budgets say. `Replace=true` alone keeps the pods, but resets what others have set, such
#   as the replicas of an autoscaler.
# related_resources:
# - ref: https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/
#   description: What Force and Replace do
# - ref: https://github.com/argoproj/argo-cd/issues/20638
#   description: Replace sets the pods back to the minimum
# - ref: https://github.com/argoproj/argo-cd/issues/22073
#   description: Force and Replace on a Deployment
# - ref: https://fluxcd.io/flux/components/kustomize/kustomizations/#controlling-the-apply-behavior-of-resources
#   description: What the annotation of Flux does
# - ref: https://helm.sh/docs/topics/charts_hooks/#hook-deletion-policies
#   description: When Helm deletes what a hook has made
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: assumes
#   example:
#   - op: add
#     path: [metadata, annotations]
#     value: {argocd.argoproj.io/sync-options: "Force=true,Replace=true"}
package gracegate.rules.rollout["gitops-recreates"]

import data.gracegate.lib.related_places
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": found.level} if {
	some at, found in _recreated
	object_name := text.format(`{} "{}"`, [workloads.kind[at.document], workloads.name[at.document]])
	message := text.format(found.template, [object_name, at.path[2], found.value])
}

fix contains {"at": at, "assumption": assumption, "patch": [_without(at, found)]} if {
	assumption := "No change needs the object to be created anew, as one of an immutable field does."
	some at, found in _recreated
	found.tool != "hook"
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Take the annotations of the hook away, so that the workload is updated like any other object."
	some at, found in _recreated
	found.tool == "hook"
}

related contains {"at": at, "places": places} if {
	some at, _ in _recreated
	source := user_traffic.pod_source[at.document]
	places := related_places.objects(services.first_by_workload[source])
}

possible contains at if {
	some at, _ in _recreated
	user_traffic.is_assumed[at.document]
}

_recreated := {at: object.union(found, {"level": level, "value": annotations[key]}) |
	some i, certainty in user_traffic.certainty
	workloads.complete[i]
	annotations := values.string_map(object.get(input.documents[i].object, ["metadata", "annotations"], {}))
	some key, found in _options(i, annotations)
	level := _level(certainty, found.level)
	at := {"document": i, "path": ["metadata", "annotations", key]}
}

# What is only possible is no error.
_level("certain", level) := level

_level("possible", level) := {"error": "warning", "warning": "warning", "info": "info"}[level]

# By annotation.
_options(i, annotations) := object.union(
	object.union(_argo_cd(i, annotations), _flux(annotations)),
	_hooks(annotations),
)

_argo_cd(i, annotations) := {_sync_options: found} if {
	options := {trim_space(option) | some option in split(annotations[_sync_options], ",")}
	found := _replacing(i, options)
} else := {}

_replacing(_, options) := {
	"tool": "sync",
	"level": "error",
	"template": `Argo CD deletes {} and creates it again at each sync, with no pod left between: "{}: {}" says so.`,
} if {
	options["Replace=true"]
	options["Force=true"]
}

_replacing(i, options) := {
	"tool": "sync",
	"level": {true: "warning", false: "info"}[count(object.get(scaling.autoscalers_by_workload, i, set())) > 0],
	"template": `Argo CD sets {} back at each sync, also the replicas of an autoscaler: "{}: {}" says so.`,
} if {
	options["Replace=true"]
	not options["Force=true"]
}

# It deletes the object only if a change cannot be applied.
_flux(annotations) := {_force: {
	"tool": "flux",
	"level": "warning",
	"template": `Flux deletes {} and creates it again when a change cannot be applied in place: "{}: {}" says so.`,
}} if {
	lower(annotations[_force]) == "enabled"
} else := {}

_hooks(annotations) := {key: found |
	some key, policy_key in _policies
	regex.match(`(^|[\s,])(pre-upgrade|post-upgrade|PreSync|Sync|PostSync)($|[\s,])`, annotations[key])
	regex.match(`(?i)^$|before-?hook-?creation`, object.get(annotations, policy_key, ""))
	found := {
		"tool": "hook",
		"level": "warning",
		"template": `Each upgrade deletes {} and creates it again, because it is a hook: "{}: {}".`,
	}
}

_policies := {
	"argocd.argoproj.io/hook": "argocd.argoproj.io/hook-delete-policy",
	"helm.sh/hook": "helm.sh/hook-delete-policy",
}

_sync_options := "argocd.argoproj.io/sync-options"

_force := "kustomize.toolkit.fluxcd.io/force"

# The annotation without the options that the violation is about.
_without(at, found) := {"op": "replace", "path": at.path, "value": concat(",", rest)} if {
	count(_rest(found)) > 0
	rest := _rest(found)
} else := {"op": "remove", "path": at.path}

_rest(found) := [option |
	found.tool == "sync"
	some option in split(found.value, ",")
	not trim_space(option) in {"Force=true", "Replace=true"}
]
