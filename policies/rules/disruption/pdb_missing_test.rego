package gracegate.rules.disruption["pdb-missing_test"]

import data.gracegate.rules.disruption["pdb-missing"] as rule
import data.gracegate.testing

levels(objects) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

manifest(batch) := [line | some fix in fixes; some line in split(fix.advice, "\n")] if {
	fixes := rule.fix with input as batch
}

test_found if {
	named := testing.set(testing.with_replicas(3), ["metadata", "namespace"], "shop")
	violations := rule.violation with input as testing.batch([named, testing.service])
	violations == {{
		"at": {"document": 0, "path": []},
		"level": "warning",
		"message": `A node drain can evict all 3 pods of Deployment "web" at once: no PodDisruptionBudget selects them.`,
	}}
	manifest(testing.batch([named, testing.service])) == [
		"Add a PodDisruptionBudget next to it, so that pods are evicted one by one:",
		"apiVersion: policy/v1",
		"kind: PodDisruptionBudget",
		"metadata:",
		"  name: web",
		"  namespace: shop",
		"spec:",
		"  maxUnavailable: 1",
		"  unhealthyPodEvictionPolicy: AlwaysAllow",
		"  selector:",
		"    matchLabels:",
		"      app: web",
	]
}

# If its selector is not only labels, the labels of the pods are used.
test_labels[note] if {
	some note, selector in {
		"expressions": {"matchLabels": {"x": "y"}, "matchExpressions": [{"key": "app", "operator": "Exists"}]},
		"none": {},
		"null": null,
		"a string": "app=web",
	}
	workload := testing.replace_at(testing.with_replicas(2), ["spec", "selector"], selector)
	lines := manifest(testing.batch([workload, testing.service]))
	array.slice(lines, count(lines) - 2, count(lines)) == ["    matchLabels:", "      app: web"]
}

test_before_always_allow if {
	lines := manifest(testing.at_version(testing.batch([testing.with_replicas(2), testing.service]), 26))
	count([line | some line in lines; contains(line, "AlwaysAllow")]) == 0
}

test_kinds[note] if {
	some note, case in {
		"StatefulSet": [{"kind": "StatefulSet"}, {"warning"}],
		"DaemonSet": [{"kind": "DaemonSet"}, set()],
		"CloneSet": [{"kind": "CloneSet", "apiVersion": "apps.kruise.io/v1alpha1"}, {"warning"}],
		"DeploymentConfig": [{"kind": "DeploymentConfig", "apiVersion": "apps.openshift.io/v1"}, {"warning"}],
		"ReplicaSet": [{"kind": "ReplicaSet"}, {"warning"}],
		"ReplicationController": [{"kind": "ReplicationController", "apiVersion": "v1"}, {"warning"}],
		"Job": [{"kind": "Job", "apiVersion": "batch/v1"}, set()],
		"Rollout": [{"kind": "Rollout", "apiVersion": "argoproj.io/v1alpha1"}, {"warning"}],
	}
	levels([object.union(testing.with_replicas(2), case[0]), testing.service]) == case[1]
}

test_silent_on[note] if {
	some note, objects in {
		"a budget": [testing.with_replicas(2), testing.budget],
		"a budget for all": [testing.with_replicas(2), testing.replace_at(testing.budget, ["spec", "selector"], {})],
		"one pod": [testing.with_replicas(1)],
		"omitted": [testing.web],
		"null": [testing.with_replicas(null)],
		"an object": [testing.with_replicas({})],
		"a string": [testing.with_replicas("2")],
		"none": [testing.with_replicas(0)],
	}
	levels(array.concat([testing.service], objects)) == set()
}

test_the_floor_of_an_autoscaler if {
	levels([testing.web, testing.autoscaler, testing.service]) == {"warning"}
}

test_a_budget_for_others[note] if {
	some note, selector in {
		"of other labels": {"matchLabels": {"app": "api"}},
		"null selects none": null,
		"a string": "app=web",
	}
	budget := testing.replace_at(testing.budget, ["spec", "selector"], selector)
	levels([testing.with_replicas(2), testing.service, budget]) == {"warning"}
}

# Beside it and of its name, with labels that no pod has.
test_a_budget_with_wrong_labels if {
	budget := testing.set(testing.budget, ["spec", "selector"], {"matchLabels": {"team": "shop"}})
	batch := testing.batch([testing.with_replicas(3), testing.service, budget])
	got := {"violation": rule.violation, "fix": rule.fix, "related": rule.related} with input as batch
	at := {"document": 0, "path": []}
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat(" ", [
				`A node drain can evict all 3 pods of Deployment "web" at once: no PodDisruptionBudget selects them,`,
				`not even "web", which selects nothing.`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "assumes",
			"assumption": `PodDisruptionBudget "web" is meant for it.`,
			"patch": [{
				"op": "replace",
				"document": 2,
				"path": ["spec", "selector"],
				"value": {"matchLabels": {"app": "web"}},
			}],
		}},
		"related": {{"at": at, "places": [{"document": 1, "path": []}, {"document": 2, "path": []}]}},
	}
	fixed := rule.violation with input as testing.batch([
		testing.with_replicas(3),
		testing.service,
		testing.set(budget, ["spec", "selector"], {"matchLabels": {"app": "web"}}),
	])
	fixed == set()
}

test_levels[note] if {
	workload := testing.document(testing.with_replicas(2), "apps/web.yaml")
	service := testing.document(testing.service, "apps/service.yaml")
	some note, case in {
		"served": [[workload, service], {"warning"}],
		"a budget elsewhere": [[workload, service, testing.document(testing.budget, "far/pdb.yaml")], {"info"}],
		"perhaps served": [[workload, testing.document(testing.service, "far/service.yaml")], {"info"}],
		"not served": [[workload], set()],
		"a fragment": [[testing.fragment(workload.object, "apps/web.yaml"), service], set()],
	}
	violations := rule.violation with input as testing.batch_of(case[0])
	{violation.level | some violation in violations} == case[1]
}

test_unread if {
	batch := testing.with_unread_file(testing.batch([testing.with_replicas(2), testing.service]))
	violations := rule.violation with input as batch
	{violation.level | some violation in violations} == {"info"}
}
