package gracegate.rules.disruption["pdb-overlap_test"]

import data.gracegate.rules.disruption["pdb-overlap"] as rule
import data.gracegate.testing

named(name) := testing.replace_at(testing.budget, ["metadata", "name"], name)

found(documents) := {[violation.at.document, violation.level] | some violation in violations} if {
	violations := rule.violation with input as testing.batch_of(documents)
}

test_found if {
	at := {"document": 2, "path": ["spec", "selector"]}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([
		testing.with_replicas(3),
		named("a"),
		testing.replace_at(named("b"), ["spec", "selector"], {}),
	])
	got.violation == {{
		"at": at,
		"level": "error",
		"message": `A node drain fails at the pods of Deployment "web": PodDisruptionBudgets "a" and "b" both select them.`,
	}}
	{fix.class | some fix in got.fix; fix.at == at} == {"text"}
}

test_silent_on[note] if {
	some note, objects in {
		"one": [testing.web, named("a")],
		"none": [testing.web],
		"the same twice": [testing.web, named("a"), named("a")],
		"one that selects none": [testing.web, named("a"), testing.replace_at(named("b"), ["spec", "selector"], null)],
		"one that selects others": [
			testing.web, named("a"),
			testing.replace_at(named("b"), ["spec", "selector", "matchLabels", "app"], "api"),
		],
		"one of another namespace": [
			testing.web,
			testing.set(named("a"), ["metadata", "namespace"], "shop"),
			testing.set(named("b"), ["metadata", "namespace"], "bank"),
		],
		"a DaemonSet": [object.union(testing.web, {"kind": "DaemonSet"}), named("a"), named("b")],
		"an odd selector": [testing.web, named("a"), testing.replace_at(named("b"), ["spec", "selector"], "app=web")],
		"an odd spec": [testing.web, named("a"), testing.replace_at(named("b"), ["spec"], [])],
	}
	found([testing.document(manifest, "apps/web.yaml") | some manifest in objects]) == set()
}

test_locations[note] if {
	workload := in_shop(testing.web, "apps/web.yaml")
	some note, case in {
		"same directory": [testing.document(named("a"), "apps/a.yaml"), testing.document(named("b"), "apps/b.yaml"), "error"],
		"same namespace": [in_shop(named("a"), "x/a.yaml"), in_shop(named("b"), "y/b.yaml"), "error"],
		"possibly the same namespace": [in_shop(named("a"), "x/a.yaml"), testing.document(named("b"), "apps/b.yaml"), "info"],
	}
	found([workload, case[0], case[1]]) == {[2, case[2]]}
}

in_shop(manifest, path) := testing.document(testing.set(manifest, ["metadata", "namespace"], "shop"), path)

test_subjects[note] if {
	subject := testing.document(named("a"), "apps/a.yaml")
	some note, case in {
		"the first alone": [subject, testing.fact(named("b"), "apps/b.yaml"), {[1, "error"]}],
		"the second alone": [testing.fact(named("b"), "apps/b.yaml"), subject, {[2, "error"]}],
		"neither": [testing.fact(named("a"), "apps/a.yaml"), testing.fact(named("b"), "apps/b.yaml"), set()],
	}
	found([testing.fact(testing.web, "apps/web.yaml"), case[0], case[1]]) == case[2]
}
