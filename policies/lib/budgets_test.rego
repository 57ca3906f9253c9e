package gracegate.lib.budgets_test

import data.gracegate.lib.budgets
import data.gracegate.testing

workload := testing.placed(testing.web, "apps/web.yaml")

selecting(selector) := testing.swap(testing.budget, ["spec", "selector"], selector)

of(documents) := {"near": near[0], "perhaps": object.get(perhaps, 0, false)} if {
	question := testing.questions(documents)
	near := budgets.of with input as question
	perhaps := budgets.perhaps with input as question
}

test_of[note] if {
	some note, case in {
		"by labels": [selecting({"matchLabels": {"app": "web"}}), {1}],
		"by an expression": [selecting({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}), {1}],
		"all": [selecting({}), {1}],
		"all was none before": [object.union(selecting({}), {"apiVersion": "policy/v1beta1"}), set()],
		"labels before": [object.union(testing.budget, {"apiVersion": "policy/v1beta1"}), {1}],
		"none": [selecting(null), set()],
		"others": [selecting({"matchLabels": {"app": "api"}}), set()],
		"all but these": [selecting({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}), set()],
		"a spec that is a text": [object.union(testing.budget, {"spec": "x"}), set()],
	}
	of([workload, testing.placed(case[0], "apps/pdb.yaml")]).near == case[1]
}

test_where[note] if {
	named := testing.placed(testing.set(testing.web, ["metadata", "namespace"], "shop"), "apps/web.yaml")
	some note, case in {
		"elsewhere": [workload, testing.budget, "far/pdb.yaml", set(), true],
		"elsewhere with a namespace": [workload, in_namespace("shop"), "far/pdb.yaml", set(), true],
		"its namespace elsewhere": [named, in_namespace("shop"), "far/pdb.yaml", {1}, false],
		"no namespace elsewhere": [named, testing.budget, "far/pdb.yaml", set(), true],
		"another namespace": [named, in_namespace("bank"), "apps/pdb.yaml", set(), false],
		"another namespace elsewhere": [named, in_namespace("bank"), "far/pdb.yaml", set(), false],
	}
	of([case[0], testing.placed(case[1], case[2])]) == {"near": case[3], "perhaps": case[4]}
}

in_namespace(name) := testing.set(testing.budget, ["metadata", "namespace"], name)
