package gracegate.rules.rollout["single-replica_test"]

import data.gracegate.rules.rollout["single-replica"] as rule
import data.gracegate.testing

levels(objects) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_found if {
	at := {"document": 0, "path": ["spec", "replicas"]}
	batch := testing.batch([testing.with_replicas(1), testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"level": "warning",
		"message": `Requests fail whenever the only pod of Deployment "web" is drained or restarted: replicas is 1.`,
	}}
	{[fix.at, fix.patch] | some fix in got.fix} == {[at, [{"op": "replace", "path": at.path, "value": 2}]]}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_replicas[note] if {
	some note, case in {
		"omitted": [testing.web, ["spec"], "add"],
		"null": [testing.with_replicas(null), ["spec", "replicas"], "replace"],
	}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([case[0], testing.service])
	{[violation.at.path, violation.level] | some violation in got.violation} == {[case[1], "info"]}
	{step.op | some fix in got.fix; some step in fix.patch} == {case[2]}
	{violation.message | some violation in got.violation} == {concat(" ", [
		`Requests fail whenever the only pod of Deployment "web" is drained or restarted:`,
		"replicas is not set and defaults to 1.",
	])}
}

# They keep state of their own, so a second pod may not help.
test_state[note] if {
	some note, workload in {
		"a StatefulSet": object.union(testing.with_replicas(1), {"kind": "StatefulSet"}),
		"a volume": testing.with_volume(testing.with_replicas(1)),
		"a database": testing.replace_at(testing.with_replicas(1), testing.inside(["image"]), "quay.io/x/postgresql-15:1"),
	}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([workload, testing.service])
	{violation.level | some violation in got.violation} == {"info"}
	{fix.class | some fix in got.fix} == {"text"}
}

test_silent_on[note] if {
	some note, objects in {
		"two": [testing.with_replicas(2)],
		"none": [testing.with_replicas(0)],
		"an autoscaler": [testing.with_replicas(1), testing.autoscaler],
		"a DaemonSet": [object.union(testing.web, {"kind": "DaemonSet"})],
		"a bare pod": [{
			"apiVersion": "v1",
			"kind": "Pod",
			"metadata": {"name": "web", "labels": {"app": "web"}},
			"spec": testing.web.spec.template.spec,
		}],
		"a Job": [object.union(testing.web, {"apiVersion": "batch/v1", "kind": "Job"})],
		"a volume that one pod may mount": [testing.with_volume(testing.with_replicas(1)), testing.pvc(["ReadWriteOncePod"])],
		"another version beside it": [
			testing.with_replicas(1),
			testing.replace_at(testing.with_replicas(1), ["metadata", "name"], "web-v2"),
		],
		"an odd object": [object.union(testing.web, {"spec": "x"})],
	}
	levels(array.concat([testing.service], objects)) == set()
}

test_uncertain_selection[note] if {
	workload := testing.document(testing.with_replicas(1), "apps/web.yaml")
	service := testing.document(testing.service, "apps/service.yaml")
	scraped := testing.set(testing.service, ["spec", "ports"], [{"name": "metrics", "port": 9090}])
	some note, case in {
		"none": [[workload, service], {"warning"}],
		"an overlay": [[workload, service, testing.fragment(testing.with_replicas(3), "prod/web.yaml")], {"info"}],
		"an autoscaler elsewhere": [[workload, service, testing.document(testing.autoscaler, "prod/hpa.yaml")], {"info"}],
		"a Service elsewhere": [[workload, testing.document(testing.service, "prod/service.yaml")], {"info"}],
		"metrics only": [[workload, testing.document(scraped, "apps/service.yaml")], {"info"}],
		"no Service": [[workload], set()],
		"a fragment": [[testing.fragment(testing.with_replicas(1), "apps/web.yaml"), service], set()],
	}
	violations := rule.violation with input as testing.batch_of(case[0])
	{violation.level | some violation in violations} == case[1]
}

# An Argo Rollout runs the pods of a Deployment, and sets their number itself.
test_a_rollout_of_a_deployment if {
	rollout := {
		"apiVersion": "argoproj.io/v1alpha1",
		"kind": "Rollout",
		"metadata": {"name": "web"},
		"spec": {"replicas": 1, "workloadRef": {"kind": "Deployment", "name": "web"}},
	}
	violations := rule.violation with input as testing.batch([testing.with_replicas(0), rollout, testing.service])
	{[violation.at.document, violation.level] | some violation in violations} == {[1, "warning"]}
}
