package gracegate.rules.termination["grace-period-zero_test"]

import data.gracegate.rules.termination["grace-period-exhausted"] as exhausted
import data.gracegate.rules.termination["grace-period-zero"] as rule
import data.gracegate.rules.termination["prestop-sleep-unsupported"] as unsupported
import data.gracegate.testing

grace := ["spec", "template", "spec", "terminationGracePeriodSeconds"]

bare := testing.remove_at(testing.web, testing.inside(["lifecycle"]))

web(seconds) := testing.set(bare, grace, seconds)

found(objects) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_no_time_at_all if {
	at := {"document": 0, "path": grace}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([web(0), testing.service])
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat("", [
				`Pods of Deployment "web" are killed at once: a grace period of 0 s leaves no time for preStop hooks `,
				"or for requests in flight.",
			]),
		}},
		"fix": {{"at": at, "patch": [{
			"op": "replace",
			"path": grace,
			"value": 30,
			"reason": "preStop (10 s) and shutdown (10 s) have to fit",
		}]}},
	}
}

test_silent_on[note] if {
	some note, seconds in {
		"1": 1,
		"null": null,
		"string": "0",
		"empty": "",
		"object": {},
		"list": [],
		"true": true,
		"negative": -1,
	}
	found([web(seconds), testing.service]) == set()
}

test_silent_on_omitted_fields if found([bare, testing.service]) == set()

test_silent_on_other_kinds[note] if {
	some note, other in {
		"a Job": object.union(web(0), {"apiVersion": "batch/v1", "kind": "Job"}),
		"a bare Pod": {
			"apiVersion": "v1",
			"kind": "Pod",
			"metadata": bare.spec.template.metadata,
			"spec": web(0).spec.template.spec,
		},
	}
	found([other, testing.service]) == set()
}

test_silent_on_fragments if {
	rule.violation == set() with input as testing.batch_of([testing.fragment(web(0), "apps/web.yaml")])
}

test_levels[note] if {
	agent := testing.set(object.union(web(0), {"kind": "DaemonSet"}), ["spec", "template", "spec", "hostNetwork"], true)
	some note, case in {
		"not served": [[web(0)], "warning"],
		"for metrics": [[web(0), testing.set(testing.service, ["spec", "ports", 0, "name"], "metrics")], "warning"],
		"an agent": [[agent], "info"],
		"a served agent": [[agent, testing.service], "error"],
		"another DaemonSet": [[object.union(web(0), {"kind": "DaemonSet"})], "warning"],
	}
	found(case[0]) == {case[1]}
}

test_unknown if {
	violations := rule.violation with input as testing.with_unread_file(testing.batch([web(0)]))
	{violation.level | some violation in violations} == {"warning"}
}

test_lost_requests_or_work if {
	messages := {violation.message | some violation in rule.violation} with input as testing.batch([web(0)])
	messages == {concat("", [
		`Pods of Deployment "web" are killed at once: a grace period of 0 s leaves no time for preStop hooks `,
		"or for work in progress.",
	])}
}

test_a_native_sleep_is_rejected_and_reported_once if {
	workload := testing.set(testing.web, grace, 0)
	got := {
		"violation": rule.violation,
		"fix": rule.fix,
		"unsupported": unsupported.violation,
		"exhausted": exhausted.violation,
	} with input as testing.batch([workload])
	{[violation.level, violation.message] | some violation in got.violation} == {["error", concat("", [
		`The API server rejects Deployment "web": container "web" sleeps 10 s in preStop, `,
		"longer than the grace period of 0 s.",
	])]}
	{step.value | some fix in got.fix; some step in fix.patch} == {30}
	got.unsupported | got.exhausted == set()
}

test_before_native_sleep_nothing_is_rejected if {
	workload := testing.set(testing.web, grace, 0)
	violations := rule.violation with input as testing.at_version(testing.batch([workload]), 29)
	{violation.level | some violation in violations} == {"warning"}
}

test_an_exec_hook_is_reported_once if {
	workload := testing.set(web(0), testing.inside(["lifecycle"]), {"preStop": {"exec": {"command": ["sleep", "60"]}}})
	found([workload]) == {"warning"}
	exhausted.violation == set() with input as testing.batch([workload])
	fixes := rule.fix with input as testing.batch([workload])
	{step.value | some fix in fixes; some step in fix.patch} == {75}
}
