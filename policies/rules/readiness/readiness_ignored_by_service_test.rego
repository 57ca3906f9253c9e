package gracegate.rules.readiness["readiness-ignored-by-service_test"]

import data.gracegate.rules.readiness["readiness-ignored-by-service"] as rule
import data.gracegate.rules.readiness["readiness-probe-missing"] as missing
import data.gracegate.testing

publishing := testing.set(testing.service, ["spec", "publishNotReadyAddresses"], true)

headless := testing.set(publishing, ["spec", "clusterIP"], "None")

peers := object.union(testing.web, {"kind": "StatefulSet"})

unready := testing.remove_at(testing.web, testing.inside(["readinessProbe"]))

found(objects) := {[violation.at.document, violation.level] | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_readiness_is_ignored if {
	at := {"document": 1, "path": ["spec", "publishNotReadyAddresses"]}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([testing.web, publishing])
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat(" ", [
				`Service "web" sends requests to pods of Deployment "web" that are not ready or stopping:`,
				"it sets publishNotReadyAddresses.",
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "remove", "path": at.path}]}},
	}
}

test_levels[note] if {
	some note, case in {
		"a StatefulSet": [[peers, publishing], "info"],
		"headless": [[testing.web, headless], "info"],
		"a headless one of a StatefulSet": [[peers, headless], "info"],
		"a StatefulSet and others": [[peers, publishing, testing.web], "warning"],
		"a DaemonSet": [[object.union(testing.web, {"kind": "DaemonSet"}), publishing], "warning"],
	}
	found(case[0]) == {[1, case[1]]}
}

test_names_other_workloads_before_peers if {
	violations := rule.violation with input as testing.batch([peers, publishing, testing.web])
	{true | some violation in violations; contains(violation.message, "Deployment")} == {true}
}

test_silent_on[note] if {
	some note, objects in {
		"readiness is heeded": [testing.web, testing.service],
		"false": [testing.web, testing.set(testing.service, ["spec", "publishNotReadyAddresses"], false)],
		"null": [testing.web, testing.set(testing.service, ["spec", "publishNotReadyAddresses"], null)],
		"a string": [testing.web, testing.set(testing.service, ["spec", "publishNotReadyAddresses"], "true")],
		"a number": [testing.web, testing.set(testing.service, ["spec", "publishNotReadyAddresses"], 1)],
		"an object": [testing.web, testing.set(testing.service, ["spec", "publishNotReadyAddresses"], {})],
		"nothing selected": [
			testing.set(testing.web, ["spec", "template", "metadata", "labels"], {"app": "api"}),
			publishing,
		],
		"only a Job": [object.union(testing.web, {"apiVersion": "batch/v1", "kind": "Job"}), publishing],
		"an ExternalName": [testing.web, testing.set(publishing, ["spec", "type"], "ExternalName")],
		"a spec that is a string": [testing.web, testing.set(publishing, ["spec"], "web")],
	}
	found(objects) == set()
}

test_peers_get_advice_only if {
	fixes := rule.fix with input as testing.batch([peers, headless])
	{fix.class | some fix in fixes} == {"text"}
}

# Without a readinessProbe the pods would get requests as early, and another rule would report it.
test_readiness_probe_comes_first if {
	batch := testing.batch([unready, publishing])
	fixes := rule.fix with input as batch
	{[fix.class, fix.advice] | some fix in fixes} == {[
		"text",
		`Give container "web" a readinessProbe, then remove publishNotReadyAddresses.`,
	]}
}

test_fixed if {
	batch := testing.batch([testing.web, publishing])
	fixes := rule.fix with input as batch
	fixed := object.union(batch, testing.fixed_documents(batch, fixes))
	left := rule.violation | missing.violation with input as fixed
	left == set()
}
