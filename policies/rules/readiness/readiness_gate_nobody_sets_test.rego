package gracegate.rules.readiness["readiness-gate-nobody-sets_test"]

import data.gracegate.rules.readiness["readiness-gate-nobody-sets"] as rule
import data.gracegate.testing

path := ["spec", "template", "spec", "readinessGates"]

old := {"conditionType": "target-health.alb.ingress.k8s.aws/web_web_80"}

gated(gates) := testing.set(testing.web, path, gates)

found(objects) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_a_gate_of_version_1 if {
	at := {"document": 0, "path": array.concat(path, [0])}
	batch := testing.batch([gated([old]), testing.service])
	got := {"violation": rule.violation, "fix": rule.fix, "possible": rule.possible} with input as batch
	got == {
		"violation": {{
			"at": at,
			"message": concat(" ", [
				`Pods of Deployment "web" never become ready: the readiness gate`,
				`"target-health.alb.ingress.k8s.aws/web_web_80" is of version 1 of the AWS controller,`,
				"and version 2 does not set it.",
			]),
		}},
		"fix": {{
			"at": at,
			"assumption": "Version 2 of the controller runs, and its gates come from the label of the namespace.",
			"patch": [{"op": "remove", "path": path}],
		}},
		"possible": {at},
	}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_one_of_several_gates if {
	other := {"conditionType": "example.org/ready"}
	batch := testing.batch([gated([other, old]), testing.service])
	fixes := rule.fix with input as batch
	[step | some fix in fixes; some step in fix.patch] == [{"op": "remove", "path": array.concat(path, [1])}]
}

namespace(labels) := {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}}

in_shop(manifest) := testing.set(manifest, ["metadata", "namespace"], "shop")

test_silent_on[note] if {
	some note, objects in {
		"no gates": [testing.web, testing.service],
		"null": [gated(null), testing.service],
		"wrong types": [gated(["x", {"conditionType": 1}, {}]), testing.service],
		"gates of version 2": [gated([{"conditionType": "target-health.elbv2.k8s.aws/web"}]), testing.service],
		"gates of others": [gated([{"conditionType": "cloud.google.com/load-balancer-neg-ready"}]), testing.service],
		"a namespace in which version 2 takes them away": [
			in_shop(gated([old])),
			in_shop(testing.service),
			namespace({"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}),
		],
		"nothing that sends to it": [gated([old])],
		"a Job": [object.union(gated([old]), {"apiVersion": "batch/v1", "kind": "Job"}), testing.service],
	}
	found(objects) == set()
}

test_another_namespace if {
	found([in_shop(gated([old])), in_shop(testing.service), namespace({})]) == {array.concat(path, [0])}
}
