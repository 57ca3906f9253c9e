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
