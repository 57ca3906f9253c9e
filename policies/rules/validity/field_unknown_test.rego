package gracegate.rules.validity["field-unknown_test"]

import data.gracegate.rules.readiness["readiness-probe-missing"] as readiness
import data.gracegate.rules.termination["prestop-drain-missing"] as drain
import data.gracegate.rules.validity["field-unknown"] as rule
import data.gracegate.testing

pod := ["spec", "template", "spec"]

probe := {"tcpSocket": {"port": 8080}}

container_without(fields) := object.remove(testing.web.spec.template.spec.containers[0], fields)

# The honest Deployment with this container, or with these.
web(containers) := testing.set(testing.web, array.concat(pod, ["containers"]), containers)

misspelt_hook := web([object.union(
	container_without(["lifecycle"]),
	{"lifecycle": {"preStopHook": {"sleep": {"seconds": 10}}}},
)])

test_a_misspelt_hook if {
	at := {"document": 0, "path": testing.inside(["lifecycle", "preStopHook"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([misspelt_hook, testing.service])
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat(" ", [
				`Kubernetes rejects or drops field "lifecycle.preStopHook" of container "web":`,
				`the field is called "preStop".`,
			]),
		}},
		"fix": {{"at": at, "patch": [
			{"op": "remove", "path": at.path},
			{"op": "add", "path": testing.inside(["lifecycle", "preStop"]), "value": {"sleep": {"seconds": 10}}},
		]}},
	}
}

# The field, and where its fix puts it.
meant := {
	"a hook": [misspelt_hook, testing.inside(["lifecycle", "preStopHook"]), testing.inside(["lifecycle", "preStop"])],
	"another case": [
		web([object.union(container_without(["readinessProbe"]), {"readinessprobe": probe})]),
		testing.inside(["readinessprobe"]),
		testing.inside(["readinessProbe"]),
	],
	"one letter less": [
		web([object.union(container_without(["readinessProbe"]), {"redinessProbe": probe})]),
		testing.inside(["redinessProbe"]),
		testing.inside(["readinessProbe"]),
	],
	"half of the name": [
		web([object.union(container_without(["readinessProbe"]), {"readiness": probe})]),
		testing.inside(["readiness"]),
		testing.inside(["readinessProbe"]),
	],
	"a probe of the pod": [
		testing.set(web([container_without(["readinessProbe"])]), array.concat(pod, ["readinessProbe"]), probe),
		array.concat(pod, ["readinessProbe"]),
		testing.inside(["readinessProbe"]),
	],
	"grace in the container": [
		testing.with_container(["terminationGracePeriodSeconds"], 90),
		testing.inside(["terminationGracePeriodSeconds"]),
		array.concat(pod, ["terminationGracePeriodSeconds"]),
	],
	"grace in the Deployment": [
		testing.set(testing.web, ["spec", "terminationGracePeriodSeconds"], 90),
		["spec", "terminationGracePeriodSeconds"],
		array.concat(pod, ["terminationGracePeriodSeconds"]),
	],
	"a period of the request": [
		testing.with_container(["readinessProbe", "httpGet", "periodSeconds"], 5),
		testing.inside(["readinessProbe", "httpGet", "periodSeconds"]),
		testing.inside(["readinessProbe", "periodSeconds"]),
	],
	"a hook without lifecycle": [
		web([object.union(container_without(["lifecycle"]), {"preStop": {"sleep": {"seconds": 10}}})]),
		testing.inside(["preStop"]),
		testing.inside(["lifecycle", "preStop"]),
	],
	"replicas of the pod": [
		testing.set(testing.web, array.concat(pod, ["replicas"]), 3),
		array.concat(pod, ["replicas"]),
		["spec", "replicas"],
	],
	"in a Rollout": [
		object.union(testing.with_container(["terminationGracePeriodSeconds"], 90), {
			"apiVersion": "argoproj.io/v1alpha1",
			"kind": "Rollout",
		}),
		testing.inside(["terminationGracePeriodSeconds"]),
		array.concat(pod, ["terminationGracePeriodSeconds"]),
	],
}

test_meant[note] if {
	some note, case in meant
	batch := testing.batch([case[0], testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	{[violation.at.path, violation.level] | some violation in got.violation} == {[case[1], "error"]}
	{[step.op, step.path] | some fix in got.fix; some step in fix.patch} == {["remove", case[1]], ["add", case[2]]}
	{class | some fix in got.fix; class := object.get(fix, "class", "safe")} == {"safe"}
	fixed := object.union(batch, testing.fixed_documents(batch, got.fix))
	left := rule.violation with input as fixed
	left == set()
}

test_no_rule_misses_what_is_meant[note] if {
	some note, case in meant
	missed := readiness.violation | drain.violation with input as testing.batch([case[0], testing.service])
	missed == set()
}

test_likely_places if {
	labelled := testing.set(testing.web, ["spec", "annotations"], {"a": "b"})
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([labelled])
	{violation.message | some violation in got.violation} == {concat(" ", [
		`Kubernetes rejects or drops field "spec.annotations" of Deployment "web":`,
		`it belongs to "spec.template.metadata".`,
	])}
	{[fix.class, fix.assumption] | some fix in got.fix} == {["assumes", "The field was meant for that place."]}
}

test_nothing_is_meant[note] if {
	some note, case in {
		"no such field": [testing.with_container(["colour"], "red"), testing.inside(["colour"])],
		"the right one is there as well": [
			testing.with_container(["readinessprobe"], probe),
			testing.inside(["readinessprobe"]),
		],
		"of a wrong type": [
			web([object.union(container_without(["readinessProbe"]), {"readinessprobe": "http"})]),
			testing.inside(["readinessprobe"]),
		],
		"for one of two containers": [
			testing.set(
				web([container_without(["readinessProbe"]), {"name": "b", "image": "c"}]),
				array.concat(pod, ["readinessProbe"]),
				probe,
			),
			array.concat(pod, ["readinessProbe"]),
		],
		"in a Service": [testing.set(testing.service, ["spec", "colour"], "red"), ["spec", "colour"]],
	}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([case[0]])
	{[violation.at.path, violation.level] | some violation in got.violation} == {[case[1], "warning"]}
	{fix.class | some fix in got.fix} == {"text"}
}

test_unknown_up_to_now if {
	violations := rule.violation with input as testing.batch([testing.with_container(["colour"], "red")])
	{violation.message | some violation in violations} == {concat(" ", [
		`Kubernetes rejects or drops field "colour" of container "web":`,
		"it has no such field up to 1.37.",
	])}
}

test_silent_on[note] if {
	some note, batch in {
		"what is known": testing.batch([testing.web, testing.service, testing.budget, testing.autoscaler]),
		"variables": testing.batch([testing.with_container(["${PROBES}"], "x")]),
		"directives of a patch": testing.batch([testing.with_container(["$patch"], "merge")]),
		"patches": testing.batch_of([testing.fragment(misspelt_hook, "a/b.yaml")]),
		"what may not be reported": testing.batch_of([testing.fact(misspelt_hook, "a/b.yaml")]),
		"custom resources": testing.batch([{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "spec": {"a": 1}}]),
		"labels": testing.batch([testing.set(testing.web, ["metadata", "labels"], {"colour": "red"})]),
		"old versions": testing.batch([object.union(testing.autoscaler, {"apiVersion": "autoscaling/v1", "spec": {"a": 1}})]),
		"a Pod": testing.batch([{"apiVersion": "v1", "kind": "Pod", "spec": testing.web.spec.template.spec}]),
	}
	violations := rule.violation with input as batch
	violations == set()
}
