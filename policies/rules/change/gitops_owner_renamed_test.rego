package gracegate.rules.change["gitops-owner-renamed_test"]

import data.gracegate.rules.change["gitops-owner-renamed"] as rule
import data.gracegate.testing

kustomization(name, settings) := {
	"apiVersion": "kustomize.toolkit.fluxcd.io/v1",
	"kind": "Kustomization",
	"metadata": {"name": name},
	"spec": object.union(
		{"path": "./apps", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "shop"}},
		settings,
	),
}

release(name, settings) := {
	"apiVersion": "helm.toolkit.fluxcd.io/v2",
	"kind": "HelmRelease",
	"metadata": {"name": name},
	"spec": object.union({"chart": {"spec": {"chart": "web"}}}, settings),
}

application(name, path) := {
	"apiVersion": "argoproj.io/v1alpha1",
	"kind": "Application",
	"metadata": {"name": name, "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
	"spec": {
		"source": {"repoURL": "https://git.example/shop", "path": path},
		"destination": {"namespace": "shop"},
		"syncPolicy": {"automated": {"prune": true}},
	},
}

application_set(name, cluster) := {
	"apiVersion": "argoproj.io/v1alpha1",
	"kind": "ApplicationSet",
	"metadata": {"name": name},
	"spec": {
		"generators": [{"list": {"elements": [{"cluster": cluster}]}}],
		"template": {"metadata": {"name": "{{cluster}}"}, "spec": {"source": {"path": "apps"}}},
	},
}

served := [testing.web, testing.service]

at(path) := {"document": 0, "path": path}

at_name := at(["metadata", "name"])

found_in(batch) := found if {
	found := {"violation": rule.violation, "fix": rule.fix} with input as batch
}

found(place, level, message, advice) := {
	"violation": {{"at": place, "level": level, "message": message}},
	"fix": {{"at": place, "class": "text", "advice": advice}},
}

found_cases := {
	"a Kustomization of what serves": [
		array.concat([kustomization("a", {})], served), array.concat([kustomization("b", {})], served),
		found(
			at_name, "error",
			`Requests may fail until Kustomization "b" has created everything again: Flux deletes all that "a" applied.`,
			concat(" ", [
				`In a change before this one, set "prune: false" in "a", without a deletionPolicy,`,
				"and wait until Flux has applied it.",
			]),
		),
	],
	"a Kustomization of something": [
		[kustomization("a", {})], [kustomization("b", {})],
		found(
			at_name, "warning",
			`Requests may fail until Kustomization "b" has created everything again: Flux deletes all that "a" applied.`,
			concat(" ", [
				`In a change before this one, set "prune: false" in "a", without a deletionPolicy,`,
				"and wait until Flux has applied it.",
			]),
		),
	],
	"a path handed over": [
		[kustomization("a", {})], [kustomization("b", {}), kustomization("a", {"path": "web"})],
		found(
			at_name, "warning",
			concat(" ", [
				`Requests may fail until Kustomization "b" has created everything again:`,
				`"a" has another path now, and Flux deletes all that it applied.`,
			]),
			`In a change before this one, set "prune: false" in "a" and wait until Flux has applied it.`,
		),
	],
	"a HelmRelease": [
		[release("a", {})], [release("b", {})],
		found(
			at_name, "warning",
			`Requests may fail until HelmRelease "b" has created everything again: Flux uninstalls the release of "a".`,
			concat(" ", [
				`In a change before this one, suspend "a". Give the new HelmRelease the releaseName of the old one,`,
				"so that it takes the release over.",
			]),
		),
	],
	"a release": [
		[release("a", {})], [release("a", {"releaseName": "b"})],
		found(
			at(["spec", "releaseName"]), "warning",
			concat(" ", [
				`Requests may fail until Helm release "b" is installed:`,
				`releaseName is another one now, and Flux uninstalls "a" first.`,
			]),
			`Keep releaseName; for the release "a" set "releaseName: a".`,
		),
	],
	"a release that is not named any more": [
		[release("a", {"releaseName": "b"})], [release("a", {})],
		found(
			at(["spec"]), "warning",
			concat(" ", [
				`Requests may fail until Helm release "a" is installed:`,
				`releaseName is another one now, and Flux uninstalls "b" first.`,
			]),
			`Keep releaseName; for the release "b" set "releaseName: b".`,
		),
	],
	"an Application": [
		[application("a", "apps")], [application("b", "apps")],
		found(
			at_name, "warning",
			concat(" ", [
				`Requests may fail until Application "b" has created everything again:`,
				`the finalizer of "a" deletes all that this applied.`,
			]),
			`In a change before this one, take the finalizer out of "a": then only the Application is deleted.`,
		),
	],
	"an Application's path handed over": [
		[application("a", "apps")], [application("b", "apps"), application("a", "web")],
		found(
			at_name, "warning",
			concat(" ", [
				`Requests may fail until Application "b" has created everything again:`,
				`"a" applies something else now, and prunes.`,
			]),
			`In a change before this one, set "prune: false" in "a".`,
		),
	],
	"an ApplicationSet": [
		[application_set("a", "eu")], [application_set("b", "eu")],
		found(
			at_name, "warning",
			concat(" ", [
				`Requests may fail until ApplicationSet "b" has created everything again:`,
				`the Applications of "a" are deleted with it, and all that they applied.`,
			]),
			concat(" ", [
				`In a change before this one, set "preserveResourcesOnDeletion: true" in the syncPolicy of "a":`,
				"then only its Applications are deleted.",
			]),
		),
	],
	"an element of an ApplicationSet": [
		[application_set("a", "eu")], [application_set("a", "us")],
		found(
			at(["spec", "generators", 0, "list", "elements", 0]), "warning",
			concat(" ", [
				`Requests may fail until Application "us" has created everything again:`,
				`its ApplicationSet deletes "eu" with all that this applied.`,
			]),
			concat(" ", [
				`In a change before this one, set "preserveResourcesOnDeletion: true" in the syncPolicy of the ApplicationSet:`,
				"then only the Applications are deleted, and the new ones take over.",
			]),
		),
	],
}

test_found[note] if {
	some note, [base, head, expected] in found_cases
	found_in(testing.change(base, head)) == expected
}

test_several_former_owners_are_one_finding if {
	batch := testing.change([kustomization("a", {}), kustomization("b", {})], [kustomization("c", {})])
	messages := [violation.message | some violation in rule.violation] with input as batch
	count(messages) == 1
	contains(messages[0], `"a"`)
}

test_error_levels[note] if {
	some note, case in {
		"the directory": ["./apps", "error"],
		"one above": ["./", "error"],
		"one below": ["./apps/web", "warning"],
		"a neighbour": ["./app", "warning"],
	}
	[path, level] := case
	batch := testing.change(
		array.concat([kustomization("a", {"path": path})], served),
		array.concat([kustomization("b", {"path": path})], served),
	)
	levels := {violation.level | some violation in rule.violation} with input as batch
	levels == {level}
}

test_silent_on[note] if {
	some note, batch in {
		"no base": testing.batch([kustomization("b", {})]),
		"a new one": testing.change([], [kustomization("b", {})]),
		"a removed one": testing.change([kustomization("a", {})], []),
		"the safe order, first": testing.change([kustomization("a", {})], [kustomization("a", {"prune": false})]),
		"the safe order, second": testing.change([kustomization("a", {"prune": false})], [kustomization("b", {})]),
	}
	found_in(batch) == {"violation": set(), "fix": set()}
}

steps_of(former, now) := found if {
	found := rule.steps with input as was_in_place(former, now)
}

was_in_place(former, now) := object.union(testing.batch([now]), {"before": [object.union(
	testing.former(testing.document(former, "apps/web.yaml")),
	{"document": 0},
)]})

test_steps[note] if {
	some note, case in {
		"a Kustomization": [
			kustomization("a", {}), kustomization("b", {}),
			{"op": "replace", "path": ["spec", "prune"], "value": false},
		],
		"an Application": [
			application("a", "web"), application("b", "web"),
			{"op": "remove", "path": ["metadata", "finalizers"]},
		],
	}
	kind := case[0].kind
	steps_of(case[0], case[1]) == {{"at": at_name, "steps": [
		{
			"title": sprintf(`%s "a" deletes nothing when it goes.`, [kind]),
			"instead": [{"former": 0, "patch": [case[2]]}],
		},
		{"title": sprintf(`%s "b" takes over what "a" applied.`, [kind])},
	]}}
}

test_no_steps[note] if {
	several := {"finalizers": ["resources-finalizer.argocd.argoproj.io", "other"]}
	some note, case in {
		"a policy of its own": [
			kustomization("a", {"deletionPolicy": "Delete"}),
			kustomization("b", {"deletionPolicy": "Delete"}),
		],
		"another finalizer": [
			object.union(application("a", "web"), {"metadata": object.union({"name": "a"}, several)}),
			object.union(application("b", "web"), {"metadata": object.union({"name": "b"}, several)}),
		],
		"a HelmRelease": [release("a", {}), release("b", {})],
	}
	got := {"violations": count(rule.violation), "steps": rule.steps} with input as was_in_place(case[0], case[1])
	got == {"violations": 1, "steps": set()}
}
