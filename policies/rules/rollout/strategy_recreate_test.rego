package gracegate.rules.rollout["strategy-recreate_test"]

import data.gracegate.rules.rollout["strategy-recreate"] as rule
import data.gracegate.testing

strategy := ["spec", "strategy"]

recreated(manifest) := testing.set(manifest, strategy, {"type": "Recreate"})

levels(objects) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_found if {
	at := {"document": 0, "path": ["spec", "strategy", "type"]}
	batch := testing.batch([recreated(testing.with_replicas(3)), testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"level": "warning",
		"message": `A rollout of Deployment "web" stops all 3 pods before it starts new ones: its strategy is Recreate.`,
	}}
	[step.value | some fix in got.fix; some step in fix.patch] == ["RollingUpdate", {"maxSurge": 1, "maxUnavailable": 0}]
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_both_pods if {
	workload := recreated(testing.with_replicas(2))
	violations := rule.violation with input as testing.batch([workload, testing.service])
	{violation.message | some violation in violations} == {concat(" ", [
		`A rollout of Deployment "web" stops both pods before it starts new ones:`,
		"its strategy is Recreate.",
	])}
}

test_the_only_pod if {
	violations := rule.violation with input as testing.batch([recreated(testing.web), testing.service])
	{violation.message | some violation in violations} == {concat(" ", [
		`A rollout of Deployment "web" stops the only pod before it starts new ones:`,
		"its strategy is Recreate.",
	])}
}

test_a_variable_number_of_pods if {
	workload := recreated(testing.with_replicas("${REPLICAS}"))
	violations := rule.violation with input as testing.batch([workload, testing.service])
	{violation.message | some violation in violations} == {concat(" ", [
		`A rollout of Deployment "web" stops all pods before it starts new ones:`,
		"its strategy is Recreate.",
	])}
}

# Pods that need a node each find no node while the old ones run.
test_with_exclusive_nodes if {
	batch := testing.batch([recreated(testing.with_anti_affinity(testing.with_replicas(3))), testing.service])
	fixes := rule.fix with input as batch
	{step.value | some fix in fixes; some step in fix.patch} == {"RollingUpdate", {"maxSurge": 0, "maxUnavailable": 1}}
}

test_silent_on[note] if {
	some note, workload in {
		"the default": testing.with_replicas(2),
		"null": testing.set(testing.web, strategy, null),
		"an empty strategy": testing.set(testing.web, strategy, {}),
		"a string": testing.set(testing.web, strategy, "Recreate"),
		"a null type": testing.set(testing.web, strategy, {"type": null}),
		"a rolling update": testing.set(testing.web, strategy, {"type": "RollingUpdate"}),
		"no pods": recreated(testing.with_replicas(0)),
		"a volume that one node may mount": recreated(testing.with_volume(testing.web)),
		"one pod that needs the node": recreated(testing.with_anti_affinity(testing.web)),
		"a StatefulSet": object.union(recreated(testing.web), {"kind": "StatefulSet"}),
	}
	levels([workload, testing.service, testing.pvc(["ReadWriteOnce"])]) == set()
}

test_a_volume_for_all if {
	levels([recreated(testing.with_volume(testing.web)), testing.service, testing.pvc(["ReadWriteMany"])]) == {"warning"}
}

test_a_deployment_config if {
	config := object.union(recreated(testing.web), {"apiVersion": "apps.openshift.io/v1", "kind": "DeploymentConfig"})
	levels([config, testing.service]) == {"warning"}
}

test_levels[note] if {
	workload := testing.document(recreated(testing.web), "apps/web.yaml")
	some note, case in {
		"served": [[workload, testing.document(testing.service, "apps/service.yaml")], {"warning"}],
		"perhaps": [[workload, testing.document(testing.service, "other/service.yaml")], {"info"}],
		"not served": [[workload], set()],
		"a fragment": [
			[testing.fragment(workload.object, "apps/web.yaml"), testing.document(testing.service, "apps/service.yaml")],
			set(),
		],
	}
	violations := rule.violation with input as testing.batch_of(case[0])
	{violation.level | some violation in violations} == case[1]
}
