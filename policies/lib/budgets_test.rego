package gracegate.lib.budgets_test

import data.gracegate.lib.budgets
import data.gracegate.testing

workload := testing.document(testing.web, "apps/web.yaml")

selecting(selector) := testing.replace_at(testing.budget, ["spec", "selector"], selector)

found(documents) := {"near": near[0], "may_protect": object.get(may_protect, 0, false)} if {
	batch := testing.batch_of(documents)
	near := budgets.by_workload with input as batch
	may_protect := budgets.may_protect with input as batch
}

test_by_workload[note] if {
	some note, case in {
		"by labels": [selecting({"matchLabels": {"app": "web"}}), {1}],
		"by an expression": [selecting({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}), {1}],
		"all": [selecting({}), {1}],
		"all was none before": [object.union(selecting({}), {"apiVersion": "policy/v1beta1"}), set()],
		"labels before": [object.union(testing.budget, {"apiVersion": "policy/v1beta1"}), {1}],
		"none": [selecting(null), set()],
		"others": [selecting({"matchLabels": {"app": "api"}}), set()],
		"all but these": [selecting({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}), set()],
		"a spec that is a string": [object.union(testing.budget, {"spec": "x"}), set()],
	}
	found([workload, testing.document(case[0], "apps/pdb.yaml")]).near == case[1]
}

test_locations[note] if {
	named := testing.document(testing.set(testing.web, ["metadata", "namespace"], "shop"), "apps/web.yaml")
	some note, case in {
		"elsewhere": [workload, testing.budget, "far/pdb.yaml", set(), true],
		"elsewhere with a namespace": [workload, in_namespace("shop"), "far/pdb.yaml", set(), true],
		"its namespace elsewhere": [named, in_namespace("shop"), "far/pdb.yaml", {1}, false],
		"no namespace elsewhere": [named, testing.budget, "far/pdb.yaml", set(), true],
		"another namespace": [named, in_namespace("bank"), "apps/pdb.yaml", set(), false],
		"another namespace elsewhere": [named, in_namespace("bank"), "far/pdb.yaml", set(), false],
	}
	found([case[0], testing.document(case[1], case[2])]) == {"near": case[3], "may_protect": case[4]}
}

in_namespace(name) := testing.set(testing.budget, ["metadata", "namespace"], name)

# By document of the workload.
meant_for(objects) := found if {
	found := budgets.meant_for with input as testing.batch(objects)
}

labelled(labels) := selecting({"matchLabels": labels})

called(manifest, name) := testing.set(manifest, ["metadata", "name"], name)

test_meant_for_nobody[note] if {
	other := labelled({"app": "website"})
	some note, objects in {
		"its pods": [testing.web, testing.budget],
		"all pods": [testing.web, selecting({})],
		"a selector of a wrong type": [testing.web, selecting("web")],
		"another name": [testing.web, called(other, "database")],
		"a variable": [testing.web, labelled({"app": "${APP}"})],
		"another namespace": [
			testing.set(testing.web, ["metadata", "namespace"], "shop"),
			testing.set(other, ["metadata", "namespace"], "bank"),
		],
		"other pods": [
			testing.web,
			other,
			testing.set(
				called(testing.web, "website"),
				["spec", "template", "metadata", "labels"],
				{"app": "website"},
			),
		],
		"a DaemonSet": [testing.set(testing.web, ["kind"], "DaemonSet"), other],
	}
	meant_for(objects) == {}
}

test_meant_for[note] if {
	some note, name in {"the same": "web", "suffix": "web-pdb", "prefix": "pdb-web"}
	meant_for([testing.web, called(labelled({"app": "website"}), name)]) == {0: 1}
}

test_meant_for_nobody_near_unread_files if {
	batch := testing.with_unread_file(testing.batch([testing.web, labelled({"app": "website"})]))
	found := budgets.meant_for with input as batch
	found == {}
}
