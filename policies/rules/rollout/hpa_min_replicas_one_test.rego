package gracegate.rules.rollout["hpa-min-replicas-one_test"]

import data.gracegate.rules.rollout["hpa-min-replicas-one"] as rule
import data.gracegate.testing

hpa(spec) := object.union(testing.autoscaler, {"spec": spec})

keda(spec) := {
	"apiVersion": "keda.sh/v1alpha1",
	"kind": "ScaledObject",
	"metadata": {"name": "web"},
	"spec": object.union({"scaleTargetRef": {"name": "web"}}, spec),
}

found(objects) := {[violation.at.document, violation.level, violation.measure] | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_found if {
	at := {"document": 1, "path": ["spec", "minReplicas"]}
	batch := testing.batch([testing.web, hpa({"minReplicas": 1}), testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"level": "warning",
		"measure": 1,
		"message": concat(" ", [
			`HorizontalPodAutoscaler "web" can scale Deployment "web" down to one pod,`,
			"and none can serve while that is drained or restarted: minReplicas is 1.",
		]),
	}}
	{[fix.at, fix.patch] | some fix in got.fix} == {[at, [{"op": "replace", "path": at.path, "value": 2}]]}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_floors[note] if {
	omitted := testing.remove_at(testing.autoscaler, ["spec", "minReplicas"])
	some note, case in {
		"omitted": [omitted, {[1, "warning", 1]}],
		"null": [hpa({"minReplicas": null}), {[1, "warning", 1]}],
		"a string": [hpa({"minReplicas": "1"}), set()],
		"an object": [hpa({"minReplicas": {}}), set()],
		"a variable": [hpa({"minReplicas": "${LEAST}"}), set()],
		"zero": [hpa({"minReplicas": 0}), {[1, "info", 2]}],
		"two": [hpa({"minReplicas": 2}), set()],
		"less than none": [hpa({"minReplicas": -1}), set()],
		"KEDA's default": [keda({}), {[1, "warning", 2]}],
		"KEDA to none on purpose": [keda({"minReplicaCount": 0}), {[1, "info", 2]}],
		"KEDA to one": [keda({"minReplicaCount": 1}), {[1, "warning", 1]}],
		"KEDA to two": [keda({"minReplicaCount": 2}), set()],
		"KEDA to none when idle": [keda({"minReplicaCount": 2, "idleReplicaCount": 0}), {[1, "info", 2]}],
		"KEDA with null for idle": [keda({"minReplicaCount": 2, "idleReplicaCount": null}), set()],
		"an HPA has no such field": [hpa({"minReplicas": 2, "idleReplicaCount": 0}), set()],
		"of another kind": [hpa({"minReplicas": 1, "scaleTargetRef": {"kind": "StatefulSet"}}), set()],
		"no target": [testing.remove_at(omitted, ["spec", "scaleTargetRef"]), set()],
		"a target that is a string": [testing.replace_at(omitted, ["spec", "scaleTargetRef"], "web"), set()],
		"a spec that is a string": [testing.replace_at(omitted, ["spec"], "web"), set()],
	}
	found([testing.web, case[0], testing.service]) == case[1]
}

test_not_set if {
	violations := rule.violation with input as testing.batch([testing.web, keda({}), testing.service])
	{violation.message | some violation in violations} == {concat(" ", [
		`ScaledObject "web" can scale Deployment "web" down to no pod at all:`,
		"minReplicaCount is not set and defaults to 0.",
	])}
	fixes := rule.fix with input as testing.batch([testing.web, keda({}), testing.service])
	{step.op | some fix in fixes; some step in fix.patch} == {"add"}
}

test_none_when_idle[note] if {
	some note, case in {
		"two under load": [2, [["remove", "idleReplicaCount"]]],
		"one under load": [1, [["remove", "idleReplicaCount"], ["replace", "minReplicaCount"]]],
	}
	scaler := keda({"minReplicaCount": case[0], "idleReplicaCount": 0})
	batch := testing.batch([testing.web, scaler, testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	{violation.message | some violation in got.violation} == {concat(" ", [
		`ScaledObject "web" can scale Deployment "web" down to no pod at all:`,
		"idleReplicaCount is 0.",
	])}
	[[step.op, step.path[1]] | some fix in got.fix; some step in fix.patch] == case[1]
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

# The API server rejects a floor above the ceiling.
test_a_low_ceiling if {
	low := hpa({"minReplicas": 1, "maxReplicas": 1})
	fixes := rule.fix with input as testing.batch([testing.web, low, testing.service])
	{fix.class | some fix in fixes} == {"text"}
}

test_another_autoscaler_has_a_higher_floor if {
	found([testing.web, hpa({"minReplicas": 1}), testing.service, keda({"minReplicaCount": 3})]) == set()
}

test_another_version_beside_it if {
	other := testing.replace_at(testing.with_replicas(1), ["metadata", "name"], "web-v2")
	found([testing.web, hpa({"minReplicas": 1}), testing.service, other]) == set()
}

test_levels[note] if {
	workload := testing.document(testing.web, "apps/web.yaml")
	scaler := testing.document(hpa({"minReplicas": 1}), "apps/hpa.yaml")
	service := testing.document(testing.service, "apps/service.yaml")
	some note, case in {
		"served": [[workload, scaler, service], {"warning"}],
		"perhaps": [[workload, scaler, testing.document(testing.service, "other/service.yaml")], {"info"}],
		"not served": [[workload, scaler], set()],
		"the workload is only a fact": [[testing.fact(testing.web, "apps/web.yaml"), scaler, service], {"warning"}],
		"the autoscaler is only a fact": [[workload, testing.fact(scaler.object, "apps/hpa.yaml"), service], set()],
		"elsewhere": [[workload, testing.document(scaler.object, "far/hpa.yaml"), service], set()],
	}
	violations := rule.violation with input as testing.batch_of(case[0])
	{violation.level | some violation in violations} == case[1]
}
