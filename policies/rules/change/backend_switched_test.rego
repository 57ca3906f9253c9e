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
