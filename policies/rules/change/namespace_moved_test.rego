package gracegate.rules.change["namespace-moved_test"]

import data.gracegate.rules.change["namespace-moved"] as rule
import data.gracegate.testing

in_namespace(manifest, namespace) := testing.set(manifest, ["metadata", "namespace"], namespace)

# The first document was another one.
was(former, documents) := object.union(testing.batch_of(documents), {"before": [object.union(
	testing.former(testing.document(former, "apps/web.yaml")),
	{"document": 0},
)]})

moved(former, manifest) := was(former, [
	testing.document(manifest, "apps/web.yaml"),
	testing.document(in_namespace(testing.service, "bank"), "apps/web.yaml"),
])

shop := in_namespace(testing.web, "shop")

bank := in_namespace(testing.web, "bank")

at := {"document": 0, "path": ["metadata", "namespace"]}

levels(batch) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_found if {
	got := {"violation": rule.violation, "fix": rule.fix, "related": rule.related} with input as moved(shop, bank)
	got == {
		"violation": {{"at": at, "level": "warning", "message": concat(" ", [
			`Requests may fail until Deployment "web" has ready pods in namespace "bank":`,
			`Kubernetes moves no object, and the one in namespace "shop" is removed with all its pods.`,
		])}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": concat(" ", [
				`Apply it in both namespaces, let the clients follow,`,
				`and remove it from "shop" in another change.`,
			]),
		}},
		"related": {{"at": at, "places": [{"document": 1, "path": []}]}},
	}
}

test_a_service_elsewhere if {
	batch := was(shop, [
		testing.document(bank, "apps/web.yaml"),
		testing.document(testing.service, "other/web.yaml"),
	])
	possible := rule.possible with input as batch
	[levels(batch), possible] == [{"info"}, {at}]
}

test_silent_on[note] if {
	some note, batch in {
		"no base": testing.batch([bank, in_namespace(testing.service, "bank")]),
		"a namespace that was not said": moved(testing.web, bank),
		"a namespace that is not said any more": moved(shop, testing.web),
		"the same": moved(bank, testing.set(bank, ["spec", "replicas"], 3)),
		"a variable": moved(in_namespace(testing.web, "${NAMESPACE}"), bank),
		"another name too": moved(testing.replace_at(shop, ["metadata", "name"], "shop"), bank),
		"no pods before": moved(testing.set(shop, ["spec", "replicas"], 0), bank),
		"no Service": was(shop, [testing.document(bank, "apps/web.yaml")]),
		"wrong types": moved(testing.replace_at(shop, ["metadata", "name"], ["web"]), bank),
		"a fact": was(shop, [
			testing.fact(bank, "apps/web.yaml"),
			testing.document(in_namespace(testing.service, "bank"), "apps/web.yaml"),
		]),
	}
	levels(batch) == set()
}

test_steps if {
	service := in_namespace(testing.service, "shop")
	moved_service := object.union(
		testing.former(testing.document(service, "apps/web.yaml")),
		{"document": 1},
	)
	batch := moved(shop, bank)
	got := rule.steps with input as object.union(batch, {"before": array.concat([moved_service], batch.before)})
	got == {{"at": at, "steps": [
		{"title": `Deployment "web" runs in both namespaces, with all that goes with it.`, "restored": [0, 1]},
		{
			"title": `Nothing is left in namespace "shop".`,
			"by_hand": concat(" ", [
				`Let all clients send to namespace "bank",`,
				`and wait until nothing comes in at "shop" any more.`,
			]),
		},
	]}}
}

test_what_goes_together_is_restored_once if {
	second := testing.replace_at(bank, ["metadata", "name"], "api")
	batch := object.union(
		testing.batch([bank, second, in_namespace(testing.service, "bank")]),
		{"before": [object.union(
			testing.former(testing.document(in_namespace(manifest, "shop"), "apps/web.yaml")),
			{"document": i},
		) |
			some i, manifest in [bank, second]
		]},
	)
	got := rule.steps with input as batch
	{[found.at.document, found.steps[0].restored] | some found in got} == {[0, [0, 1]], [1, [1]]}
}

test_volumes_stay_where_they_are[note] if {
	some note, manifest in {
		"of a claim": testing.with_volume(testing.web),
		"of a StatefulSet": object.union(testing.web, {"kind": "StatefulSet"}),
	}
	batch := moved(in_namespace(manifest, "shop"), in_namespace(manifest, "bank"))
	got := {"violations": count(rule.violation), "steps": rule.steps} with input as batch
	got == {"violations": 1, "steps": set()}
}
