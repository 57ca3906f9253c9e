package gracegate.rules.reachability["local-traffic-gap_test"]

import data.gracegate.rules.reachability["local-traffic-gap"] as rule
import data.gracegate.testing

local := testing.set(testing.service, ["spec", "internalTrafficPolicy"], "Local")

agent := testing.set(testing.web, ["kind"], "DaemonSet")

# agent with this update strategy.
updated(strategy) := testing.set(agent, ["spec", "updateStrategy"], strategy)

levels(objects) := [violation.level | some violation in violations] if {
	violations := rule.violation with input as testing.batch(objects)
}

test_default_strategy if {
	at := {"document": 0, "path": ["spec"]}
	batch := testing.batch([agent, local])
	got := {"violation": rule.violation, "fix": rule.fix, "related": rule.related} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat(" ", [
				`Requests from a node to Service "web" fail while DaemonSet "web" is updated there:`,
				`"internalTrafficPolicy: Local" allows no pod of another node,`,
				"and the old pod stops before the new one starts.",
			]),
		}},
		"fix": {{
			"at": at,
			"assumption": "Two pods may run on one node at the same time, and there is room for the second.",
			"patch": [{
				"op": "add",
				"path": ["spec", "updateStrategy"],
				"value": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
			}],
		}},
		"related": {{"at": at, "places": [{"document": 1, "path": []}]}},
	}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_silent_on[note] if {
	some note, objects in {
		"any node": [agent, testing.service],
		"any node, written": [agent, testing.set(testing.service, ["spec", "internalTrafficPolicy"], "Cluster")],
		"a policy that is null": [agent, testing.set(testing.service, ["spec", "internalTrafficPolicy"], null)],
		"only from outside": [agent, testing.set(testing.service, ["spec", "externalTrafficPolicy"], "Local")],
		"a Deployment": [testing.web, local],
		"a pod more": [updated({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}), local],
		"percent": [updated({"rollingUpdate": {"maxSurge": "10%"}}), local],
		"a variable": [updated({"rollingUpdate": {"maxSurge": "${SURGE}"}}), local],
		"by hand": [updated({"type": "OnDelete"}), local],
		"another workload": [testing.set(agent, ["spec", "template", "metadata", "labels", "app"], "api"), local],
		"headless": [agent, testing.set(local, ["spec", "clusterIP"], "None")],
	}
	levels(objects) == []
}

test_silent_on_fragments if {
	documents := [testing.fragment(agent, "apps/web.yaml"), testing.document(local, "apps/web.yaml")]
	violations := rule.violation with input as testing.batch_of(documents)
	violations == set()
}

test_found[note] if {
	metrics := testing.set(local, ["spec", "ports"], [{"name": "metrics", "port": 80, "targetPort": 9090}])
	some note, case in {
		"zero": [[updated({"rollingUpdate": {"maxSurge": 0}}), local], "warning"],
		"zero percent": [[updated({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "0%"}}), local], "warning"],
		"null": [[updated({"rollingUpdate": null}), local], "warning"],
		"a string": [[updated("RollingUpdate"), local], "warning"],
		"only metrics": [[agent, metrics], "info"],
	}
	levels(case[0]) == [case[1]]
}

test_fixes[note] if {
	path := ["spec", "updateStrategy", "rollingUpdate"]
	some note, case in {
		"no numbers": [
			{"type": "RollingUpdate"},
			[{"op": "add", "path": path, "value": {"maxSurge": 1, "maxUnavailable": 0}}],
		],
		"other numbers": [
			{"rollingUpdate": {"maxUnavailable": 2}},
			[
				{"op": "add", "path": array.concat(path, ["maxSurge"]), "value": 1},
				{"op": "replace", "path": array.concat(path, ["maxUnavailable"]), "value": 0},
			],
		],
	}
	fixes := rule.fix with input as testing.batch([updated(case[0]), local])
	[fix.patch | some fix in fixes] == [case[1]]
}

test_no_room_for_a_second_pod if {
	fixes := rule.fix with input as testing.batch([
		testing.set(agent, ["spec", "template", "spec", "hostNetwork"], true),
		local,
	])
	{fix.class | some fix in fixes} == {"text"}
}
