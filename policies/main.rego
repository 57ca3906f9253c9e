# METADATA
# title: Report
# description: The violations that the rules in input.rules find in the documents whose `subject` is true.
# schemas:
# - input: schema.input
package gracegate.main

# METADATA
# title: The only entry point
# description: |
#   Undefined without data.gracegate_release, so that an engine without its rules never looks like one that found no
#   violations.
# entrypoint: true
report := {
	"digest": data.gracegate_release.digest,
	"rules": _evaluated,
	"violations": _violations,
}

_evaluated := [id | some id in input.rules; some group; data.gracegate.rules[group][id].violation]

# The whole object is bound first: looked up in place, OPA would run the body of a rule's `fix` for each finding.
_fixes := {id: fixes | some id in input.rules; some group; fixes := data.gracegate.rules[group][id].fix}

_violations contains object.union(found, {"rule": id, "fix": fix}) if {
	some [id, found] in _found
	fix := _fixes[id][found.at]
}

_violations contains object.union(found, {"rule": id}) if {
	some [id, found] in _found
	not _fixes[id][found.at]
}

_found contains [id, found] if {
	some id in input.rules
	some group
	violations := data.gracegate.rules[group][id].violation
	some found in violations
	input.documents[found.at.document].subject
}
