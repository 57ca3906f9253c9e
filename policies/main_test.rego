package gracegate.main_test

import data.gracegate.main
import data.gracegate.testing

ids := ["prestop-drain-missing", "grace-period-exhausted"]

without_drain := testing.remove_at(testing.web, testing.inside(["lifecycle"]))

batch_for(documents) := object.union(testing.batch_of(documents), {"rules": ids})

test_no_violations if {
	report := main.report with input as batch_for([]) with data.gracegate_release as {"digest": "d"}
	report == {"digest": "d", "rules": ids, "violations": set()}
}

test_undefined_without_a_digest if {
	not main.report with input as batch_for([]) with data.gracegate_release as {}
}

test_an_unknown_rule_is_not_evaluated if {
	batch := object.union(batch_for([]), {"rules": ["nope", "prestop-drain-missing"]})
	report := main.report with input as batch with data.gracegate_release as {"digest": "d"}
	report.rules == ["prestop-drain-missing"]
}

test_only_requested_rules if {
	documents := [testing.document(without_drain, "a/b"), testing.document(testing.service, "a/c")]
	batch := object.union(batch_for(documents), {"rules": []})
	report := main.report with input as batch with data.gracegate_release as {"digest": "d"}
	report.violations == set()
}

test_a_violation_with_its_fix if {
	batch := batch_for([testing.document(without_drain, "a/b"), testing.document(testing.service, "a/c")])
	report := main.report with input as batch with data.gracegate_release as {"digest": "d"}
	{[found.rule, found.fix.patch[0].op] | some found in report.violations} == {["prestop-drain-missing", "add"]}
}

test_a_rule_without_fix if {
	bare := {"none": {"bare": {"violation": {{"at": {"document": 0, "path": []}, "message": "m"}}}}}
	batch := object.union(testing.batch_of([testing.document({}, "a/b")]), {"rules": ["bare"]})
	report := main.report with input as batch with data.gracegate_release as {"digest": "d"}
		with data.gracegate.rules as bare
	report.violations == {{"rule": "bare", "at": {"document": 0, "path": []}, "message": "m"}}
}

test_facts_are_not_reported if {
	bare := {"none": {"bare": {"violation": {{"at": {"document": 0, "path": []}, "message": "m"}}}}}
	batch := object.union(testing.batch_of([testing.fact({}, "a/b")]), {"rules": ["bare"]})
	report := main.report with input as batch with data.gracegate_release as {"digest": "d"}
		with data.gracegate.rules as bare
	report.violations == set()
}

test_rollouts_if_asked if {
	documents := [testing.document(testing.web, "a/b"), testing.document(testing.service, "a/c")]
	batch := object.union(batch_for(documents), {"rules": [], "rollouts": true})
	report := main.report with input as batch with data.gracegate_release as {"digest": "d"}
	{found.document | some found in report.rollouts} == {0}
}
