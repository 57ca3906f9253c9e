package gracegate.rules.change["workload-renamed_test"]

import data.gracegate.rules.change["workload-renamed"] as rule
import data.gracegate.testing

named(manifest, name) := testing.replace_at(manifest, ["metadata", "name"], name)

of_image(manifest, image) := testing.replace_at(manifest, testing.inside(["image"]), image)

shop := named(testing.web, "shop")

rollout := object.union(testing.web, {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"})

# The first document was another one.
was(former, documents) := object.union(testing.batch_of(documents), {"before": [object.union(
	testing.former(testing.document(former, "apps/web.yaml")),
	{"document": 0},
)]})

renamed(former, manifest) := was(former, [
	testing.document(manifest, "apps/web.yaml"),
	testing.document(testing.service, "apps/web.yaml"),
])

at := {"document": 0, "path": ["metadata", "name"]}

found(batch) := facts if {
	facts := {
		"violation": rule.violation,
		"fix": rule.fix,
		"related": rule.related,
	} with input as batch
}

levels(batch) := {violation.level | some violation in found(batch).violation}

test_found if {
	found(renamed(testing.web, shop)) == {
		"violation": {{"at": at, "level": "warning", "message": concat(" ", [
			`Requests may fail until Deployment "shop" has ready pods:`,
			`to Kubernetes it is new, and Deployment "web" is removed with all its pods.`,
		])}},
		"fix": {{"at": at, "class": "text", "advice": concat(" ", [
			`Add Deployment "shop" beside the old one, with pods that the same Services select,`,
			`and remove Deployment "web" in another change, when the new pods are ready.`,
		])}},
		"related": {{"at": at, "places": [{"document": 1, "path": []}]}},
	}
}

test_a_service_elsewhere if {
	batch := was(testing.web, [
		testing.document(shop, "apps/web.yaml"),
		testing.document(testing.service, "other/web.yaml"),
	])
	possible := rule.possible with input as batch
	[levels(batch), possible] == [{"info"}, {at}]
}

test_levels[note] if {
	some note, case in {
		"another kind": [testing.web, rollout, {"warning"}],
		"another tag": [testing.web, of_image(shop, "registry.example/web:2"), {"warning"}],
		"a digest": [testing.web, of_image(shop, "registry.example/web@sha256:0"), {"warning"}],
		"a port of the registry": [
			of_image(testing.web, "registry.example:5000/web"),
			of_image(shop, "registry.example:5000/web:2"), {"warning"},
		],
		"another app": [testing.web, of_image(shop, "registry.example/shop:1.4.2"), set()],
		"another namespace": [testing.set(testing.web, ["metadata", "namespace"], "a"), testing.web, set()],
		"a variable": [testing.web, named(testing.web, "${NAME}"), set()],
		"no pods before": [testing.with_replicas(0), shop, set()],
		"no pods now": [testing.web, named(testing.with_replicas(0), "shop"), set()],
		"a Job": [
			object.union(testing.web, {"apiVersion": "batch/v1", "kind": "Job"}),
			object.union(shop, {"apiVersion": "batch/v1", "kind": "Job"}), set(),
		],
		"not selected": [testing.web, testing.replace_at(shop, ["spec", "template", "metadata", "labels"], {}), set()],
		"no image": [testing.remove_at(testing.web, testing.inside(["image"])), shop, set()],
		"wrong types": [object.union(testing.web, {"spec": "x"}), shop, set()],
		"no name": [object.union(testing.web, {"metadata": {"name": 1}}), shop, set()],
		"a Service": [testing.service, shop, set()],
		"an empty name": [testing.web, named(testing.web, ""), set()],
	}
	levels(renamed(case[0], case[1])) == case[2]
}

test_silent_on[note] if {
	some note, case in {
		"no base": testing.batch([shop, testing.service]),
		"no change": testing.change([shop, testing.service], [shop, testing.service]),
		"the same name": testing.change([testing.web, testing.service], [testing.with_replicas(3), testing.service]),
		"a new one": testing.change([testing.service], [shop, testing.service]),
		"a fact": was(testing.web, [testing.fact(shop, "apps/web.yaml"), testing.document(testing.service, "apps/web.yaml")]),
		"a patch": was(testing.web, [
			testing.fragment(shop, "apps/web.yaml"),
			testing.document(testing.service, "apps/web.yaml"),
		]),
	}
	levels(case) == set()
}

# The Deployment is the first document, and what it was the first of `before`.
steps_of(documents, others) := found if {
	batch := was(testing.web, [testing.document(manifest, "apps/web.yaml") | some manifest in documents])
	before := [object.union(testing.former(testing.document(manifest, "apps/web.yaml")), {"document": i + 1}) |
		some i, manifest in others
	]
	found := rule.steps with input as object.union(batch, {"before": array.concat(batch.before, before)})
}

test_steps_behind_the_same_services if {
	steps_of([shop, testing.service], []) == {{"at": at, "steps": [
		{"title": `Deployment "shop" runs beside Deployment "web", behind the same Services.`, "restored": [0], "copies": []},
		{"title": `Deployment "web" goes: the pods of Deployment "shop" are ready and get its requests.`},
	]}}
}

test_steps_with_services_that_follow if {
	labels := {"app": "shop"}
	manifest := testing.replace_at(
		testing.replace_at(shop, ["spec", "template", "metadata", "labels"], labels),
		["spec", "selector", "matchLabels"],
		labels,
	)
	service := testing.replace_at(testing.service, ["spec", "selector"], labels)
	budget := testing.replace_at(testing.budget, ["spec", "selector", "matchLabels"], labels)
	copy := {"former": 2, "patch": [{"op": "replace", "path": ["metadata", "name"], "value": "web-former"}]}
	steps_of([manifest, service, budget], [testing.service, testing.budget]) == {{"at": at, "steps": [
		{
			"title": `Deployment "shop" starts beside Deployment "web", which still gets the requests.`,
			"restored": [0, 1],
			"copies": [copy],
		},
		{
			"title": `Services send to Deployment "shop", whose pods are ready, while Deployment "web" still runs.`,
			"restored": [0],
			"copies": [copy],
		},
		{"title": `Deployment "web" goes: the pods of Deployment "shop" are ready and get its requests.`},
	]}}
}

test_no_two_at_once[note] if {
	some note, manifest in {
		"that share a volume": testing.with_volume(shop),
		"with a volume for each pod": object.union(shop, {"kind": "StatefulSet"}),
	}
	steps_of([manifest, testing.service], []) == set()
}
