package gracegate.lib.strategies_test

import data.gracegate.lib.strategies
import data.gracegate.testing

steps(manifest) := found if {
	found := strategies.rolling(0, 1, 0) with input as testing.batch([manifest])
}

both := {"maxSurge": 1, "maxUnavailable": 0}

strategy := ["spec", "strategy"]

test_rolling[note] if {
	some note, case in {
		"nothing said": [testing.web, [["add", [], {"type": "RollingUpdate", "rollingUpdate": both}]]],
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
