package gracegate.rules.change["load-balancer-replaced_test"]

import data.gracegate.rules.change["load-balancer-replaced"] as rule
import data.gracegate.testing

scheme := "service.beta.kubernetes.io/aws-load-balancer-scheme"

kind := "service.beta.kubernetes.io/aws-load-balancer-type"

azure_internal := "service.beta.kubernetes.io/azure-load-balancer-internal"

of_type(type) := testing.set(testing.service, ["spec", "type"], type)

annotated(annotations) := testing.set(of_type("LoadBalancer"), ["metadata", "annotations"], annotations)

found(base, head) := facts if {
	facts := {"violation": rule.violation, "fix": rule.fix} with input as testing.change([base], [head])
}

places(base, head) := {[violation.at.path, object.get(violation, "level", "highest")] |
	some violation in found(base, head).violation
}

advice := concat(" ", [
	"Add a second Service with the new settings, let DNS and the clients move to its address,",
	"and change this one when nothing comes in any more.",
])

test_no_load_balancer_any_more if {
	at := {"document": 0, "path": ["spec", "type"]}
	found(of_type("LoadBalancer"), of_type("NodePort")) == {
		"violation": {{"at": at, "level": "info", "message": concat(" ", [
			`Requests to the address of Service "web" fail:`,
			`its load balancer is deleted, as the type is now "NodePort".`,
		])}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": "Change the type when nothing comes in at the address any more.",
		}},
	}
}

test_another_load_balancer if {
	at := {"document": 0, "path": ["metadata", "annotations", scheme]}
	found(annotated({}), annotated({scheme: "internet-facing"})) == {
		"violation": {{"at": at, "message": concat(" ", [
			`Requests to the address of Service "web" fail until clients know a new one:`,
			"another load balancer takes over,",
			`as "service.beta.kubernetes.io/aws-load-balancer-scheme" is now "internet-facing" and was "internal".`,
		])}},
		"fix": {{"at": at, "class": "text", "advice": advice}},
	}
}

test_changes[note] if {
	lb := of_type("LoadBalancer")
	some note, case in {
		"no change": [lb, lb, set()],
		"a label": [lb, testing.set(lb, ["metadata", "labels"], {"a": "b"}), set()],
		"no type": [lb, testing.service, {["spec"]}],
		"null": [lb, of_type(null), {["spec", "type"]}],
		"a variable type": [lb, of_type("${TYPE}"), set()],
		"a load balancer that is new": [testing.service, lb, set()],
		"a ClusterIP": [testing.service, of_type("NodePort"), set()],
		"an annotation": [annotated({}), annotated({kind: "external"}), {["metadata", "annotations", kind]}],
		"no annotation any more": [annotated({kind: "external"}), annotated({}), {["metadata"]}],
		"no annotations any more": [annotated({kind: "external"}), lb, {["metadata"]}],
		"two annotations": [
			annotated({kind: "nlb", scheme: "internal"}),
			annotated({kind: "external", scheme: "internet-facing"}), {["metadata", "annotations", scheme]},
		],
		"a default": [annotated({}), annotated({scheme: "internal", azure_internal: "false"}), set()],
		"another annotation": [annotated({}), annotated({"service.beta.kubernetes.io/aws-load-balancer-name": "a"}), set()],
		"a variable": [annotated({}), annotated({kind: "${TYPE}"}), set()],
		"wrong types": [annotated({kind: ["x"]}), annotated({kind: 1}), set()],
		"annotations of a wrong type": [lb, testing.set(lb, ["metadata", "annotations"], ["x"]), set()],
		"no spec": [lb, object.union(lb, {"spec": "x"}), set()],
		"no spec before": [object.union(lb, {"spec": "x"}), testing.service, set()],
		"another kind of Service": [
			object.union(lb, {"apiVersion": "serving.knative.dev/v1"}),
			object.union(testing.service, {"apiVersion": "serving.knative.dev/v1"}), set(),
		],
	}
	{path | some [path, _] in places(case[0], case[1])} == case[2]
}

test_silent_without_a_base_and_on_a_fact[note] if {
	some note, case in {
		"no base": testing.batch([of_type("NodePort")]),
		"a fact": testing.change_of(
			testing.batch_of([testing.fact(of_type("NodePort"), "apps/web.yaml")]),
			[testing.document(of_type("LoadBalancer"), "apps/web.yaml")],
		),
	}
	violations := rule.violation with input as case
	violations == set()
}

steps_of(base, head) := found if {
	found := rule.steps with input as testing.change(base, head)
}

test_steps_without_a_load_balancer if {
	steps_of([of_type("LoadBalancer")], [of_type("NodePort")]) == {{
		"at": {"document": 0, "path": ["spec", "type"]},
		"steps": [
			{"title": `Service "web" keeps its load balancer while the rest of this is applied.`, "restored": [0]},
			{
				"title": `Service "web" gives up its load balancer.`,
				"by_hand": concat(" ", [
					`Let all clients leave the address of Service "web",`,
					"and wait until nothing comes in there any more.",
				]),
			},
		],
	}}
}

test_steps_to_another_load_balancer if {
	copy := {"document": 0, "patch": [{"op": "replace", "path": ["metadata", "name"], "value": "web-next"}]}
	steps_of([annotated({})], [annotated({scheme: "internet-facing"})]) == {{
		"at": {"document": 0, "path": ["metadata", "annotations", scheme]},
		"steps": [
			{
				"title": `Service "web-next" gets a load balancer of the new kind beside that of "web".`,
				"restored": [0],
				"copies": [copy],
			},
			{
				"title": `Service "web" gets its new load balancer.`,
				"by_hand": concat(" ", [
					`Let DNS and all clients move to the address of Service "web-next",`,
					`and wait until nothing comes in at that of "web" any more.`,
				]),
				"copies": [copy],
			},
			{
				"title": `Service "web-next" goes.`,
				"by_hand": concat(" ", [
					`Let DNS and all clients move to the address of Service "web",`,
					`and wait until nothing comes in at that of "web-next" any more.`,
				]),
			},
		],
	}}
}

beside(annotations) := testing.replace_at(annotated(annotations), ["metadata", "name"], "web-2")

test_clients_may_have_moved[note] if {
	public := {scheme: "internet-facing"}
	some note, case in {
		"to a new load balancer": [annotated({}), annotated(public), beside(public), 0],
		"to none": [annotated({}), annotated(public), beside({}), 1],
		"to the kind that it had": [annotated({}), testing.service, beside({}), 0],
		"to another kind than it had": [annotated({}), testing.service, beside(public), 1],
	}
	both := [testing.web, case[0], case[2]]
	violations := rule.violation with input as testing.change(both, [testing.web, case[1], case[2]])
	count(violations) == case[3]
}

test_a_load_balancer_that_is_new_is_too_late if {
	violations := rule.violation with input as testing.change(
		[testing.web, annotated({})],
		[testing.web, testing.service, beside({})],
	)
	count(violations) == 1
}
