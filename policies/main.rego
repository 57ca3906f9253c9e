# METADATA
# title: Report
# description: |
#   The violations that the rules in input.rules find in the documents whose `subject` is true, and the facts of their
#   rollouts if input.rollouts is true.
# schemas:
# - input: schema.input
package gracegate.main

import data.gracegate.lib.rollout_facts

# METADATA
# title: The only entry point
# description: |
#   Undefined without data.gracegate_release, so that an engine without its rules never looks like one that found no
#   violations.
# entrypoint: true
report := object.union(_rollouts, {
	"digest": data.gracegate_release.digest,
	"rules": _evaluated,
	"violations": _violations,
})

_evaluated := [id | some id in input.rules; some group; data.gracegate.rules[group][id].violation]

# What a rule adds to its violations, by their `at`. These are sets in a rule, because OPA builds a partial object in
# quadratic time.
_additions := {
	"confidence": {id: {at: "possible" | some at in found} |
		some id in input.rules
		some group
		found := data.gracegate.rules[group][id].possible
	},
	"fix": {id: {fix.at: object.remove(fix, ["at"]) | some fix in found} |
		some id in input.rules
		some group
		found := data.gracegate.rules[group][id].fix
	},
	"related": {id: {related.at: related.places | some related in found} |
		some id in input.rules
		some group
		found := data.gracegate.rules[group][id].related
	},
	"steps": {id: {steps.at: steps.steps | some steps in found} |
		some id in input.rules
		some group
		found := data.gracegate.rules[group][id].steps
	},
}

_violations contains object.union(found, object.union(added, {"rule": id})) if {
	some [id, found] in _found
	added := {name: by_rule[id][found.at] | some name, by_rule in _additions}
}

_found contains [id, found] if {
	some id in input.rules
	some group
	violations := data.gracegate.rules[group][id].violation
	some found in violations
	input.documents[found.at.document].subject
}

default _rollouts := {}

_rollouts := {"rollouts": _found_rollouts} if input.rollouts

_found_rollouts := {object.union(found, {"document": i}) | some i, found in rollout_facts.by_workload}
