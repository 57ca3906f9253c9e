package gracegate.rules.disruption["pdb-blocks-drain_test"]

import data.gracegate.rules.disruption["pdb-blocks-drain"] as rule
import data.gracegate.testing

# A budget with these numbers.
budget(limits) := object.union(testing.budget, {"spec": object.union({"maxUnavailable": null}, limits)})

found(objects) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_found if {
	at := {"document": 1, "path": ["spec", "minAvailable"]}
	batch := testing.batch([testing.with_replicas(3), budget({"minAvailable": "67%"})])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"level": "error",
		"message": concat(" ", [
			`A node drain never finishes: PodDisruptionBudget "web" allows none of its 3 pods to be evicted,`,
			"because minAvailable is 67%, which is 3.",
		]),
	}}
	got.fix == {{"at": at, "patch": [
		{"op": "remove", "path": at.path},
		{"op": "replace", "path": ["spec", "maxUnavailable"], "value": 1},
	]}}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_zero_unavailable if {
	at := {"document": 1, "path": ["spec", "maxUnavailable"]}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([
		testing.with_replicas(3),
		budget({"maxUnavailable": 0}),
	])
	{violation.message | some violation in got.violation} == {concat(" ", [
		`A node drain never finishes: PodDisruptionBudget "web" allows none of its 3 pods to be evicted,`,
		"because maxUnavailable is 0.",
	])}
	got.fix == {{"at": at, "patch": [{"op": "replace", "path": at.path, "value": 1}]}}
}

test_neither if {
	at := {"document": 1, "path": ["spec"]}
	batch := testing.batch([testing.with_replicas(3), budget({})])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"level": "error",
		"message": concat(" ", [
			`A node drain never finishes: PodDisruptionBudget "web" allows none of its 3 pods to be evicted,`,
			"because it has neither minAvailable nor maxUnavailable.",
		]),
	}}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_neither_had_a_default if {
	found([testing.with_replicas(3), object.union(budget({}), {"apiVersion": "policy/v1beta1"})]) == set()
}

test_rounding[note] if {
	some note, case in {
		"all": [3, {"minAvailable": 3}, {"error"}],
		"more than all": [3, {"minAvailable": 4}, {"error"}],
		"all but one": [3, {"minAvailable": 2}, set()],
		"all, in percent": [3, {"minAvailable": "100%"}, {"error"}],
		"66% of 3 are 2": [3, {"minAvailable": "66%"}, set()],
		"67% of 3 are 3": [3, {"minAvailable": "67%"}, {"error"}],
		"91% of 10 are 10": [10, {"minAvailable": "91%"}, {"error"}],
		"90% of 10 are 9": [10, {"minAvailable": "90%"}, set()],
		"1% of 3 are 1": [3, {"maxUnavailable": "1%"}, set()],
		"0% are none": [3, {"maxUnavailable": "0%"}, {"error"}],
		"none": [3, {"maxUnavailable": 0}, {"error"}],
		"one": [3, {"maxUnavailable": 1}, set()],
		"none needed": [3, {"minAvailable": 0}, set()],
		"no pods": [0, {"maxUnavailable": 0}, set()],
		"nothing set": [3, {}, {"error"}],
		"null": [3, {"minAvailable": null}, {"error"}],
		"both, which is refused": [3, {"minAvailable": 3, "maxUnavailable": 0}, set()],
	}
	found([testing.with_replicas(case[0]), budget(case[1])]) == case[2]
}

test_odd_values[note] if {
	some note, value in ["", "many", "x%", -1, 1.5, [], {}, true]
	some field in ["maxUnavailable", "minAvailable"]
	found([testing.with_replicas(3), budget({field: value})]) == set()
}

test_a_variable_number_of_pods[note] if {
	some note, case in {
		"none unavailable": [{"maxUnavailable": 0}, {"warning"}],
		"all available": [{"minAvailable": "100%"}, {"warning"}],
		"some available": [{"minAvailable": 1}, set()],
		"a share": [{"minAvailable": "99%"}, set()],
		"a variable budget": [{"minAvailable": "${LEAST}"}, set()],
	}
	found([testing.with_replicas("${REPLICAS:=3}"), budget(case[0])]) == case[1]
}

test_the_only_pod if {
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([
		testing.with_replicas(1),
		budget({"minAvailable": 1}),
	])
	{[violation.level, violation.message] | some violation in got.violation} == {["error", concat(" ", [
		`A node drain never finishes: PodDisruptionBudget "web" does not allow its only pod to be evicted,`,
		"because minAvailable is 1.",
	])]}
	{fix.class | some fix in got.fix} == {"text"}
}

pod(name) := {
	"apiVersion": "v1",
	"kind": "Pod",
	"metadata": {"name": name, "labels": {"app": "web"}},
	"spec": testing.web.spec.template.spec,
}

test_pods_without_a_controller[note] if {
	some note, case in {
		"some unavailable": [{"maxUnavailable": 1}, {"warning"}],
		"a share unavailable": [{"maxUnavailable": "50%"}, {"warning"}],
		"a share available": [{"minAvailable": "50%"}, {"warning"}],
		"a number available": [{"minAvailable": 1}, set()],
		"all available": [{"minAvailable": 2}, {"warning"}],
		"neither": [{}, {"warning"}],
		"a variable": [{"minAvailable": "${LEAST}"}, set()],
	}
	found([pod("a"), pod("b"), budget(case[0])]) == case[1]
}

test_pods_with_and_without_a_controller if {
	found([testing.with_replicas(3), pod("b"), budget({"maxUnavailable": 1})]) == set()
}

test_why_pods_without_a_controller_block[note] if {
	some note, case in {
		"unavailable": [{"maxUnavailable": 1}, "maxUnavailable is 1, and only pods of a controller count"],
		"available": [{"minAvailable": 2}, "minAvailable is 2"],
	}
	batch := testing.batch([pod("a"), pod("b"), budget(case[0])])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	{violation.message | some violation in got.violation} == {concat("", [
		`A node drain never finishes: PodDisruptionBudget "web" allows none of its 2 pods to be evicted, because `,
		case[1],
		".",
	])}
	{fix.class | some fix in got.fix} == {"text"}
}

# The workload of the selected pods is elsewhere.
test_no_workload[note] if {
	some note, case in {
		"none": [{"maxUnavailable": 0}, {"warning"}],
		"all": [{"minAvailable": "100%"}, {"warning"}],
		"some": [{"minAvailable": "67%"}, set()],
		"a number": [{"minAvailable": 3}, set()],
	}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([budget(case[0])])
	{violation.level | some violation in got.violation} == case[1]
	every fix in got.fix {
		fix.class == "text"
	}
}

test_no_workload_matches if {
	violations := rule.violation with input as testing.batch([budget({"minAvailable": "100%"})])
	{violation.message | some violation in violations} == {concat(" ", [
		`A node drain never finishes: PodDisruptionBudget "web" allows no eviction,`,
		"because minAvailable is 100%.",
	])}
}

test_uncertain_selection[note] if {
	scaler := object.union(testing.autoscaler, {"spec": {"minReplicas": 3}})
	some note, case in {
		"omitted": [[testing.web, budget({"minAvailable": 1})], {"warning"}],
		"null": [[testing.with_replicas(null), budget({"minAvailable": 1})], {"warning"}],
		"the floor of an autoscaler": [[testing.web, scaler, budget({"minAvailable": 3})], {"warning"}],
		"a floor above it": [[testing.web, scaler, budget({"minAvailable": 2})], set()],
		"all, at any number": [[testing.web, scaler, budget({"minAvailable": "100%"})], {"error"}],
		"none, at any number": [[testing.web, scaler, budget({"maxUnavailable": 0})], {"error"}],
	}
	found(case[0]) == case[1]
}

test_a_fragment_sets_replicas if {
	violations := rule.violation with input as testing.batch_of([
		testing.document(testing.with_replicas(3), "apps/web.yaml"),
		testing.document(budget({"minAvailable": 3}), "apps/pdb.yaml"),
		testing.fragment(testing.with_replicas(5), "prod/web.yaml"),
	])
	{violation.level | some violation in violations} == {"warning"}
}

test_counted_workloads[note] if {
	some note, case in {
		"two workloads": [[testing.with_replicas(2), other("api", "Deployment"), budget({"minAvailable": 2})], set()],
		"both of them": [[testing.with_replicas(2), other("api", "Deployment"), budget({"minAvailable": 4})], {"error"}],
		"no DaemonSet": [[testing.with_replicas(2), other("log", "DaemonSet"), budget({"minAvailable": 2})], {"error"}],
		"a DaemonSet alone": [[other("log", "DaemonSet"), budget({"maxUnavailable": 0})], set()],
		"nothing selected": [
			[testing.with_replicas(2), testing.replace_at(budget({"maxUnavailable": 0}), ["spec", "selector"], null)],
			set(),
		],
	}
	found(case[0]) == case[1]
}

other(name, kind) := object.union(testing.with_replicas(2), {"kind": kind, "metadata": {"name": name}})

# The same app for another cluster is not counted.
test_nearest if {
	violations := rule.violation with input as testing.batch_of([
		rooted(testing.with_replicas(2), "apps/a/web.yaml"),
		rooted(testing.with_replicas(2), "apps/b/web.yaml"),
		rooted(budget({"minAvailable": 2}), "apps/a/pdb.yaml"),
	])
	{violation.level | some violation in violations} == {"error"}
}

rooted(manifest, path) := object.union(
	testing.document(manifest, path),
	{"directory": substring(path, 0, 6), "root": "apps"},
)

test_only_a_fact if {
	violations := rule.violation with input as testing.batch_of([
		testing.document(testing.with_replicas(3), "apps/web.yaml"),
		testing.fact(budget({"maxUnavailable": 0}), "apps/pdb.yaml"),
	])
	violations == set()
}
