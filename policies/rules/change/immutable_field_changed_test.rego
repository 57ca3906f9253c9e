package gracegate.rules.change["immutable-field-changed_test"]

import data.gracegate.rules.change["immutable-field-changed"] as rule
import data.gracegate.testing

labelled := testing.set(testing.web, ["spec", "template", "metadata", "labels", "tier"], "front")

narrowed := testing.set(labelled, ["spec", "selector", "matchLabels", "tier"], "front")

at := {"document": 0, "path": ["spec", "selector"]}

stateful(spec) := object.union(testing.web, {"kind": "StatefulSet", "spec": object.union(testing.web.spec, spec)})

violations(base, head) := found if {
	found := rule.violation with input as testing.change([base], [head])
}

fixes(base, head) := found if {
	found := rule.fix with input as testing.change([base], [head])
}

test_found if {
	batch := testing.change([testing.web], [narrowed])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got.violation == {{
		"at": at,
		"message": `Deployment "web" is not updated: the API server refuses to change spec.selector.`,
	}}
	got.fix == {{
		"at": at,
		"patch": [{"op": "replace", "path": at.path, "value": {"matchLabels": {"app": "web"}}}],
		"advice": `Keep the old value of "tier": the old selector matches the new pods too.`,
	}}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_several_fields_are_one_finding if {
	violations(
		stateful({"serviceName": "web", "podManagementPolicy": "Parallel"}),
		stateful({"serviceName": "web-headless"}),
	) == {{"at": {"document": 0, "path": ["spec", "serviceName"]}, "message": concat(" ", [
		`StatefulSet "web" is not updated:`,
		"the API server refuses to change spec.podManagementPolicy and spec.serviceName.",
	])}}
}

test_a_field_that_is_gone if {
	{found.at | some found in violations(stateful({"serviceName": "web"}), stateful({}))} == {{
		"document": 0,
		"path": ["spec"],
	}}
}

test_a_fix_keeps_the_selector_if_it_matches[note] if {
	other := testing.replace_at(
		testing.replace_at(testing.web, ["spec", "selector"], {"matchLabels": {"app": "shop"}}),
		["spec", "template", "metadata", "labels"],
		{"app": "shop"},
	)
	some note, case in {
		"a label more": [testing.web, narrowed, "safe"],
		"another value": [testing.web, other, "text"],
		"an empty selector": [testing.replace_at(testing.web, ["spec", "selector"], {}), testing.web, "text"],
		"another field too": [
			stateful({"serviceName": "a"}),
			object.union(narrowed, {"kind": "StatefulSet"}), "text",
		],
	}
	{object.get(fix, "class", "safe") | some fix in fixes(case[0], case[1])} == {case[2]}
}

test_advice[note] if {
	headless := testing.set(testing.service, ["spec", "clusterIP"], "None")
	expressed := testing.set(
		testing.web,
		["spec", "selector", "matchExpressions"],
		[{"key": "app", "operator": "Exists"}],
	)
	some note, case in {
		"an expression": [expressed, testing.web, "Keep the old value of matchExpressions"],
		"a workload": [
			stateful({"serviceName": "a"}), stateful({"serviceName": "b"}),
			`create a second StatefulSet with the new one under another name`,
		],
		"a Service": [testing.service, headless, "Create a second Service with the new settings under another name"],
	}
	[fix] := [fix | some fix in fixes(case[0], case[1])]
	contains(fix.advice, case[2])
}

test_silent_on[note] if {
	some note, case in {
		"no base": testing.batch([narrowed]),
		"no change": testing.change([narrowed], [narrowed]),
		"the other fields": testing.change([testing.web], [testing.with_replicas(3)]),
		"another object": testing.change([testing.web], [testing.replace_at(narrowed, ["metadata", "name"], "web2")]),
		"a fact": testing.change_of(
			testing.batch_of([testing.fact(narrowed, "apps/web.yaml")]),
			[testing.document(testing.web, "apps/web.yaml")],
		),
		"wrong types": testing.change([object.union(testing.web, {"spec": "x"})], [narrowed]),
	}
	found := rule.violation with input as case
	found == set()
}

steps_of(base, head) := found if {
	found := rule.steps with input as testing.change(base, head)
}

orphan := concat(" ", [
	"Pause what applies manifests by itself,",
	`and run "kubectl delete deployment web --cascade=orphan".`,
])

relabelled := testing.replace_at(
	testing.replace_at(testing.web, ["spec", "selector"], {"matchLabels": {"tier": "front"}}),
	["spec", "template", "metadata", "labels"],
	{"app": "web", "tier": "front"},
)

test_steps_that_keep_the_pods if {
	wider := testing.replace_at(labelled, ["spec", "selector", "matchLabels"], {"tier": "front"})
	steps_of([wider], [testing.replace_at(wider, ["spec", "selector", "matchLabels"], {"app": "web"})]) == {{
		"at": at,
		"steps": [{
			"title": `Deployment "web" is created again and takes over the pods that run.`,
			"by_hand": orphan,
		}],
	}}
}

test_steps_with_services_that_follow if {
	front := testing.replace_at(testing.service, ["spec", "selector"], {"tier": "front"})
	steps_of([testing.web, testing.service], [relabelled, front]) == {{"at": at, "steps": [
		{
			"title": concat(" ", [
				`Deployment "web" is created again beside its old pods,`,
				"which run until their ReplicaSets are deleted.",
			]),
			"by_hand": orphan,
			"restored": [1],
		},
		{"title": `Services send to the new pods of Deployment "web", which are ready.`},
	]}}
}

in_namespace(manifest, namespace) := testing.set(manifest, ["metadata", "namespace"], namespace)

daemon(manifest) := object.union(manifest, {"kind": "DaemonSet"})

test_commands[note] if {
	some note, case in {
		"without a namespace": [testing.web, relabelled, {"kubectl delete deployment web --cascade=orphan"}],
		"in a namespace": [
			in_namespace(testing.web, "shop"),
			in_namespace(relabelled, "shop"),
			{"kubectl delete deployment web --namespace=shop --cascade=orphan"},
		],
		"of a DaemonSet that keeps its pods": [
			daemon(labelled),
			daemon(narrowed),
			{"kubectl delete daemonset web --cascade=orphan"},
		],
		"of a DaemonSet that leaves its pods": [daemon(testing.web), daemon(relabelled), set()],
		"of another serviceName": [stateful({"serviceName": "a"}), stateful({"serviceName": "b"}), set()],
		"of other volumes": [
			stateful({}),
			stateful({"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}),
			{"kubectl delete statefulset web --cascade=orphan"},
		],
		"without pods": [testing.with_replicas(0), testing.set(relabelled, ["spec", "replicas"], 0), set()],
		"of a name that is none": [
			testing.replace_at(testing.web, ["metadata", "name"], "web; ls"),
			testing.replace_at(relabelled, ["metadata", "name"], "web; ls"), set(),
		],
		"in a namespace that is none": [in_namespace(testing.web, "a b"), in_namespace(relabelled, "a b"), set()],
	}
	commands := {split(step.by_hand, `"`)[1] |
		some found in steps_of([case[0]], [case[1]])
		some step in found.steps
	}
	commands == case[2]
}

test_steps_with_a_second_service if {
	headless := testing.set(testing.service, ["spec", "clusterIP"], "None")
	copy := {"document": 1, "patch": [{"op": "replace", "path": ["metadata", "name"], "value": "web-next"}]}
	steps_of([testing.web, testing.service], [testing.web, headless]) == {{
		"at": {"document": 1, "path": ["spec", "clusterIP"]},
		"steps": [
			{
				"title": `Service "web-next" with the new settings stands beside "web".`,
				"restored": [0],
				"copies": [copy],
			},
			{
				"title": `Service "web" is created again.`,
				"by_hand": concat(" ", [
					`Let all clients, those in the cluster too, move to Service "web-next",`,
					`wait until nothing comes in at "web" any more, and run "kubectl delete service web".`,
				]),
				"copies": [copy],
			},
			{
				"title": `Service "web-next" goes.`,
				"by_hand": concat(" ", [
					`Let all clients move to Service "web",`,
					`and wait until nothing comes in at "web-next" any more.`,
				]),
			},
		],
	}}
}
