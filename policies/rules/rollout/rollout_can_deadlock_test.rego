package gracegate.rules.rollout["rollout-can-deadlock_test"]

import data.gracegate.rules.rollout["rollout-can-deadlock"] as rule
import data.gracegate.testing

mounting := testing.with_volume(testing.web)

rolling(manifest, written) := testing.set(manifest, ["spec", "strategy"], {"rollingUpdate": written})

levels(objects) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.batch(array.concat([testing.service], objects))
}

test_one_pod_may_mount if {
	at := {
		"document": 0,
		"path": ["spec", "template", "spec", "volumes", 0, "persistentVolumeClaim", "claimName"],
	}
	batch := testing.batch([mounting, testing.pvc(["ReadWriteOncePod"]), testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"level": "error",
		"message": concat(" ", [
			`A rollout of Deployment "web" can hang: only one pod can mount claim "data" (ReadWriteOncePod),`,
			"and no old pod stops before a new one is ready.",
		]),
	}}
	{fix.class | some fix in got.fix; fix.at == at} == {"text"}
}

test_modes[note] if {
	some note, case in {
		"one node": [["ReadWriteOnce"], {"warning"}],
		"many": [["ReadWriteMany"], set()],
		"not known": [[], {"info"}],
	}
	levels([mounting, testing.pvc(case[0])]) == case[1]
}

test_a_scarce_resource if {
	path := testing.inside(["resources"])
	workload := testing.set(testing.web, path, {"limits": {"cpu": 1, "nvidia.com/gpu": 1}})
	violations := rule.violation with input as testing.batch([workload, testing.service])
	violations == {{
		"at": {"document": 0, "path": array.concat(path, ["limits", "nvidia.com/gpu"])},
		"level": "info",
		"message": concat(" ", [
			`A rollout of Deployment "web" can hang: one more pod needs another nvidia.com/gpu,`,
			"and no old pod stops before a new one is ready.",
		]),
	}}
}

test_updates[note] if {
	some note, case in {
		"the defaults": [mounting, {"warning"}],
		"the defaults, written": [rolling(mounting, {"maxUnavailable": "25%", "maxSurge": "25%"}), {"warning"}],
		"nulls": [rolling(mounting, {"maxUnavailable": null}), {"warning"}],
		"null": [testing.set(mounting, ["spec", "strategy"], null), {"warning"}],
		"a null update": [rolling(mounting, null), {"warning"}],
		"an empty strategy": [testing.set(mounting, ["spec", "strategy"], {}), {"warning"}],
		"a string for a strategy": [testing.set(mounting, ["spec", "strategy"], "x"), set()],
		"the old one goes first": [rolling(mounting, {"maxUnavailable": 1}), set()],
		"no surge": [rolling(mounting, {"maxSurge": 0, "maxUnavailable": 1}), set()],
		"four take one away": [testing.set(mounting, ["spec", "replicas"], 4), set()],
		"no pods": [testing.set(mounting, ["spec", "replicas"], 0), set()],
		"Recreate": [testing.set(mounting, ["spec", "strategy"], {"type": "Recreate"}), set()],
		"a StatefulSet": [object.union(mounting, {"kind": "StatefulSet"}), set()],
		"no claim": [testing.web, set()],
		"a DeploymentConfig": [
			object.union(mounting, {"apiVersion": "apps.openshift.io/v1", "kind": "DeploymentConfig"}),
			{"warning"},
		],
	}
	levels([case[0], testing.pvc(["ReadWriteOnce"])]) == case[1]
}

port := testing.with_container(["ports", 0, "hostPort"], 80)

test_a_port_of_the_node if {
	at := {"document": 0, "path": testing.inside(["ports", 0, "hostPort"])}
	batch := testing.batch([testing.set(port, ["spec", "replicas"], 3), testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"level": "warning",
		"message": concat(" ", [
			`A rollout of Deployment "web" can hang: only one pod per node can use port 80,`,
			"and no old pod stops before a new one is ready.",
		]),
	}}
	{fix.assumption | some fix in got.fix; fix.at == at} == {"2 pods are enough during a rollout."}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_one_pod_on_a_port if {
	fixes := rule.fix with input as testing.batch([port, testing.service])
	{fix.class | some fix in fixes} == {"text"}
}

test_with_exclusive_nodes if {
	violations := rule.violation with input as testing.batch([testing.with_anti_affinity(testing.web), testing.service])
	{[violation.level, violation.message] | some violation in violations} == {["warning", concat(" ", [
		`A rollout of Deployment "web" can hang: its anti-affinity allows one pod per node,`,
		"and no old pod stops before a new one is ready.",
	])]}
}

test_a_rollout_of_a_deployment if {
	rollout := {
		"apiVersion": "argoproj.io/v1alpha1",
		"kind": "Rollout",
		"metadata": {"name": "web"},
		"spec": {
			"replicas": 2,
			"strategy": {"canary": {}},
			"workloadRef": {"kind": "Deployment", "name": "web"},
		},
	}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([port, rollout, testing.service])
	{[violation.at.document, violation.level] | some violation in got.violation} == {[0, "warning"]}
	{[step.document, step.path] | some fix in got.fix; some step in fix.patch} == {
		[1, ["spec", "strategy", "canary", "maxSurge"]],
		[1, ["spec", "strategy", "canary", "maxUnavailable"]],
	}
}

test_levels[note] if {
	some note, case in {
		"one pod, served": ["ReadWriteOncePod", "apps", {"error"}],
		"one pod, perhaps": ["ReadWriteOncePod", "far", {"warning"}],
		"one node, perhaps": ["ReadWriteOnce", "far", {"info"}],
		"not known, perhaps": ["", "far", {"info"}],
	}
	violations := rule.violation with input as testing.batch_of([
		testing.document(mounting, "apps/web.yaml"),
		testing.document(testing.pvc([case[0]]), "apps/claim.yaml"),
		testing.document(testing.service, concat("/", [case[1], "service.yaml"])),
	])
	{violation.level | some violation in violations} == case[2]
}

test_not_served if {
	violations := rule.violation with input as testing.batch([mounting, testing.pvc(["ReadWriteOncePod"])])
	violations == set()
}
