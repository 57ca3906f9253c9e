package gracegate.rules.termination["prestop-sleep-unsupported_test"]

import data.gracegate.rules.termination["grace-period-exhausted"] as exhausted
import data.gracegate.rules.termination["prestop-sleep-unsupported"] as rule
import data.gracegate.testing

hook := testing.inside(["lifecycle", "preStop"])

grace := ["spec", "template", "spec", "terminationGracePeriodSeconds"]

sleep(seconds) := {"sleep": {"seconds": seconds}}

web(action) := testing.with_container(["lifecycle", "preStop"], action)

batch_for(action) := testing.batch([web(action)])

why(batch) := {violation.message | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_longer_than_the_grace_period if {
	at := {"document": 0, "path": array.concat(hook, ["sleep", "seconds"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch_for(sleep(45))
	got == {
		"violation": {{
			"at": at,
			"message": concat("", [
				`The API server rejects container "web": `,
				"its preStop hook sleeps 45 s, longer than the grace period of 30 s.",
			]),
		}},
		"fix": {{"at": at, "patch": [{
			"op": "add",
			"path": grace,
			"value": 60,
			"reason": "preStop (45 s) and shutdown (10 s) have to fit",
		}]}},
	}
}

test_silent_on[note] if {
	some note, batch in {
		"a sleep": batch_for(sleep(10)),
		"as long as the grace period": batch_for(sleep(30)),
		"longer than a grace period of a fragment": testing.batch_of([
			testing.fragment(web(sleep(60)), "a/b"),
		]),
		"0 from 1.33 on": testing.at_version(batch_for(sleep(0)), 33),
		"nothing from 1.33 on": testing.at_version(batch_for(sleep(null)), 33),
		"a program": batch_for({"exec": {"command": ["sleep", "60"]}}),
		"a sleep that is no object": batch_for({"sleep": 10}),
		"two hooks in one": testing.at_version(batch_for(object.union(sleep(5), {"httpGet": {"port": 80}})), 29),
		"null": batch_for(null),
		"no hook": testing.batch([testing.remove_at(testing.web, testing.inside(["lifecycle"]))]),
		"of somebody else": testing.batch_of([testing.fact(web(sleep(60)), "a/b")]),
		"no time at all, which another rule reports": testing.batch([testing.set(web(sleep(10)), grace, 0)]),
	}
	why(batch) == set()
}

test_rejected[note] if {
	some note, case in {
		"negative": [sleep(-5), "sleeps for -5 s"],
		"0": [sleep(0), "sleeps for 0 s, which Kubernetes 1.30 rejects"],
		"null": [sleep(null), "sleeps for 0 s, which Kubernetes 1.30 rejects"],
		"omitted": [{"sleep": {}}, "sleeps for 0 s, which Kubernetes 1.30 rejects"],
		"a string": [sleep("10"), "sleeps for a time that is not a whole number"],
		"a fraction": [sleep(0.5), "sleeps for a time that is not a whole number"],
		"a boolean": [sleep(true), "sleeps for a time that is not a whole number"],
		"a list": [sleep([]), "sleeps for a time that is not a whole number"],
		"huge": [sleep(9e18), "sleeps for a time that is not a whole number"],
	}
	why(batch_for(case[0])) == {concat("", [`The API server rejects container "web": its preStop hook `, case[1], "."])}
	fixes := rule.fix with input as batch_for(case[0])
	[fix.class | some fix in fixes] == ["text"]
	served := object.union(
		testing.batch([web(case[0]), testing.service]),
		{"cluster": {"least_drain_seconds": {}}},
	)
	steps := [step.value | some fix in rule.fix; some step in fix.patch] with input as served
	steps == [10]
}

test_ignored_before_native_sleep if {
	at := {"document": 0, "path": array.concat(hook, ["sleep"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.at_version(batch_for(sleep(10)), 29)
	got == {
		"violation": {{
			"at": at,
			"message": concat("", [
				`Container "web" never drains: `,
				"its preStop hook is a native sleep, which Kubernetes 1.29 ignores.",
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "replace", "path": hook, "value": {"exec": {"command": ["sleep", "10"]}}}]}},
	}
}

test_by_version[note] if {
	some note, case in {"28": [28, 1], "29": [29, 1], "30": [30, 0], "34": [34, 0], "37": [37, 0]}
	count(why(testing.at_version(batch_for(sleep(10)), case[0]))) == case[1]
}

test_no_program_to_sleep_with if {
	workload := testing.set(web(sleep(10)), testing.inside(["image"]), "scratch")
	fixes := rule.fix with input as testing.at_version(testing.batch([workload]), 29)
	[fix.class | some fix in fixes] == ["text"]
	some fix in fixes
	contains(fix.advice, "min_kubernetes_version")
}

test_post_start[note] if {
	some note, case in {
		"ignored": [sleep(5), 29, [["sleep"], {"exec": {"command": ["sleep", "5"]}}]],
		"ignored and wrong": [sleep(-5), 29, [["sleep"], null]],
		"refused": [sleep(0), 30, [["sleep", "seconds"], null]],
		"too long": [sleep(31), 30, [["sleep", "seconds"], null]],
	}
	workload := testing.with_container(["lifecycle"], {"postStart": case[0]})
	batch := testing.at_version(testing.batch([workload]), case[1])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	[array.slice(violation.at.path, 7, 9) | some violation in got.violation] == [case[2][0]]
	[object.get(fix, ["patch", 0, "value"], null) | some fix in got.fix] == [case[2][1]]
}

test_a_sidecar_and_a_job_too if {
	sidecar := {"name": "x", "image": "x", "restartPolicy": "Always", "lifecycle": {"preStop": sleep(-1)}}
	workload := testing.set(testing.web, ["spec", "template", "spec", "initContainers"], [sidecar])
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([object.union(
		workload,
		{"apiVersion": "batch/v1", "kind": "Job"},
	)])
	[violation.at.path[3] | some violation in got.violation] == ["initContainers"]
	[fix.class | some fix in got.fix] == ["text"]
}

test_fixed_is_clean_for_the_next_rule if {
	batch := batch_for(sleep(45))
	fixes := rule.fix with input as batch
	fixed := object.union(batch, testing.fixed_documents(batch, fixes))
	rule.violation | exhausted.violation == set() with input as fixed
	exhausted.violation == set() with input as batch
}
