# METADATA
# title: Renamed GitOps owner deletes what it applied
# description: |
#   A Kustomization of Flux that prunes, a HelmRelease, an Application of Argo CD with the finalizer and an
#   ApplicationSet delete what they applied when they are gone. To the controller another name is another object: the
#   old one deletes all its workloads, with their Services and PersistentVolumeClaims, and the new one creates them
#   again. Only where the new one happens to take them over first do they stay.
# related_resources:
# - ref: https://fluxcd.io/flux/faq/#how-can-i-safely-rename-a-flux-kustomization
#   description: How to rename a Kustomization of Flux
# - ref: https://fluxcd.io/flux/components/helm/helmreleases/#release-name
#   description: When Flux uninstalls a release to install another one
# - ref: https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/#about-the-deletion-finalizer
#   description: What Argo CD deletes with an Application
# - ref: https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Application-Deletion/
#   description: What it deletes with an ApplicationSet
# schemas:
# - input: schema.input
# custom:
#   severity: error
#   fix: text
#   exceptions:
#   - Whatever applies the owner itself leaves the old one where it is.
#   before:
#   - op: add
#     document: 3
#     path: []
#     value: |
#       apiVersion: kustomize.toolkit.fluxcd.io/v1
#       kind: Kustomization
#       metadata:
#         name: apps
#         namespace: flux-system
#       spec:
#         interval: 10m
#         path: ./
#         prune: true
#         sourceRef:
#           kind: GitRepository
#           name: flux-system
#   example:
#   - {op: replace, document: 3, path: [metadata, name], value: shop}
package gracegate.rules.change["gitops-owner-renamed"]

import data.gracegate.lib.gitops_owners
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values

violation contains {"at": at, "message": message, "level": _level(at.document)} if {
	some at, found in _successors
	message := concat(" ", [
		text.format(`Requests may fail until {} "{}" has created everything again:`, [found.kind, found.name]),
		text.format(_causes[found.kind][found.how], [found.former]),
	])
}

violation contains {"at": at, "message": message, "level": "warning"} if {
	some at, found in _releases
	message := text.format(
		`Requests may fail until Helm release "{}" is installed: {} is another one now, and Flux uninstalls "{}" first.`,
		[found.name, found.field, found.former],
	)
}

violation contains {"at": at, "message": message, "level": "warning"} if {
	some at, found in _applications
	message := text.format(
		concat(" ", [
			`Requests may fail until Application "{}" has created everything again:`,
			`its ApplicationSet deletes "{}" with all that this applied.`,
		]),
		[found.name, found.former],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, found in _successors
	advice := text.format(_advice[found.kind][found.how], [found.former])
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, found in _releases
	advice := text.format(
		`Keep {}; for the release "{}" set "releaseName: {}".`,
		[found.field, found.former, found.former],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		`In a change before this one, set "preserveResourcesOnDeletion: true" in the syncPolicy of the ApplicationSet:`,
		"then only the Applications are deleted, and the new ones take over.",
	])
	some at, _ in _applications
}

# As Flux and Argo CD say, see the links: the old owner first stops to delete what it applied.
steps contains {"at": at, "steps": [
	{
		"title": text.format(`{} "{}" deletes nothing when it goes.`, [found.kind, found.former]),
		"instead": [{"former": found.number, "patch": patch}],
	},
	{"title": text.format(`{} "{}" takes over what "{}" applied.`, [found.kind, found.name, found.former])},
]} if {
	some at, found in _successors
	found.how == "deleted"
	patch := _sparing(found.kind, input.before[found.number].object)
}

_sparing("Kustomization", owner) := [{"op": "replace", "path": ["spec", "prune"], "value": false}] if {
	not owner.spec.deletionPolicy
}

_sparing("Application", owner) := [{"op": "remove", "path": ["metadata", "finalizers"]}] if {
	count(owner.metadata.finalizers) == 1
}

_causes := {
	"Application": {
		"deleted": `the finalizer of "{}" deletes all that this applied.`,
		"pruned": `"{}" applies something else now, and prunes.`,
	},
	"ApplicationSet": {"deleted": `the Applications of "{}" are deleted with it, and all that they applied.`},
	"HelmRelease": {"deleted": `Flux uninstalls the release of "{}".`},
	"Kustomization": {
		"deleted": `Flux deletes all that "{}" applied.`,
		"pruned": `"{}" has another path now, and Flux deletes all that it applied.`,
	},
}

_advice := {
	"Application": {
		"deleted": `In a change before this one, take the finalizer out of "{}": then only the Application is deleted.`,
		"pruned": `In a change before this one, set "prune: false" in "{}".`,
	},
	"ApplicationSet": {"deleted": concat(" ", [
		`In a change before this one, set "preserveResourcesOnDeletion: true" in the syncPolicy of "{}":`,
		"then only its Applications are deleted.",
	])},
	"HelmRelease": {"deleted": concat(" ", [
		`In a change before this one, suspend "{}". Give the new HelmRelease the releaseName of the old one,`,
		"so that it takes the release over.",
	])},
	"Kustomization": {
		"deleted": concat(" ", [
			`In a change before this one, set "prune: false" in "{}", without a deletionPolicy,`,
			"and wait until Flux has applied it.",
		]),
		"pruned": `In a change before this one, set "prune: false" in "{}" and wait until Flux has applied it.`,
	},
}

# What is known to serve requests is lost for certain, as Flux says of its Kustomizations.
_level(i) := "error" if {
	input.documents[i].object.kind == "Kustomization"
	_serving_directories[gitops_owners.path(input.documents[i].object)]
} else := "warning"

_serving_directories := {directory |
	some root in {input.documents[i].root | some i, "certain" in user_traffic.certainty}
	parts := split(root, "/")
	some n in numbers.range(0, count(parts))
	directory := concat("/", array.slice(parts, 0, n))
}

# Of several with the same place, one.
_successors := {{"document": i, "path": ["metadata", "name"]}: min(members) |
	some i, members in values.groups([[found.document, found] | some found in gitops_owners.successors])
}

_releases := {at: found |
	some found in gitops_owners.replaced_releases
	spec := input.documents[found.document].object.spec
	at := {"document": found.document, "path": array.concat(["spec"], [found.field | spec[found.field]])}
}

_applications := {{"document": found.document, "path": found.path}: found |
	some found in gitops_owners.replaced_applications
}
