package gracegate.lib.rolling_update_test

import data.gracegate.lib.rolling_update
import data.gracegate.testing

steps(manifest) := found if {
	found := rolling_update.steps(0, 1, 0) with input as testing.batch([manifest])
}

both := {"maxSurge": 1, "maxUnavailable": 0}

strategy := ["spec", "strategy"]

test_steps[note] if {
	some note, case in {
		"no strategy": [testing.web, [["add", [], {"type": "RollingUpdate", "rollingUpdate": both}]]],
		"null": [
			testing.set(testing.web, strategy, null),
			[["replace", [], {"type": "RollingUpdate", "rollingUpdate": both}]],
		],
		"Recreate": [
			testing.set(testing.web, strategy, {"type": "Recreate"}),
			[["replace", ["type"], "RollingUpdate"], ["add", ["rollingUpdate"], both]],
		],
		"Recreate and null": [
			testing.set(testing.web, strategy, {"type": "Recreate", "rollingUpdate": null}),
			[["replace", ["type"], "RollingUpdate"], ["replace", ["rollingUpdate"], both]],
		],
		"one of two": [
			testing.set(testing.web, strategy, {"rollingUpdate": {"maxSurge": 2}}),
			[["replace", ["rollingUpdate", "maxSurge"], 1], ["add", ["rollingUpdate", "maxUnavailable"], 0]],
		],
		"a DeploymentConfig": [
			object.union(testing.set(testing.web, strategy, {"type": "Recreate"}), {
				"apiVersion": "apps.openshift.io/v1",
				"kind": "DeploymentConfig",
			}),
			[["replace", ["type"], "Rolling"], ["add", ["rollingParams"], both]],
		],
		"a Rollout": [
			object.union(testing.set(testing.web, strategy, {"canary": {"steps": []}}), {
				"apiVersion": "argoproj.io/v1alpha1",
				"kind": "Rollout",
			}),
			[["add", ["canary", "maxSurge"], 1], ["add", ["canary", "maxUnavailable"], 0]],
		],
	}
	steps(case[0]) == [{"op": op, "path": array.concat(strategy, path), "value": value} |
		some [op, path, value] in case[1]
	]
}

pods(facts) := [[fact.unavailable, fact.surge] | some fact in facts]

implicit(workload) := pods(facts) if {
	facts := rolling_update.implicit with input as testing.batch([workload])
}

explicit(workload) := pods(facts) if {
	facts := rolling_update.explicit with input as testing.batch([workload])
}

replacing(workload, settings) := testing.set(workload, strategy, {"rollingUpdate": settings})

test_implicit[note] if {
	some note, case in {
		"one pod": [testing.with_replicas(1), [[0, 1]]],
		"four pods": [testing.with_replicas(4), [[1, 1]]],
		"five pods": [testing.with_replicas(5), [[1, 2]]],
		"null": [testing.set(testing.with_replicas(4), strategy, null), [[1, 1]]],
		"type only": [testing.set(testing.with_replicas(4), strategy, {"type": "RollingUpdate"}), [[1, 1]]],
		"Recreate": [testing.set(testing.with_replicas(4), strategy, {"type": "Recreate"}), []],
		"explicit": [replacing(testing.with_replicas(4), {"maxSurge": 1}), []],
		"another kind": [object.union(testing.with_replicas(4), {"kind": "StatefulSet"}), []],
	}
	implicit(case[0]) == case[1]
}

test_explicit[note] if {
	some note, case in {
		"nothing": [testing.with_replicas(4), []],
		"Recreate": [
			testing.set(testing.with_replicas(4), strategy, {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
			[],
		],
		"numbers": [replacing(testing.with_replicas(4), {"maxSurge": 2, "maxUnavailable": 3}), [[3, 2]]],
		"percent": [replacing(testing.with_replicas(4), {"maxSurge": "30%", "maxUnavailable": "30%"}), [[1, 2]]],
		"one of two": [replacing(testing.with_replicas(4), {"maxSurge": 0}), [[1, 0]]],
		"both rounded to 0": [replacing(testing.with_replicas(2), {"maxSurge": 0}), [[1, 0]]],
		"no percentage": [replacing(testing.with_replicas(4), {"maxSurge": "two"}), []],
	}
	explicit(case[0]) == case[1]
}

test_is_zero if {
	{0, "0%", "00%"} == {value | some value in [0, "0%", "00%", 1, "1%", "0", null, ""]; rolling_update.is_zero(value)}
}
