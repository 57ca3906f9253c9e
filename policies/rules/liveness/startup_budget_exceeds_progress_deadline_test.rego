package gracegate.rules.liveness["startup-budget-exceeds-progress-deadline_test"]

import data.gracegate.rules.liveness["startup-budget-exceeds-progress-deadline"] as rule
import data.gracegate.testing

startup := testing.inside(["startupProbe"])

deadline := ["spec", "progressDeadlineSeconds"]

ask := {"httpGet": {"path": "/live", "port": "http"}}

# A Deployment with this startupProbe, and these fields in its spec.
web(probe, fields) := object.union(testing.with_container(["startupProbe"], object.union(ask, probe)), {"spec": fields})

found(batch) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_longer_than_the_default if {
	at := {"document": 0, "path": startup}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([web({"failureThreshold": 90}, {})])
	got == {
		"violation": {{
			"at": at,
			"measure": 300,
			"message": concat(" ", [
				`The rollout of Deployment "web" is declared failed after 600 s,`,
				`but its container "web" may take 900 s to start.`,
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "add", "path": deadline, "value": 1140}]}},
	}
}

test_includes_min_ready_seconds if {
	batch := testing.batch([web({"failureThreshold": 9}, {"progressDeadlineSeconds": 100, "minReadySeconds": 30})])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	{[violation.measure, violation.message] | some violation in got.violation} == {[20, concat(" ", [
		`The rollout of Deployment "web" is declared failed after 100 s,`,
		`but its container "web" may take 90 s to start, and counts as available 30 s later.`,
	])]}
	[step | some fix in got.fix; some step in fix.patch] == [{"op": "replace", "path": deadline, "value": 180}]
}

test_silent_on[note] if {
	some note, workload in {
		"defaults": web({}, {}),
		"a second less": web({"failureThreshold": 1, "periodSeconds": 599}, {}),
		"a long deadline": web({"failureThreshold": 90}, {"progressDeadlineSeconds": 901}),
		"a deadline of decades": web({"failureThreshold": 90}, {"progressDeadlineSeconds": 2147483647}),
		"no probes": testing.remove_at(testing.web, testing.inside(["readinessProbe"])),
		"a probe without a handler": testing.with_container(["startupProbe"], {"failureThreshold": 90}),
		"a probe that is a string": testing.with_container(["startupProbe"], "http"),
		"wrong types": web({"failureThreshold": "90"}, {"progressDeadlineSeconds": "100", "minReadySeconds": []}),
		"what is refused anyway": web({}, {"progressDeadlineSeconds": 60, "minReadySeconds": 60}),
		"a StatefulSet": object.union(web({"failureThreshold": 90}, {}), {"kind": "StatefulSet"}),
		"a Job": object.union(web({"failureThreshold": 90}, {}), {"apiVersion": "batch/v1", "kind": "Job"}),
		"a spec that is a string": {"apiVersion": "apps/v1", "kind": "Deployment", "spec": "web"},
		"a spec that is null": {"apiVersion": "apps/v1", "kind": "Deployment", "spec": null},
	}
	found(testing.batch([workload])) == set()
}

test_silent_on_fragments_of_workloads if {
	found(testing.batch_of([testing.fragment(web({"failureThreshold": 90}, {}), "a/b")])) == set()
}

test_defaults[note] if {
	some note, fields in {
		"absent": {},
		"default": {"progressDeadlineSeconds": 600, "minReadySeconds": 0},
		"null": {"progressDeadlineSeconds": null, "minReadySeconds": null},
	}
	found(testing.batch([web({"failureThreshold": 60}, fields)])) == {startup}
}

test_silent_on_unknown_numbers[note] if {
	some note, case in {
		"deadline": [60, {"progressDeadlineSeconds": "${DEADLINE}"}],
		"ready": [60, {"minReadySeconds": {}}],
		"threshold": ["$TRIES", {}],
	}
	found(testing.batch([web({"failureThreshold": case[0]}, case[1])])) == set()
}

test_waits_for_ready[note] if {
	some note, case in {
		"before liveness": ["livenessProbe", object.union(ask, {"initialDelaySeconds": 600})],
		"before readiness": ["readinessProbe", object.union(ask, {"initialDelaySeconds": 700})],
	}
	path := testing.inside([case[0], "initialDelaySeconds"])
	found(testing.batch([testing.with_container([case[0]], case[1])])) == {path}
}

test_the_slowest_container if {
	side := {"name": "side", "image": "x", "startupProbe": object.union(ask, {"failureThreshold": 100})}
	workload := testing.set(web({"failureThreshold": 90}, {}), ["spec", "template", "spec", "containers", 1], side)
	violations := rule.violation with input as testing.batch([workload])
	{violation.at.path[4] | some violation in violations} == {1}
}

test_pods_of_a_rollout if {
	lender := testing.set(web({"failureThreshold": 90}, {}), ["spec", "replicas"], 0)
	rollout := {
		"apiVersion": "argoproj.io/v1alpha1",
		"kind": "Rollout",
		"metadata": {"name": "web"},
		"spec": {"workloadRef": {"kind": "Deployment", "name": "web"}},
	}
	violations := rule.violation with input as testing.batch([lender, rollout])
	{violation.at | some violation in violations} == {{"document": 1, "path": deadline}}
}

test_fixed[note] if {
	some note, case in {
		"default": [{"failureThreshold": 60}, {}],
		"short": [{"periodSeconds": 1, "failureThreshold": 10}, {"progressDeadlineSeconds": 5}],
		"available later": [{"failureThreshold": 50}, {"minReadySeconds": 100}],
	}
	batch := testing.batch([web(case[0], case[1])])
	fixes := rule.fix with input as batch
	count(fixes) == 1
	found(object.union(batch, testing.fixed_documents(batch, fixes))) == set()
}
