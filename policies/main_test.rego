package gracegate.main_test

import data.gracegate.main
import data.gracegate.testing

ids := ["prestop-drain-missing", "grace-period-exhausted"]

undrained := testing.drop(testing.web, testing.inside(["lifecycle"]))

asked(documents) := object.union(testing.questions(documents), {"rules": ids})

test_nothing_found_is_an_answer if {
	report := main.report with input as asked([]) with data.gracegate_release as {"digest": "d"}
	report == {"digest": "d", "rules": ids, "violations": set()}
}

test_no_digest_is_no_answer if {
	not main.report with input as asked([]) with data.gracegate_release as {}
}

test_an_unknown_rule_is_not_evaluated if {
	question := object.union(asked([]), {"rules": ["nope", "prestop-drain-missing"]})
	report := main.report with input as question with data.gracegate_release as {"digest": "d"}
	report.rules == ["prestop-drain-missing"]
}

test_only_rules_that_were_asked_for if {
	documents := [testing.placed(undrained, "a/b"), testing.placed(testing.service, "a/c")]
	question := object.union(asked(documents), {"rules": []})
	report := main.report with input as question with data.gracegate_release as {"digest": "d"}
	report.violations == set()
}

test_a_violation_with_its_fix if {
	question := asked([testing.placed(undrained, "a/b"), testing.placed(testing.service, "a/c")])
	report := main.report with input as question with data.gracegate_release as {"digest": "d"}
	{[found.rule, found.fix.patch[0].op] | some found in report.violations} == {["prestop-drain-missing", "add"]}
}

test_a_rule_without_fix if {
	bare := {"none": {"bare": {"violation": {{"at": {"document": 0, "path": []}, "message": "m"}}}}}
	question := object.union(testing.questions([testing.placed({}, "a/b")]), {"rules": ["bare"]})
	report := main.report with input as question with data.gracegate_release as {"digest": "d"}
		with data.gracegate.rules as bare
	report.violations == {{"rule": "bare", "at": {"document": 0, "path": []}, "message": "m"}}
}

test_facts_are_not_reported if {
	bare := {"none": {"bare": {"violation": {{"at": {"document": 0, "path": []}, "message": "m"}}}}}
	question := object.union(testing.questions([testing.fact({}, "a/b")]), {"rules": ["bare"]})
	report := main.report with input as question with data.gracegate_release as {"digest": "d"}
		with data.gracegate.rules as bare
	report.violations == set()
}
