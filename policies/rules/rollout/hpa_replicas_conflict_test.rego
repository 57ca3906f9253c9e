package gracegate.rules.rollout["hpa-replicas-conflict_test"]

import data.gracegate.rules.rollout["hpa-replicas-conflict"] as rule
import data.gracegate.testing

levels(documents) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.questions(documents)
}

apps(objects) := [testing.placed(manifest, "apps/web.yaml") | some manifest in objects]

test_found if {
	at := {"document": 0, "path": ["spec", "replicas"]}
	question := testing.batch([testing.scaled(2), testing.autoscaler, testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as question
	got.violation == {{
		"at": at,
		"level": "warning",
		"message": concat(" ", [
			`Each apply sets Deployment "web" back to 2 pods,`,
			`where HorizontalPodAutoscaler "web" may have made 6.`,
		]),
	}}
	got.fix[at].class == "text"
}

test_one_pod if {
	violations := rule.violation with input as testing.batch([testing.scaled(1), testing.autoscaler, testing.service])
	{violation.message | some violation in violations} == {concat(" ", [
		`Each apply sets Deployment "web" back to 1 pod,`,
		`where HorizontalPodAutoscaler "web" may have made 6.`,
	])}
}

test_silent_on[note] if {
	some note, objects in {
		"omitted": [testing.web, testing.autoscaler],
		"null": [testing.scaled(null), testing.autoscaler],
		"a text": [testing.scaled("2"), testing.autoscaler],
		"an object": [testing.scaled({}), testing.autoscaler],
		"switched off": [testing.scaled(0), testing.autoscaler],
		"no autoscaler": [testing.scaled(2)],
		"of another workload": [
			testing.scaled(2),
			testing.swap(testing.autoscaler, ["spec", "scaleTargetRef", "name"], "api"),
		],
		"always as many": [
			testing.scaled(3),
			object.union(testing.autoscaler, {"spec": {"minReplicas": 3, "maxReplicas": 3}}),
		],
	}
	levels(apps(array.concat([testing.service], objects))) == set()
}

test_levels[note] if {
	both := apps([testing.scaled(2), testing.autoscaler])
	some note, case in {
		"served": [testing.placed(testing.service, "apps/service.yaml"), {"warning"}],
		"perhaps": [testing.placed(testing.service, "far/service.yaml"), {"info"}],
		"not served": [testing.placed({}, "apps/x.yaml"), set()],
	}
	levels(array.concat(both, [case[0]])) == case[1]
}
