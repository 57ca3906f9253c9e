# METADATA
# title: GitOps owners
# description: |
#   Objects from which a GitOps controller makes others, and with which it deletes these: Kustomizations and
#   HelmReleases of Flux, Applications and ApplicationSets of Argo CD. Only those that a change touches are looked at.
# related_resources:
# - ref: https://fluxcd.io/flux/components/kustomize/kustomizations/#deletion-policy
#   description: What Flux deletes with a Kustomization
# - ref: https://fluxcd.io/flux/components/helm/helmreleases/#release-name
#   description: When Flux uninstalls a release to install another one
# - ref: https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/#about-the-deletion-finalizer
#   description: What Argo CD deletes with an Application
# - ref: https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Application-Deletion/
#   description: What it deletes with an ApplicationSet
# schemas:
# - input: schema.input
package gracegate.lib.gitops_owners

import data.gracegate.lib.before
import data.gracegate.lib.values

# METADATA
# title: Successors
# description: |
#   A list of owners that apply now what another one, of the same directory or of the same place in a file, applied
#   before and does not apply any more: `document`, `kind`, `name`, and the `former` name of the other one with its
#   `number` in `input.before`. What it applied is "deleted" with it or, where it is still there and applies something
#   else, "pruned": `how`. Not where nothing is.
successors := [found |
	some i, kind in _kind
	name := _name(input.documents[i].object)
	some b in _neighbours(i, kind)
	former := _name(input.before[b].object)
	former != name
	not "" in [name, former]
	not values.is_placeholder(concat("", [name, former]))
	_former_applied[b] == _applied[i]
	how := _how[b]
	found := {"document": i, "kind": kind, "name": name, "former": former, "number": b, "how": how}
]

# METADATA
# title: Replaced releases
# description: |
#   A list of HelmReleases whose release Flux uninstalls to install another one: `document`, the `field` for which it
#   does, and the releases' names, `name` and `former`.
replaced_releases := [found |
	some i, "HelmRelease" in _kind
	former := before.same_object[i]
	versions := [former, input.documents[i].object]
	every version in versions {
		_field(version, ["spec", "suspend"]) != true
	}
	targets := [_release(version) | some version in versions]
	field := [field | some field in ["releaseName", "targetNamespace", "storageNamespace"]; _differ(targets, field)][0]
	not values.is_placeholder(concat("", [text | some target in targets; some text in target]))
	found := {"document": i, "field": field, "name": targets[1].releaseName, "former": targets[0].releaseName}
]

# METADATA
# title: Replaced Applications
# description: |
#   A list of Applications that an ApplicationSet makes in place of others: `document`, the ApplicationSet; `path` to
#   what names them; and their names, or those in the template for all of them, `name` and `former`.
replaced_applications := [found |
	some i, "ApplicationSet" in _kind
	former := before.same_object[i]
	_keeps_nothing(former)
	now := input.documents[i].object
	some found in _replaced(i, [former, now], [_field(former, _template_name), _field(now, _template_name)])
]

_groups := {
	"Application": "argoproj.io",
	"ApplicationSet": "argoproj.io",
	"HelmRelease": "helm.toolkit.fluxcd.io",
	"Kustomization": "kustomize.toolkit.fluxcd.io",
}

_is_owner(owner) if startswith(values.string(owner.apiVersion), concat("", [_groups[owner.kind], "/"]))

# By document, of those that a change added or modified.
_kind := {i: document.object.kind |
	some i in (before.added | object.keys(before.modified))
	document := input.documents[i]
	document.subject
	not document.fragment
	_is_owner(document.object)
}

# The former owners that it may have taken over from. In another directory one may belong to another cluster.
_neighbours(i, kind) := own | object.get(_former_by_content, key, set()) if {
	own := {b | b := _entry[i]; input.before[b].object.kind == kind; _former_applied[b]}
	key := json.marshal([kind, input.documents[i].directory, _applied[i]])
}

_former_by_content := values.groups([[key, b] |
	some b, applied in _former_applied
	key := json.marshal([input.before[b].object.kind, input.before[b].directory, applied])
])

_place(kind, directory) := concat("\n", [kind, directory])

# The index in `input.before` by document.
_entry := {entry.document: b | some b, entry in input.before; is_number(entry.document)}

_former_applied := {b: applied |
	some b, entry in input.before
	not entry.fragment
	_is_owner(entry.object)
	applied := _content(entry.object)
}

_applied := {i: applied | some i, _ in _kind; applied := _content(input.documents[i].object)}

# What an owner applies, in any version. Undefined where it does not say so.
_content(owner) := [_field(owner, ["spec", "targetNamespace"]), source.kind, source.name, path(owner)] if {
	owner.kind == "Kustomization"
	source := owner.spec.sourceRef
}

_content(owner) := [chart, settings] if {
	owner.kind == "HelmRelease"
	chart := [_field(owner, ["spec", "chart", "spec", "chart"]), _field(owner, ["spec", "chartRef"])]
	chart != [null, null]
	settings := [_field(owner, ["spec", name]) | some name in ["targetNamespace", "values", "valuesFrom"]]
}

_content(owner) := [_sources(owner.spec), owner.spec.destination] if owner.kind == "Application"

_content(owner) := [owner.spec.generators, owner.spec.template.spec] if owner.kind == "ApplicationSet"

_sources(spec) := [[_field(source, [name]) | some name in ["repoURL", "path", "chart"]] | some source in sources] if {
	sources := array.concat([spec.source | is_object(spec.source)], values.list(object.get(spec, "sources", [])))
	count(sources) > 0
}

# METADATA
# scope: document
# title: Path of a Kustomization
# description: Of the directory that it applies, from the top of its source.
path(owner) := trim_right(trim_left(values.string(_field(owner, ["spec", "path"])), "./"), "/")

_how := object.union(
	{b: "deleted" | some b, _ in _former_applied; not _now[b]; not _remains[b]; _deletes(input.before[b].object)},
	{b: "pruned" |
		some b, i in _now
		_applied[i] != _former_applied[b]
		_prunes(input.documents[i].object)
	},
)

# Former owners, by index in `input.before`, that another file has as well, so that they are not deleted. In a file of
# the same name it is the one of another cluster.
_remains contains b if {
	some b, _ in _former_applied
	entry := input.before[b]
	some i in _by_name[_place(entry.object.kind, _name(entry.object))]
	_file_name(input.documents[i].path) != _file_name(entry.path)
}

_by_name := values.groups([[_place(document.object.kind, _name(document.object)), i] |
	some i, document in input.documents
	_is_owner(document.object)
])

_file_name(path) := regex.find_all_string_submatch_n(`[^/]*$`, path, 1)[0][0]

# The documents that former owners are still, by index in `input.before`.
_now := {b: i | some i, b in _entry; before.same_object[i]}

# Whether what the owner applied is deleted when it is gone from Git, where nothing keeps the owner itself.
_deletes(owner) if {
	owner.kind == "Kustomization"
	not _is_kept_by_flux(owner)
	_field(owner, ["spec", "suspend"]) != true
	_deletion_policy(owner) in {"Delete", "WaitForTermination"}
}

_deletes(owner) if {
	owner.kind == "HelmRelease"
	not _is_kept_by_flux(owner)
	_field(owner, ["spec", "suspend"]) != true
}

_deletes(owner) if {
	owner.kind == "Application"
	not _is_kept_by_argo_cd(owner)
	some finalizer in values.list(_field(owner, ["metadata", "finalizers"]))
	startswith(values.string(finalizer), "resources-finalizer.argocd.argoproj.io")
}

_deletes(owner) if {
	owner.kind == "ApplicationSet"
	not _is_kept_by_argo_cd(owner)
	_field(owner, ["spec", "syncPolicy", "preserveResourcesOnDeletion"]) != true
}

_deletion_policy(owner) := "Delete" if {
	_field(owner, ["spec", "deletionPolicy"]) in {null, "MirrorPrune"}
	owner.spec.prune == true
} else := _field(owner, ["spec", "deletionPolicy"])

_is_kept_by_flux(owner) if _annotation(owner, "kustomize.toolkit.fluxcd.io/prune") == "disabled"

_is_kept_by_argo_cd(owner) if {
	some option in split(_annotation(owner, "argocd.argoproj.io/sync-options"), ",")
	trim_space(option) in {"Delete=false", "Prune=false"}
}

_annotation(owner, name) := values.string(_field(owner, ["metadata", "annotations", name]))

# Whether the owner deletes what it applied and does not find in Git any more.
_prunes(owner) if {
	owner.kind == "Kustomization"
	_field(owner, ["spec", "suspend"]) != true
	owner.spec.prune == true
}

_prunes(owner) if {
	owner.kind == "Application"
	owner.spec.syncPolicy.automated.prune == true
}

_release(owner) := {
	"releaseName": name,
	"storageNamespace": values.string(_field(owner, ["spec", "storageNamespace"])),
	"targetNamespace": target,
} if {
	target := values.string(_field(owner, ["spec", "targetNamespace"]))
	default_name := concat("-", [part | some part in [target, _name(owner)]; part != ""])
	given := values.string(_field(owner, ["spec", "releaseName"]))
	name := [text | some text in [given, default_name]; text != ""][0]
}

_differ(targets, field) if targets[0][field] != targets[1][field]

_keeps_nothing(owner) if {
	_field(owner, ["spec", "syncPolicy", "preserveResourcesOnDeletion"]) != true
	not _field(owner, ["spec", "syncPolicy", "applicationsSync"]) in {"create-only", "create-update"}
}

_template_name := ["spec", "template", "metadata", "name"]

_replaced(i, [former, now], [old, new]) := [{"document": i, "path": _template_name, "former": old, "name": new}] if {
	old != new
	is_string(old)
	is_string(new)
	former.spec.generators == now.spec.generators
}

_replaced(i, [former, now], [template, template]) := [found |
	some application in made[1]
	not names[0][application.name]
	replaced := [one.name |
		some one in made[0]
		one.applied == application.applied
		not names[1][one.name]
	]
	found := {"document": i, "path": application.path, "former": replaced[0], "name": application.name}
] if {
	made := [_applications(owner, template) | some owner in [former, now]]
	names := [{one.name: true | some one in side} | some side in made]
}

# The Applications of the lists of an ApplicationSet.
_applications(owner, template) := [application |
	some g, generator in values.list(_field(owner, ["spec", "generators"]))
	some e, element in values.list(_field(generator, ["list", "elements"]))
	application := {
		"path": ["spec", "generators", g, "list", "elements", e],
		"name": _filled(template, element),
		"applied": [_filled(part, element) | some part in _parts(owner.spec.template.spec)],
	}
]

_parts(spec) := array.concat(of_source, of_destination) if {
	of_source := [_field(spec, ["source", name]) | some name in ["repoURL", "path", "chart"]]
	of_destination := [_field(spec, ["destination", name]) | some name in ["name", "namespace", "server"]]
}

# A template of Argo CD with the values of an element, of which `{{name}}` and `{{.name}}` are fields.
_filled(template, element) := concat("", [text |
	some [match, field, _] in regex.find_all_string_submatch_n(_tokens, values.string(template), -1)
	some text in array.slice([text | some text in [values.string(_field(element, [field])), match]; text != ""], 0, 1)
])

_tokens := `\{\{\s*\.?([\w-]+)\s*\}\}|([^{]+|\{)`

_name(owner) := values.string(_field(owner, ["metadata", "name"]))

# Null where the value has no such field.
_field(value, path) := object.get(value, path, null) if {
	is_object(value)
} else := null
