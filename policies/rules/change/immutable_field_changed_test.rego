package gracegate.rules.change["immutable-field-changed_test"]

import data.gracegate.rules.change["immutable-field-changed"] as rule
import data.gracegate.testing

labelled := testing.set(testing.web, ["spec", "template", "metadata", "labels", "tier"], "front")

narrowed := testing.set(labelled, ["spec", "selector", "matchLabels", "tier"], "front")

at := {"document": 0, "path": ["spec", "selector"]}

stateful(spec) := object.union(testing.web, {"kind": "StatefulSet", "spec": object.union(testing.web.spec, spec)})

violations(base, head) := found if {
	found := rule.violation with input as testing.change([base], [head])
}

fixes(base, head) := found if {
	found := rule.fix with input as testing.change([base], [head])
}

test_found if {
	batch := testing.change([testing.web], [narrowed])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"message": `Deployment "web" is not updated: the API server refuses to change spec.selector.`,
	}}
	got.fix == {{
		"at": at,
		"patch": [{"op": "replace", "path": at.path, "value": {"matchLabels": {"app": "web"}}}],
		"advice": `Keep the old value of "tier": the old selector matches the new pods too.`,
	}}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_several_fields_are_one_finding if {
	violations(
		stateful({"serviceName": "web", "podManagementPolicy": "Parallel"}),
		stateful({"serviceName": "web-headless"}),
	) == {{"at": {"document": 0, "path": ["spec", "serviceName"]}, "message": concat(" ", [
		`StatefulSet "web" is not updated:`,
		"the API server refuses to change spec.podManagementPolicy and spec.serviceName.",
	])}}
}

test_a_field_that_is_gone if {
	{found.at | some found in violations(stateful({"serviceName": "web"}), stateful({}))} == {{
		"document": 0,
		"path": ["spec"],
	}}
}

test_a_fix_keeps_the_selector_if_it_matches[note] if {
	other := testing.replace_at(
		testing.replace_at(testing.web, ["spec", "selector"], {"matchLabels": {"app": "shop"}}),
		["spec", "template", "metadata", "labels"],
		{"app": "shop"},
	)
	some note, case in {
		"a label more": [testing.web, narrowed, "safe"],
		"another value": [testing.web, other, "text"],
		"an empty selector": [testing.replace_at(testing.web, ["spec", "selector"], {}), testing.web, "text"],
		"another field too": [
			stateful({"serviceName": "a"}),
			object.union(narrowed, {"kind": "StatefulSet"}), "text",
		],
	}
	{object.get(fix, "class", "safe") | some fix in fixes(case[0], case[1])} == {case[2]}
}

test_advice[note] if {
	headless := testing.set(testing.service, ["spec", "clusterIP"], "None")
	expressed := testing.set(
		testing.web,
		["spec", "selector", "matchExpressions"],
		[{"key": "app", "operator": "Exists"}],
	)
	some note, case in {
		"an expression": [expressed, testing.web, "Keep the old value of matchExpressions"],
		"a workload": [
			stateful({"serviceName": "a"}), stateful({"serviceName": "b"}),
			`create a second StatefulSet with the new one under another name`,
		],
		"a Service": [testing.service, headless, "Create a second Service with the new settings under another name"],
	}
	[fix] := [fix | some fix in fixes(case[0], case[1])]
	contains(fix.advice, case[2])
}

test_silent_on[note] if {
	some note, case in {
		"no base": testing.batch([narrowed]),
		"no change": testing.change([narrowed], [narrowed]),
		"the other fields": testing.change([testing.web], [testing.with_replicas(3)]),
		"another object": testing.change([testing.web], [testing.replace_at(narrowed, ["metadata", "name"], "web2")]),
		"a fact": testing.change_of(
			testing.batch_of([testing.fact(narrowed, "apps/web.yaml")]),
			[testing.document(testing.web, "apps/web.yaml")],
		),
		"wrong types": testing.change([object.union(testing.web, {"spec": "x"})], [narrowed]),
	}
	found := rule.violation with input as case
	found == set()
}
