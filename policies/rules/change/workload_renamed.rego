# METADATA
# title: Renamed workload starts without pods
# description: |
#   To Kubernetes another name or another kind is another object. The new one starts without pods, and whatever removes
#   the old one (a GitOps tool that prunes, Helm, a person) does not wait until the new pods are ready: until then
#   nobody answers. No strategy, readinessProbe or PodDisruptionBudget slows that down.
# related_resources:
# - ref: https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automatic-pruning
#   description: What Argo CD does with an object that is gone from Git
# - ref: https://fluxcd.io/flux/components/kustomize/kustomizations/#prune
#   description: What Flux does with it
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: text
#   exceptions:
#   - Whatever applies the manifests leaves the old workload running until somebody removes it.
#   before: []
#   example:
#   - {op: replace, path: [metadata, name], value: shop}
package gracegate.rules.change["workload-renamed"]

import data.gracegate.lib.before
import data.gracegate.lib.budgets
import data.gracegate.lib.containers
import data.gracegate.lib.related_places
import data.gracegate.lib.selectors
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values
import data.gracegate.lib.workload_kinds
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": _levels[user_traffic.certainty[at.document]]} if {
	some at, former in _renamed
	message := text.format(
		`Requests may fail until {} "{}" has ready pods: to Kubernetes it is new, and {} "{}" is removed with all its pods.`,
		[workloads.kind[at.document], workloads.name[at.document], former.kind, former.name],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, former in _renamed
	advice := text.format(
		concat(" ", [
			`Add {} "{}" beside the old one, with pods that the same Services select,`,
			`and remove {} "{}" in another change, when the new pods are ready.`,
		]),
		[workloads.kind[at.document], workloads.name[at.document], former.kind, former.name],
	)
}

steps contains {"at": at, "steps": array.concat(beside, [last])} if {
	some at, former in _renamed
	before.may_run_twice(at.document)
	names := [workloads.kind[at.document], workloads.name[at.document], former.kind, former.name]
	beside := _steps_beside(former, names, _follows[at.document], _budgets[at.document])
	last := {"title": text.format(
		`{} "{}" goes: the pods of {} "{}" are ready and get its requests.`,
		[names[2], names[3], names[0], names[1]],
	)}
}

# The Services that select only the old pods change when the new ones are there.
_steps_beside(former, names, [], budgets_before) := [{
	"title": text.format(`{} "{}" runs beside {} "{}", behind the same Services.`, names),
	"restored": [former.number],
	"copies": budgets_before,
}]

_steps_beside(former, names, services_before, budgets_before) := [
	{
		"title": text.format(`{} "{}" starts beside {} "{}", which still gets the requests.`, names),
		"restored": array.concat([former.number], services_before),
		"copies": budgets_before,
	},
	{
		"title": text.format(`Services send to {} "{}", whose pods are ready, while {} "{}" still runs.`, names),
		"restored": [former.number],
		"copies": budgets_before,
	},
] if {
	count(services_before) > 0
}

# In `input.before`, the Services that select the new pods and not the old ones, which they selected before.
_follows := {at.document: found |
	some at, former in _renamed
	found := [before.number[s] |
		some s in sort(services.by_workload[user_traffic.pod_source[at.document]])
		before.selects(before.same_object[s].spec.selector, former.labels)
		not before.selects(services.service[s].selector, former.labels)
	]
}

# The PodDisruptionBudgets that protect the new pods alone, as they were for the old ones, under other names.
_budgets := {at.document: found |
	some at, former in _renamed
	found := [{"former": before.number[b], "patch": [{"op": "replace", "path": ["metadata", "name"], "value": name}]} |
		some b in sort(budgets.by_workload[at.document])
		selectors.matches(_required(before.same_object[b]), former.labels)
		not selectors.matches(_required(input.documents[b].object), former.labels)
		name := concat("", [budgets.name[b], "-former"])
		not _budget_names[name]
	]
}

_required(manifest) := selectors.requirements(manifest.spec.selector)

_budget_names := {name | some name in budgets.name}

related contains {"at": at, "places": places} if {
	some at, _ in _renamed
	places := related_places.objects(services.first_by_workload[user_traffic.pod_source[at.document]])
}

possible contains at if {
	some at, _ in _renamed
	user_traffic.is_assumed[at.document]
}

_levels := {"certain": "warning", "possible": "info"}

_renamed := {at: found |
	some i, former in before.modified
	not before.same_object[i]
	input.documents[i].subject
	user_traffic.certainty[i]
	workload_kinds.rolls[former.kind]
	values.integer(object.get(former, ["spec", "replicas"], null), 1) != 0
	found := {
		"kind": former.kind,
		"name": values.string(former.metadata.name),
		"labels": values.string_map(object.get(former, ["spec", "template", "metadata", "labels"], {})),
		"number": before.number[i],
	}
	not "" in [found.name, workloads.name[i]]
	[found.kind, found.name] != [workloads.kind[i], workloads.name[i]]
	not values.is_placeholder(concat("", [found.name, workloads.name[i]]))
	some container in former.spec.template.spec.containers
	_images[i][_image(container)]
	at := {"document": i, "path": ["metadata", "name"]}
}

# A file may lose one app and get another one: the same app has one of its images.
_images := {i: images |
	some i, _ in before.modified
	images := {_image(container.spec) | some container in containers.regular[i]}
}

# Without its tag and digest. Undefined for a container without an image.
_image(container) := regex.find_all_string_submatch_n(`^(.*?[^/:@]+)(:[^/@]*)?(@.*)?$`, container.image, 1)[0][1] if {
	is_string(container.image)
}
