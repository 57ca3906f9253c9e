# METADATA
# title: Service selects no pods
# description: |
#   A Service sends to the pods that have all labels of its selector. If one of them differs it selects no pod, and
#   every connection to it is refused although the pods are running and ready.
# related_resources:
# - ref: https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/#does-the-service-have-any-endpointslices
#   description: How to recognise such a Service
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: assumes
#   example:
#   - {op: replace, document: 1, path: [spec, selector, app], value: wbe}
package gracegate.rules.reachability["service-selector-mismatch"]

import data.gracegate.lib.joins
import data.gracegate.lib.related_places
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": "error"} if {
	some at, candidates in _mismatches
	count(candidates) > 0
	i := min(candidates)
	differing := _differences(services.service[at.document].selector, i)
	message := text.format(`Service "{}" refuses every connection: it selects "{}", {} {} "{}" {}.`, [
		services.service[at.document].name,
		_pairs(services.service[at.document].selector, differing),
		{true: "and", false: "which"}[count(_existing(i, differing)) > 0],
		workloads.kind[i],
		workloads.name[i],
		_has(i, _existing(i, differing)),
	])
}

violation contains {"at": at, "message": message, "level": "info"} if {
	some at, candidates in _mismatches
	count(candidates) == 0
	_has_workloads[input.documents[at.document].directory]
	selector := services.service[at.document].selector
	message := text.format(
		`Service "{}" refuses every connection unless something else runs pods with "{}": no manifest here does.`,
		[services.service[at.document].name, _pairs(selector, sort([key | some key, _ in selector]))],
	)
}

# A label that the pods have too was meant to have the same value.
fix contains {"at": at, "class": "assumes", "patch": patch, "assumption": _assumption(i)} if {
	some at, candidates in _mismatches
	[i] := [i | some i in candidates]
	labels := workloads.pod[i].labels
	differing := _differences(services.service[at.document].selector, i)
	count(_existing(i, differing)) == count(differing)
	patch := [{"op": "replace", "path": array.concat(at.path, [key]), "value": labels[key]} | some key in differing]
}

fix contains {"at": at, "class": "assumes", "patch": patch, "assumption": _assumption(i)} if {
	some at, candidates in _mismatches
	[i] := [i | some i in candidates]
	differing := _differences(services.service[at.document].selector, i)
	count(_existing(i, differing)) < count(differing)
	patch := [{"op": "replace", "path": at.path, "value": _labels(i)}]
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Set its selector to labels of the pods that it should send to."
	some at, candidates in _mismatches
	not _is_single(candidates)
}

related contains {"at": at, "places": related_places.objects(candidates)} if some at, candidates in _mismatches

possible contains at if {
	some at, candidates in _mismatches
	count(candidates) == 0
}

_is_single(candidates) if count(candidates) == 1

_assumption(i) := text.format(`The Service is meant for {} "{}".`, [workloads.kind[i], workloads.name[i]])

# The workloads near the Service that it was probably meant for; empty if nothing looks like it.
_mismatches := {at: found |
	some s, service in services.service
	input.documents[s].subject
	not services.matching_selectors[service.selector]
	not joins.near_unread_files[s]
	not _has_placeholder(service.selector)
	found := {i |
		some hint in _hints(service)
		some namespace in _namespaces(joins.namespace[s])
		some i in _workloads_by_hint[[input.documents[s].directory, hint, namespace]]
	}
	at := {"document": s, "path": ["spec", "selector"]}
}

# A Service without any workload beside it is for one elsewhere.
_has_workloads := {input.documents[i].directory | some i in workloads.rolling}

# Labels that controllers give to pods, placeholders of a template, and values that are no strings.
_has_placeholder(selector) if {
	some key, _ in selector
	_controller_labels[key]
}

_has_placeholder(selector) if {
	some key, value in selector
	regex.match(`[{}$]`, concat("", [key, values.string(value)]))
}

_has_placeholder(selector) if {
	some value in selector
	not is_string(value)
}

_controller_labels := {
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

# What many objects have in common says nothing of one.
_hints(service) := {service.name} | {[key, value] |
	some key, value in service.selector
	not regex.match(_shared_label, key)
}

_shared_label := concat("", [
	`^(.*/)?(chart|created-by|env|environment|heritage|instance|managed-by|owner|part-of|project|release|stage|team|`,
	`version)$`,
])

# The lowest two workloads by directory, hint and namespace: whether there is one or are several is all that counts. A
# label is a hint to a workload that no Service sends to; its name always is.
_workloads_by_hint := {key: {first, second} |
	some key, found in values.groups([[[input.documents[i].directory, hint, namespace], i] |
		some i, pod in workloads.pod
		workloads.rolling[i]
		not input.documents[i].fragment
		some hint in ({workloads.name[i]} | {[key, value] | services.served_status[i] == "no"; some key, value in pod.labels})
		some namespace in {joins.namespace[i], "*"}
	])
	first := min(found)
	second := min(((found - {first}) | {max(found)}))
}

_namespaces("") := {"*"}

_namespaces(own) := {"", own} if own != ""

_differences(selector, i) := sort([key |
	some key, value in selector
	object.get(workloads.pod[i].labels, key, "") != value
])

_existing(i, keys) := [key | some key in keys; workloads.pod[i].labels[key]]

_pairs(selector, keys) := concat(", ", [concat("=", [key, selector[key]]) | some key in keys])

_has(i, keys) := text.format(`has "{}"`, [_pairs(workloads.pod[i].labels, keys)]) if {
	count(keys) > 0
} else := "does not have"

_labels(i) := labels if {
	labels := values.string_map(object.get(input.documents[i].object, ["spec", "selector", "matchLabels"], {}))
	count(labels) > 0
} else := workloads.pod[i].labels
