package gracegate.lib.gitops_owners_test

import data.gracegate.lib.gitops_owners
import data.gracegate.testing

owner(kind, group, name, spec) := {
	"apiVersion": concat("/", [group, "v1"]),
	"kind": kind,
	"metadata": {"name": name},
	"spec": spec,
}

kustomization(name, settings) := owner("Kustomization", "kustomize.toolkit.fluxcd.io", name, object.union(
	{"path": "./apps", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "shop"}},
	settings,
))

release(name, settings) := owner("HelmRelease", "helm.toolkit.fluxcd.io", name, object.union(
	{"chart": {"spec": {"chart": "web"}}, "values": {"replicas": 2}},
	settings,
))

finalizer := ["resources-finalizer.argocd.argoproj.io/background"]

application(name, settings) := testing.set(
	owner("Application", "argoproj.io", name, object.union(
		{
			"source": {"repoURL": "https://git.example/shop", "path": "apps", "targetRevision": "1.0"},
			"destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
			"syncPolicy": {"automated": {"prune": true}},
		},
		settings,
	)),
	["metadata", "finalizers"],
	finalizer,
)

elements(names) := [{"list": {"elements": [{"cluster": name, "dir": "eu"} | some name in names]}}]

application_set(name, settings) := owner("ApplicationSet", "argoproj.io", name, object.union(
	{
		"generators": elements(["one"]),
		"template": {
			"metadata": {"name": "shop-{{cluster}}"},
			"spec": {"source": {"path": "apps/{{ .dir }}"}, "destination": {"server": "https://{{other}}"}},
		},
	},
	settings,
))

annotated(manifest, name, value) := testing.set(manifest, ["metadata", "annotations"], {name: value})

# Names of the former owner and of its successor, and how the objects are lost.
succession(batch) := found if {
	found := [[one.former, one.name, one.how] | some one in gitops_owners.successors] with input as batch
}

renamed(name, manifest) := testing.change([manifest], [testing.replace_at(manifest, ["metadata", "name"], name)])

lost := [["a", "b", "deleted"]]

test_renamed[note] if {
	some note, manifest in {
		"a Kustomization": kustomization("a", {}),
		"one that names its policy": kustomization("a", {"deletionPolicy": "MirrorPrune"}),
		"one that deletes and does not prune": kustomization("a", {"prune": false, "deletionPolicy": "Delete"}),
		"a HelmRelease": release("a", {}),
		"one of a chart elsewhere": release("a", {"chart": null, "chartRef": {"kind": "OCIRepository", "name": "web"}}),
		"an Application": application("a", {}),
		"one of several sources": application("a", {"source": null, "sources": [{"repoURL": "r", "chart": "web"}]}),
		"an ApplicationSet": application_set("a", {}),
	}
	succession(renamed("b", manifest)) == lost
}

test_renamed_without_a_loss[note] if {
	some note, manifest in {
		"it does not prune": kustomization("a", {"prune": false}),
		"it is suspended": kustomization("a", {"suspend": true}),
		"it orphans": kustomization("a", {"deletionPolicy": "Orphan"}),
		"nobody deletes it": annotated(kustomization("a", {}), "kustomize.toolkit.fluxcd.io/prune", "disabled"),
		"a Kustomization of kustomize": object.union(
			kustomization("a", {}),
			{"apiVersion": "kustomize.config.k8s.io/v1beta1"},
		),
		"no source": kustomization("a", {"sourceRef": null}),
		"a suspended HelmRelease": release("a", {"suspend": true}),
		"a HelmRelease that nobody deletes": annotated(
			release("a", {}),
			"kustomize.toolkit.fluxcd.io/prune", "disabled",
		),
		"no chart": release("a", {"chart": null}),
		"no finalizer": testing.remove_at(application("a", {}), ["metadata", "finalizers"]),
		"another finalizer": testing.replace_at(application("a", {}), ["metadata", "finalizers"], [1, "x"]),
		"an Application that nobody deletes": annotated(
			application("a", {}),
			"argocd.argoproj.io/sync-options", "Validate=false, Delete=false",
		),
		"no sources": application("a", {"source": null}),
		"resources that are preserved": application_set("a", {"syncPolicy": {"preserveResourcesOnDeletion": true}}),
		"an ApplicationSet that nobody deletes": annotated(
			application_set("a", {}),
			"argocd.argoproj.io/sync-options", "Prune=false",
		),
		"an Application of another tool": object.union(application("a", {}), {"apiVersion": "app.k8s.io/v1beta1"}),
		"no version": testing.replace_at(kustomization("a", {}), ["apiVersion"], 1),
		"a variable": kustomization("${name}", {}),
		"no name": testing.replace_at(kustomization("a", {}), ["metadata", "name"], null),
		"no spec": testing.replace_at(kustomization("a", {}), ["spec"], "x"),
	}
	succession(renamed("b", manifest)) == []
}

# The first document was another one, under another name or in another directory.
was(former, path, now) := object.union(testing.batch([now]), {"before": [object.union(
	testing.former(testing.document(former, path)),
	{"document": 0},
)]})

successor_cases := {
	"no base": [testing.batch([kustomization("a", {})]), []],
	"a new version": [
		testing.change(
			[application("a", {})],
			[application("b", {"source": {
				"repoURL": "https://git.example/shop",
				"path": "apps",
				"targetRevision": "2.0",
			}})],
		),
		lost,
	],
	"another path": [testing.change([kustomization("a", {})], [kustomization("b", {"path": "web"})]), []],
	"the same path": [testing.change([kustomization("a", {})], [kustomization("b", {"path": "apps/"})]), lost],
	"other values": [testing.change([release("a", {})], [release("b", {"values": {"replicas": 3}})]), []],
	"another namespace": [
		testing.change(
			[kustomization("a", {})],
			[kustomization("b", {"targetNamespace": "shop"})],
		),
		[],
	],
	"a pair of another directory": [was(kustomization("a", {}), "clusters/a.yaml", kustomization("b", {})), lost],
	"one more": [testing.change([kustomization("a", {})], [kustomization("a", {}), kustomization("b", {})]), []],
	"one less": [testing.change([kustomization("a", {}), kustomization("b", {})], [kustomization("b", {})]), []],
	"a path handed over": [
		testing.change(
			[kustomization("a", {})],
			[kustomization("a", {"path": "web"}), kustomization("b", {})],
		),
		[["a", "b", "pruned"]],
	],
	"a path handed over without prune": [
		testing.change(
			[kustomization("a", {})],
			[kustomization("a", {"path": "web", "prune": false}), kustomization("b", {})],
		),
		[],
	],
	"a path handed over while suspended": [
		testing.change(
			[kustomization("a", {})],
			[kustomization("a", {"path": "web", "suspend": true}), kustomization("b", {})],
		),
		[],
	],
	"another setting, and a copy": [
		testing.change(
			[kustomization("a", {})],
			[kustomization("a", {"interval": "1m"}), kustomization("b", {})],
		),
		[],
	],
	"an Application's path handed over": [
		testing.change(
			[application("a", {})],
			[application("a", {"source": {"path": "web"}}), application("b", {})],
		),
		[["a", "b", "pruned"]],
	],
	"a HelmRelease's chart handed over": [
		testing.change(
			[release("a", {})],
			[release("a", {"values": {}}), release("b", {})],
		),
		[],
	],
}

test_successors[note] if {
	some note, [batch, expected] in successor_cases
	succession(batch) == expected
}

# Another document has the name that an owner gave up.
test_a_name_that_remains[note] if {
	some note, [path, expected] in {
		"in another file": ["apps/a.yaml", []],
		"in the file of another cluster": ["other/web.yaml", lost],
	}
	other := testing.document(application_set("a", {}), path)
	batch := testing.change_of(
		testing.batch_of([testing.document(application_set("b", {}), "apps/web.yaml"), other]),
		[testing.document(application_set("a", {}), "apps/web.yaml"), other],
	)
	succession(batch) == expected
}

test_not_of_another_directory if {
	batch := testing.change_of(
		testing.batch_of([testing.document(kustomization("b", {}), "clusters/b.yaml")]),
		[testing.document(kustomization("a", {}), "other/a.yaml")],
	)
	succession(batch) == []
}

test_not_of_facts_and_fragments[note] if {
	former := [testing.document(kustomization("a", {}), "apps/web.yaml")]
	some note, document in {
		"a fact": testing.fact(kustomization("b", {}), "apps/web.yaml"),
		"a fragment": testing.fragment(kustomization("b", {}), "apps/web.yaml"),
	}
	succession(testing.change_of(testing.batch_of([document]), former)) == []
}

test_not_of_a_former_fragment if {
	batch := testing.change_of(
		testing.batch([kustomization("b", {})]),
		[testing.fragment(kustomization("a", {}), "apps/web.yaml")],
	)
	succession(batch) == []
}

releases(base, head) := found if {
	batch := testing.change([release("web", base)], [release("web", head)])
	found := [[one.field, one.former, one.name] | some one in gitops_owners.replaced_releases] with input as batch
}

test_releases[note] if {
	some note, case in {
		"no change": [{}, {}, []],
		"other values": [{}, {"values": {}}, []],
		"another name": [{"releaseName": "a"}, {"releaseName": "b"}, [["releaseName", "a", "b"]]],
		"a name that it had": [{}, {"releaseName": "web"}, []],
		"the name that it has in a namespace": [
			{"targetNamespace": "shop"}, {"targetNamespace": "shop", "releaseName": "shop-web"},
			[],
		],
		"another namespace": [
			{"releaseName": "a"}, {"releaseName": "a", "targetNamespace": "shop"},
			[["targetNamespace", "a", "a"]],
		],
		"another namespace, and with it another name": [{}, {"targetNamespace": "shop"}, [[
			"releaseName", "web",
			"shop-web",
		]]],
		"another namespace of the storage": [{}, {"storageNamespace": "shop"}, [["storageNamespace", "web", "web"]]],
		"suspended before": [{"suspend": true}, {"releaseName": "b"}, []],
		"suspended": [{}, {"releaseName": "b", "suspend": true}, []],
		"a variable": [{}, {"releaseName": "${name}"}, []],
		"wrong types": [{}, {"releaseName": 1}, []],
	}
	[base, head, expected] := case
	releases(base, head) == expected
}

# Paths, and names before and now.
applications(base, head) := found if {
	batch := testing.change([application_set("shop", base)], [application_set("shop", head)])
	found := [[one.path, one.former, one.name] | some one in gitops_owners.replaced_applications] with input as batch
}

named(name) := {"template": {"metadata": {"name": name}, "spec": {}}}

test_applications[note] if {
	some note, case in {
		"no change": [{}, {}, []],
		"another name of all": [
			{}, named("web-{{cluster}}"),
			[[["spec", "template", "metadata", "name"], "shop-{{cluster}}", "web-{{cluster}}"]],
		],
		"no name": [{}, {"template": {"metadata": {"name": null}}}, []],
		"no name before": [{"template": {"metadata": {"name": null}}}, {}, []],
		"another name of one": [
			{}, {"generators": elements(["two"])},
			[[["spec", "generators", 0, "list", "elements", 0], "shop-one", "shop-two"]],
		],
		"one more": [{}, {"generators": elements(["one", "two"])}, []],
		"one less": [{"generators": elements(["one", "two"])}, {"generators": elements(["two"])}, []],
		"one that applies something else": [
			{}, {"generators": [{"list": {"elements": [{"cluster": "two", "dir": "us"}]}}]},
			[],
		],
		"all that is preserved": [
			{"syncPolicy": {"preserveResourcesOnDeletion": true}}, {"generators": elements(["two"])},
			[],
		],
		"Applications that are only created": [
			{"syncPolicy": {"applicationsSync": "create-update"}}, {"generators": elements(["two"])},
			[],
		],
		"wrong types": [{}, {"generators": [1, {"list": 2}, {"list": {"elements": [3]}}]}, []],
		"both changed": [{}, object.union(named("web-{{cluster}}"), {"generators": elements(["two"])}), []],
	}
	[base, head, expected] := case
	applications(base, head) == expected
}
