package gracegate.rules.reachability["service-selector-mismatch_test"]

import data.gracegate.rules.reachability["service-selector-mismatch"] as rule
import data.gracegate.testing

selecting(selector) := testing.replace_at(testing.service, ["spec", "selector"], selector)

at := {"document": 1, "path": ["spec", "selector"]}

named(name, labels) := testing.replace_at(
	testing.replace_at(testing.web, ["metadata", "name"], name),
	["spec", "template", "metadata", "labels"],
	labels,
)

levels(objects) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_found if {
	batch := testing.batch([testing.web, selecting({"app": "wbe"})])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"level": "error",
		"message": concat(" ", [
			`Service "web" refuses every connection: it selects "app=wbe",`,
			`and Deployment "web" has "app=web".`,
		]),
	}}
	got.fix == {{
		"at": at,
		"class": "assumes",
		"assumption": `The Service is meant for Deployment "web".`,
		"patch": [{"op": "replace", "path": ["spec", "selector", "app"], "value": "web"}],
	}}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_a_label_too_many if {
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([
		named("shop", {"app": "web"}),
		selecting({"app": "web", "tier": "front"}),
	])
	{violation.message | some violation in got.violation} == {concat(" ", [
		`Service "web" refuses every connection: it selects "tier=front",`,
		`which Deployment "shop" does not have.`,
	])}
	{fix.patch | some fix in got.fix} == {[{"op": "replace", "path": at.path, "value": {"app": "web"}}]}
}

test_a_workload_without_selector if {
	workload := testing.replace_at(testing.web, ["spec", "selector"], null)
	fixes := rule.fix with input as testing.batch([workload, selecting({"tier": "front"})])
	{fix.patch | some fix in fixes} == {[{"op": "replace", "path": at.path, "value": {"app": "web"}}]}
}

test_no_near_workload if {
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([
		named("api", {"app": "api"}),
		selecting({"a": "b", "c": "d"}),
	])
	{[violation.level, violation.message] | some violation in got.violation} == {["info", concat(" ", [
		`Service "web" refuses every connection unless something else runs pods with "a=b, c=d":`,
		"no manifest here does.",
	])]}
	{fix.class | some fix in got.fix} == {"text"}
}

test_two_near_names if {
	objects := [named("a", {"app": "a", "part": "shop"}), selecting({"app": "b", "part": "shop"})]
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch(array.concat(objects, [
		named("c", {"app": "c", "part": "shop"}),
	]))
	{violation.level | some violation in got.violation} == {"error"}
	{fix.class | some fix in got.fix} == {"text"}
}

# A label that workloads with Services of their own share is no hint.
test_what_many_have_in_common_is_no_hint[key] if {
	some key in ["app.kubernetes.io/part-of", "app.kubernetes.io/managed-by", "environment", "team", "release"]
	worker := named("worker", {"app": "worker", key: "shop"})
	levels([worker, selecting({"app": "db", key: "shop"})]) == {"info"}
}

test_a_shared_label if {
	own := testing.replace_at(selecting({"app": "a"}), ["metadata", "name"], "a")
	levels([named("a", {"app": "a", "part": "shop"}), selecting({"app": "b", "part": "shop"}), own]) == {"info"}
}

test_silent_on[note] if {
	some note, service in {
		"a match": testing.service,
		"no selector": testing.remove_at(testing.service, ["spec", "selector"]),
		"null": selecting(null),
		"an empty selector": selecting({}),
		"a string": selecting("app=web"),
		"an ExternalName": testing.set(selecting({"app": "x"}), ["spec", "type"], "ExternalName"),
		"a number": selecting({"app": 1}),
		"a label from a controller": selecting({"app": "web", "statefulset.kubernetes.io/pod-name": "web-0"}),
		"a parameter": selecting({"app": "${NAME}"}),
		"a Knative Service": object.union(selecting({"app": "x"}), {"apiVersion": "serving.knative.dev/v1"}),
	}
	levels([testing.web, service]) == set()
}

test_pods_that_match[note] if {
	some note, workload in {
		"a Job": object.union(testing.web, {"apiVersion": "batch/v1", "kind": "Job"}),
		"a bare pod": {
			"apiVersion": "v1",
			"kind": "Pod",
			"metadata": {"name": "x", "labels": {"app": "web"}},
			"spec": {"containers": []},
		},
	}
	levels([workload, testing.service]) == set()
}

test_locations[note] if {
	wrong := selecting({"app": "wbe"})
	some note, case in {
		"a match elsewhere": [
			[testing.document(testing.web, "far/web.yaml"), testing.document(testing.service, "apps/x.yaml")],
			set(),
		],
		"nothing beside it": [[testing.document(testing.web, "far/web.yaml"), testing.document(wrong, "apps/x.yaml")], set()],
		"another file of the directory": [
			[testing.document(testing.web, "apps/web.yaml"), testing.document(wrong, "apps/x.yaml")],
			{"error"},
		],
		"another namespace": [
			[
				testing.document(testing.set(testing.web, ["metadata", "namespace"], "a"), "apps/web.yaml"),
				testing.document(testing.set(wrong, ["metadata", "namespace"], "b"), "apps/x.yaml"),
			],
			{"info"},
		],
		"a fragment": [[testing.fragment(testing.web, "apps/web.yaml"), testing.document(wrong, "apps/x.yaml")], {"info"}],
		"only a fact": [[testing.document(testing.web, "apps/web.yaml"), testing.fact(wrong, "apps/x.yaml")], set()],
	}
	violations := rule.violation with input as testing.batch_of(case[0])
	{violation.level | some violation in violations} == case[1]
}

test_unread if {
	batch := testing.batch([testing.web, selecting({"app": "wbe"})])
	violations := rule.violation with input as testing.with_unread_file(batch)
	violations == set()
}
