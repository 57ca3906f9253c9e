package gracegate.rules.rollout["hpa-replicas-conflict_test"]

import data.gracegate.rules.rollout["hpa-replicas-conflict"] as rule
import data.gracegate.testing

levels(documents) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.batch_of(documents)
}

apps(objects) := [testing.document(manifest, "apps/web.yaml") | some manifest in objects]

test_found if {
	at := {"document": 0, "path": ["spec", "replicas"]}
	batch := testing.batch([testing.with_replicas(2), testing.autoscaler, testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"level": "warning",
		"message": concat(" ", [
			`Each apply resets Deployment "web" to 2 pods,`,
			`although HorizontalPodAutoscaler "web" may have scaled it to 6.`,
		]),
	}}
	{fix.class | some fix in got.fix; fix.at == at} == {"text"}
}

test_one_pod if {
	batch := testing.batch([testing.with_replicas(1), testing.autoscaler, testing.service])
	violations := rule.violation with input as batch
	{violation.message | some violation in violations} == {concat(" ", [
		`Each apply resets Deployment "web" to 1 pod,`,
		`although HorizontalPodAutoscaler "web" may have scaled it to 6.`,
	])}
}

test_silent_on[note] if {
	some note, objects in {
		"omitted": [testing.web, testing.autoscaler],
		"null": [testing.with_replicas(null), testing.autoscaler],
		"a string": [testing.with_replicas("2"), testing.autoscaler],
		"an object": [testing.with_replicas({}), testing.autoscaler],
		"switched off": [testing.with_replicas(0), testing.autoscaler],
		"no autoscaler": [testing.with_replicas(2)],
		"of another workload": [
			testing.with_replicas(2),
			testing.replace_at(testing.autoscaler, ["spec", "scaleTargetRef", "name"], "api"),
		],
		"always as many": [
			testing.with_replicas(3),
			object.union(testing.autoscaler, {"spec": {"minReplicas": 3, "maxReplicas": 3}}),
		],
	}
	levels(apps(array.concat([testing.service], objects))) == set()
}

test_levels[note] if {
	both := apps([testing.with_replicas(2), testing.autoscaler])
	some note, case in {
		"served": [testing.document(testing.service, "apps/service.yaml"), {"warning"}],
		"perhaps": [testing.document(testing.service, "far/service.yaml"), {"info"}],
		"not served": [testing.document({}, "apps/x.yaml"), set()],
	}
	levels(array.concat(both, [case[0]])) == case[1]
}
