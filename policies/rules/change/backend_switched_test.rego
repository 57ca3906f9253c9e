package gracegate.rules.change["backend-switched_test"]

import data.gracegate.rules.change["backend-switched"] as rule
import data.gracegate.testing

ingress(spec) := {
	"apiVersion": "networking.k8s.io/v1",
	"kind": "Ingress",
	"metadata": {"name": "shop"},
	"spec": spec,
}

alb(name) := ingress({"ingressClassName": "alb", "defaultBackend": {"service": {"name": name}}})

annotated(name, annotations) := testing.set(
	ingress({"defaultBackend": {"service": {"name": name}}}),
	["metadata", "annotations"],
	annotations,
)

switched(former, manifest) := testing.change([former], [manifest])

name_path := ["spec", "defaultBackend", "service", "name"]

places(batch) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_found if {
	at := {"document": 0, "path": name_path}
	got := {"violation": rule.violation, "fix": rule.fix} with input as switched(alb("blue"), alb("green"))
	got == {
		"violation": {{"at": at, "message": concat(" ", [
			`Ingress "shop" cuts requests off when this is applied: its load balancer deletes the target group of Service`,
			`"blue" at once and fills a new one for "green".`,
		])}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": concat(" ", [
				"Send to both Services by weights in an action of the Ingress,",
				`and take "blue" out in another change.`,
			]),
		}},
	}
}

test_annotations[note] if {
	some note, annotations in {
		"of the controller": {"alb.ingress.kubernetes.io/scheme": "internal"},
		"the class": {"kubernetes.io/ingress.class": "alb"},
	}
	places(switched(annotated("blue", annotations), annotated("green", annotations))) == {name_path}
}

path_to(name) := {"backend": {"service": {"name": name}}}

paths(names) := ingress({
	"ingressClassName": "alb",
	"rules": [{"http": {"paths": [path_to(name) | some name in names]}}],
})

test_a_path if {
	path := ["spec", "rules", 0, "http", "paths", 0, "backend", "service", "name"]
	places(switched(paths(["blue"]), paths(["green"]))) == {path}
}

test_silent_on[note] if {
	some note, batch in {
		"no base": testing.batch([alb("green")]),
		"the same": switched(alb("blue"), testing.set(alb("blue"), ["spec", "tls"], [])),
		"another controller": switched(annotated("blue", {}), annotated("green", {})),
		"another class": switched(
			testing.replace_at(alb("blue"), ["spec", "ingressClassName"], "nginx"),
			testing.replace_at(alb("green"), ["spec", "ingressClassName"], "nginx"),
		),
		"a variable": switched(alb("${NAME}"), alb("green")),
		"a path that is new": switched(paths(["blue"]), paths(["blue", "green"])),
		"two paths swapped": switched(paths(["blue", "green"]), paths(["green", "blue"])),
		"a wrong type": switched(ingress({"ingressClassName": "alb", "defaultBackend": "blue"}), alb("green")),
		"a Service": switched(testing.service, testing.set(testing.service, ["spec", "type"], "NodePort")),
		"a fact": testing.change_of(
			testing.batch_of([testing.fact(alb("green"), "apps/web.yaml")]),
			[testing.document(alb("blue"), "apps/web.yaml")],
		),
	}
	places(batch) == set()
}

with_port(name, port) := ingress({
	"ingressClassName": "alb",
	"defaultBackend": {"service": {"name": name, "port": port}},
})

actions(value) := testing.set(
	with_port("both", {"name": "use-annotation"}),
	["metadata", "annotations"],
	{"alb.ingress.kubernetes.io/actions.both": value},
)

weights(old, new) := sprintf(
	`{"type": "forward", "forwardConfig": {"targetGroups": [%s, %s]}}`,
	[
		sprintf(`{"serviceName": "blue", "servicePort": "80"%s}`, [old]),
		sprintf(`{"servicePort": 80, "serviceName" : "green"%s}`, [new]),
	],
)

test_actions[note] if {
	some note, case in {
		"both instead of one": [with_port("blue", {"number": 80}), actions(weights("", `, "weight": 0`)), set()],
		"other weights": [actions(weights(`, "weight": 100`, "")), actions(weights(`, "weight":0`, "")), set()],
		"one that got nothing": [actions(weights(`, "weight": 0`, "")), with_port("green", {"number": 80}), set()],
		"one that got requests": [actions(weights("", "")), with_port("green", {"number": 80}), {name_path}],
		"an action that is not there": [with_port("blue", {"number": 80}), actions("{}"), set()],
	}
	places(switched(case[0], case[1])) == case[2]
}

group(name, weight) := sprintf(`{"serviceName":"%s","servicePort":80,"weight":%d}`, [name, weight])

patch_of(old, new) := [
	{"op": "replace", "path": name_path, "value": "blue-to-green"},
	{
		"op": "replace",
		"path": ["spec", "defaultBackend", "service", "port"],
		"value": {"name": "use-annotation"},
	},
	{
		"op": "add",
		"path": ["metadata", "annotations", "alb.ingress.kubernetes.io/actions.blue-to-green"],
		"value": sprintf(
			`{"type":"forward","forwardConfig":{"targetGroups":[%s,%s]}}`,
			[group("blue", old), group("green", new)],
		),
	},
]

steps_of(former, manifest) := found if {
	found := rule.steps with input as switched(former, manifest)
}

test_steps if {
	steps_of(with_port("blue", {"number": 80}), with_port("green", {"number": 80})) == {{
		"at": {"document": 0, "path": name_path},
		"steps": [
			{
				"title": `Ingress "shop" fills a target group for "green" too, while "blue" gets all requests.`,
				"patch": patch_of(100, 0),
			},
			{
				"title": `Ingress "shop" sends to "green", whose targets are healthy, and keeps those of "blue".`,
				"patch": patch_of(0, 100),
			},
			{"title": `Ingress "shop" sends to "green" alone: nothing is in flight to "blue" any more.`},
		],
	}}
}

old_form(name) := ingress({
	"ingressClassName": "alb",
	"defaultBackend": {"serviceName": name, "servicePort": 80},
})

test_no_steps[note] if {
	port := {"number": 80}
	taken := {"alb.ingress.kubernetes.io/actions.blue-to-green": "{}"}
	long := "a-name-that-is-too-long-for-the-annotation-of-an-action-here"
	some note, case in {
		"no port": [alb("blue"), alb("green")],
		"the form before 1.19": [old_form("blue"), old_form("green")],
		"a long name": [with_port("blue", port), with_port(long, port)],
		"a name that is taken": [
			with_port("blue", port),
			testing.set(with_port("green", port), ["metadata", "annotations"], taken),
		],
	}
	got := {"violations": count(rule.violation), "steps": rule.steps} with input as switched(case[0], case[1])
	got == {"violations": 1, "steps": set()}
}
