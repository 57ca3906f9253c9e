# METADATA
# title: Service selects no pods
# description: |
#   A Service sends to the pods whose labels hold all that its selector says. Where one word differs it selects none,
#   and every connection to it is refused although the pods run and are ready.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/#does-the-service-have-any-endpointslices
#   description: How such a Service shows
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: assumes
#   example:
#   - {op: replace, document: 1, path: [spec, selector, app], value: wbe}
package gracegate.rules.reachability["service-selector-mismatch"]

import data.gracegate.lib.places
import data.gracegate.lib.services
import data.gracegate.lib.texts
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": "error"} if {
	some at, missed in _missed
	count(missed) > 0
	i := min(missed)
	wrong := _wrong(services.service[at.document].selector, i)
	message := texts.filled(`Service "{}" refuses every connection: it selects "{}", {} {} "{}" {}.`, [
		services.service[at.document].name,
		_pairs(services.service[at.document].selector, wrong),
		{true: "and", false: "which"}[count(_known(i, wrong)) > 0],
		workloads.kind[i],
		workloads.name[i],
		_has(i, _known(i, wrong)),
	])
}

violation contains {"at": at, "message": message, "level": "info"} if {
	some at, missed in _missed
	count(missed) == 0
	_peopled[input.documents[at.document].directory]
	selector := services.service[at.document].selector
	message := texts.filled(
		`Service "{}" refuses every connection unless something else runs pods with "{}": no manifest here does.`,
		[services.service[at.document].name, _pairs(selector, sort([key | some key, _ in selector]))],
	)
}

# A label that the pods have too was meant to have the same value.
fix[at] := {"class": "assumes", "patch": patch, "assumption": _assumption(i)} if {
	some at, missed in _missed
	[i] := [i | some i in missed]
	labels := workloads.pod[i].labels
	wrong := _wrong(services.service[at.document].selector, i)
	count(_known(i, wrong)) == count(wrong)
	patch := [{"op": "replace", "path": array.concat(at.path, [key]), "value": labels[key]} | some key in wrong]
}

fix[at] := {"class": "assumes", "patch": patch, "assumption": _assumption(i)} if {
	some at, missed in _missed
	[i] := [i | some i in missed]
	wrong := _wrong(services.service[at.document].selector, i)
	count(_known(i, wrong)) < count(wrong)
	patch := [{"op": "replace", "path": at.path, "value": _own(i)}]
}

fix[at] := {"class": "text", "advice": "Write the labels of the pods that it is to send to into its selector."} if {
	some at, missed in _missed
	not _is_one(missed)
}

_is_one(missed) if count(missed) == 1

_assumption(i) := texts.filled(`It is meant for {} "{}".`, [workloads.kind[i], workloads.name[i]])

# The workloads near it that it was probably meant for; none where nothing looks like it.
_missed := {at: found |
	some s, service in services.service
	input.documents[s].subject
	not services.met[service.selector]
	not places.doubtful[s]
	not _is_filled_in(service.selector)
	found := {i |
		some hint in _hints(service)
		some i in _hinted[[input.documents[s].directory, hint]]
		places.agree(places.namespace[i], places.namespace[s])
	}
	at := {"document": s, "path": ["spec", "selector"]}
}

# Beside no workload at all, a Service is for one that stands elsewhere.
_peopled := {input.documents[i].directory | some i in workloads.rolling}

# Labels that controllers give to pods, or a template that is filled in later, and values that are none.
_is_filled_in(selector) if {
	some key, _ in selector
	_given[key]
}

_is_filled_in(selector) if {
	some key, value in selector
	regex.match(`[{}$]`, concat("", [key, values.text(value)]))
}

_is_filled_in(selector) if {
	some value in selector
	not is_string(value)
}

_given := {
	"apps.kubernetes.io/pod-index",
	"batch.kubernetes.io/job-completion-index",
	"batch.kubernetes.io/job-name",
	"controller-revision-hash",
	"deployment",
	"deploymentconfig",
	"job-name",
	"pod-template-hash",
	"rollouts-pod-template-hash",
	"statefulset.kubernetes.io/pod-name",
}

_hints(service) := {service.name} | {[key, value] | some key, value in service.selector}

# A label is a hint to a workload that no Service sends to; its name always is.
_hinted := values.grouped({[[input.documents[i].directory, hint], i] |
	some i, pod in workloads.pod
	workloads.rolling[i]
	not input.documents[i].fragment
	some hint in ({workloads.name[i]} | {[key, value] | services.served[i] == "no"; some key, value in pod.labels})
})

_wrong(selector, i) := sort([key |
	some key, value in selector
	object.get(workloads.pod[i].labels, key, "") != value
])

_known(i, keys) := [key | some key in keys; workloads.pod[i].labels[key]]

_pairs(selector, keys) := concat(", ", [concat("=", [key, selector[key]]) | some key in keys])

_has(i, keys) := texts.filled(`has "{}"`, [_pairs(workloads.pod[i].labels, keys)]) if {
	count(keys) > 0
} else := "does not have"

_own(i) := labels if {
	labels := values.texts(object.get(input.documents[i].object, ["spec", "selector", "matchLabels"], {}))
	count(labels) > 0
} else := workloads.pod[i].labels
