# METADATA
# title: The API server refuses the change
# description: |
#   Some fields cannot change after an object was created. The API server rejects the whole update then: the rollout
#   never happens, and the object stays as it was, while everything else of the change is applied. Whoever deletes the
#   object to apply it again stops all of its pods at once.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#label-selector-updates
#   description: The selector of a Deployment
# - ref: https://kubernetes.io/docs/tasks/administer-cluster/use-cascading-deletion/#set-orphan-deletion-policy
#   description: How to delete an object and keep its pods
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
import data.gracegate.lib.joins
import data.gracegate.lib.patches
import data.gracegate.lib.second_services
import data.gracegate.lib.selectors
import data.gracegate.lib.services
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

steps contains {"at": at, "steps": _steps(at.document, names, by_hand)} if {
	some at, fields in _refused
	_may_be_created_again(at.document, fields)
	names := [workloads.kind[at.document], workloads.name[at.document]]
	by_hand := text.format(
		`Pause what applies manifests by itself, and run "kubectl delete {} {}{} --cascade=orphan".`,
		[lower(names[0]), names[1], _namespace_option(joins.namespace[at.document])],
	)
}

steps contains {"at": at, "steps": [
	{
		"title": text.format(`Service "{}" with the new settings stands beside "{}".`, names),
		"restored": [before.number[at.document]],
		"copies": [second.copy],
	},
	{
		"title": text.format(`Service "{}" is created again.`, [names[1]]),
		"by_hand": text.format(
			concat(" ", [
				`Let all clients, those in the cluster too, move to Service "{}", wait until nothing comes in at "{}" any more,`,
				`and run "kubectl delete service {}{}".`,
			]),
			array.concat(names, [names[1], _namespace_option(joins.namespace[at.document])]),
		),
		"copies": [second.copy],
	},
	{
		"title": text.format(`Service "{}" goes.`, [names[0]]),
		"by_hand": text.format(
			`Let all clients move to Service "{}", and wait until nothing comes in at "{}" any more.`,
			[names[1], names[0]],
		),
	},
]} if {
	some at, _ in _refused
	second := second_services.copy[at.document]
	names := [second.name, services.service[at.document].name]
	_is_shell_word(names[1])
}

# The pods keep running without an owner. Services that would leave them do so when the new ones are there.
_steps(i, names, by_hand) := [{"title": created, "by_hand": by_hand}] if {
	count(_follows[i]) == 0
	created := text.format(_created(i), names)
} else := [{"title": created, "by_hand": by_hand, "restored": _follows[i]}, {"title": last}] if {
	created := text.format(_created(i), names)
	last := text.format(`Services send to the new pods of {} "{}", which are ready.`, names)
}

_created(i) := `{} "{}" is created again and takes over the pods that run.` if {
	_takes_over(i)
} else := `{} "{}" is created again beside its old pods, which run until their ReplicaSets are deleted.`

# The pods of a StatefulSet keep the subdomain that they have, so that another serviceName needs new ones.
_may_be_created_again(i, fields) if {
	not "serviceName" in fields
	before.pod[i]
	_is_shell_word(workloads.name[i])
	_is_left_alone(i)
}

# A new Deployment makes pods of other names, and its nodes may hold both.
_is_left_alone(i) if _takes_over(i)

_is_left_alone(i) if workloads.kind[i] == "Deployment"

_takes_over(i) if {
	required := selectors.requirements(input.documents[i].object.spec.selector)
	count(required) > 0
	selectors.matches(required, before.pod[i].labels)
}

# In `input.before`, the Services that select the new pods and not the old ones, which they selected before.
_follows := {i: found |
	some i, _ in immutable_fields.refused
	labels := before.pod[i].labels
	found := [before.number[s] |
		some s in sort(services.by_workload[i])
		before.selects(before.same_object[s].spec.selector, labels)
		not before.selects(services.service[s].selector, labels)
	]
}

# Whether a name means nothing else in a command.
_is_shell_word(name) if regex.match(`^[a-z0-9][a-z0-9.-]*$`, name)

_namespace_option("") := ""

_namespace_option(namespace) := concat("", [" --namespace=", namespace]) if _is_shell_word(namespace)

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
