package gracegate.rules.change["ingress-replaced_test"]

import data.gracegate.rules.change["ingress-replaced"] as rule
import data.gracegate.testing

ingress(name, class, hosts) := {
	"apiVersion": "networking.k8s.io/v1",
	"kind": "Ingress",
	"metadata": {"name": name},
	"spec": {"ingressClassName": class, "rules": [{"host": host} | some host in hosts]},
}

annotated(class) := {
	"apiVersion": "networking.k8s.io/v1",
	"kind": "Ingress",
	"metadata": {"name": "web", "annotations": {"kubernetes.io/ingress.class": class}},
	"spec": {"rules": [{"host": "a.example"}]},
}

web(class) := ingress("web", class, ["b.example", "a.example"])

route := {
	"apiVersion": "gateway.networking.k8s.io/v1",
	"kind": "HTTPRoute",
	"metadata": {"name": "shop"},
	"spec": {"hostnames": ["c.example", "b.example", "a.example"]},
}

at_class := {"document": 0, "path": ["spec", "ingressClassName"]}

at_name := {"document": 0, "path": ["metadata", "name"]}

levels(batch) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_another_class if {
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.change([web("nginx")], [web("traefik")])
	got == {
		"violation": {{"at": at_class, "level": "warning", "message": concat(" ", [
			`Requests to "a.example" fail until DNS points to another load balancer:`,
			`Ingress "web" leaves class "nginx" for class "traefik".`,
		])}},
		"fix": {{"at": at_class, "class": "text", "advice": concat(" ", [
			"Add an Ingress of the new class under another name beside this one,",
			"let DNS move to its load balancer, and remove the old one in another change.",
		])}},
	}
}

test_another_class_by_annotation if {
	places := {violation.at.path | some violation in rule.violation} with input as testing.change(
		[web("nginx")],
		[annotated("traefik")],
	)
	places == {["spec"]}
}

test_a_route_in_its_place if {
	got := {"violation": rule.violation, "fix": rule.fix, "possible": rule.possible} with input as testing.change(
		[web("nginx")],
		[route],
	)
	got == {
		"violation": {{"at": at_name, "level": "warning", "message": concat(" ", [
			`Requests to "a.example" may fail until DNS points to the load balancer of HTTPRoute "shop":`,
			`Ingress "web" is removed at once.`,
		])}},
		"fix": {{"at": at_name, "class": "text", "advice": concat(" ", [
			`Keep Ingress "web" beside it, let DNS move to the new load balancer,`,
			"and remove it in another change.",
		])}},
		"possible": set(),
	}
}

test_a_class_that_may_serve_both if {
	batch := testing.change([web("traefik"), annotated("")], [route])
	possible := rule.possible with input as batch
	[levels(batch), possible] == [{"info"}, {at_name}]
}

test_one_finding_for_several_ingresses if {
	count(rule.violation) == 1 with input as testing.change(
		[web("nginx"), ingress("shop", "nginx", ["a.example"])],
		[route],
	)
}

test_silent_on[note] if {
	some note, batch in {
		"no base": testing.batch([web("nginx"), route]),
		"no change": testing.change([web("nginx")], [web("nginx")]),
		"another way to say it": testing.change([web("nginx")], [annotated("nginx")]),
		"no class before": testing.change([annotated("")], [web("nginx")]),
		"no class now": testing.change([web("nginx")], [annotated("")]),
		"other hosts": testing.change([web("nginx")], [ingress("web", "traefik", ["d.example"])]),
		"all hosts": testing.change([ingress("web", "nginx", ["*", ""])], [ingress("web", "traefik", ["*", ""])]),
		"a variable": testing.change([web("nginx")], [web("${CLASS}")]),
		"the safe order, first": testing.change([web("nginx")], [web("nginx"), route]),
		"the safe order, second": testing.change([web("nginx"), route], [route]),
		"one of two Ingresses that goes": testing.change(
			[web("nginx"), ingress("shop", "nginx", ["a.example", "b.example"])],
			[ingress("shop", "nginx", ["a.example", "b.example"]), route],
		),
		"an Ingress that goes": testing.change([web("nginx")], []),
		"a new route": testing.change([], [route]),
		"a route of another host": testing.change([ingress("web", "nginx", ["d.example"])], [route]),
		"a host that is a variable": testing.change(
			[ingress("web", "nginx", ["${HOST}"])],
			[testing.replace_at(route, ["spec", "hostnames"], ["${HOST}"])],
		),
		"another API group": testing.change([object.union(web("nginx"), {"apiVersion": "x/v1"})], [route]),
		"wrong types": testing.change(
			[testing.replace_at(web("nginx"), ["spec", "rules"], [1, {"host": 2}])],
			[testing.replace_at(route, ["spec", "hostnames"], 3)],
		),
	}
	levels(batch) == set()
}

steps_of(base, head) := found if {
	found := rule.steps with input as testing.change(base, head)
}

test_steps_to_a_route if {
	steps_of([web("nginx")], [route]) == {{"at": at_name, "steps": [
		{"title": `HTTPRoute "shop" serves "a.example" beside Ingress "web".`, "restored": [0]},
		{
			"title": `Ingress "web" goes.`,
			"by_hand": concat(" ", [
				`Let DNS point to the load balancer of HTTPRoute "shop",`,
				`and wait until nothing comes in for Ingress "web" any more.`,
			]),
		},
	]}}
}

test_steps_to_another_class if {
	copy := {"document": 0, "patch": [{"op": "replace", "path": ["metadata", "name"], "value": "web-next"}]}
	steps_of([web("nginx")], [web("traefik")]) == {{"at": at_class, "steps": [
		{
			"title": `Ingress "web-next" of class "traefik" serves the same beside "web".`,
			"restored": [0],
			"copies": [copy],
		},
		{
			"title": `Ingress "web" moves to class "traefik".`,
			"by_hand": concat(" ", [
				`Let DNS point to the load balancer of Ingress "web-next",`,
				`and wait until nothing comes in for Ingress "web" any more.`,
			]),
			"copies": [copy],
		},
		{
			"title": `Ingress "web-next" goes.`,
			"by_hand": concat(" ", [
				`Let DNS point to the load balancer of Ingress "web",`,
				`and wait until nothing comes in for Ingress "web-next" any more.`,
			]),
		},
	]}}
}

test_no_steps_by_a_name_that_is_taken if {
	taken := ingress("web-next", "traefik", [])
	steps_of([web("nginx"), taken], [web("traefik"), taken]) == set()
}
