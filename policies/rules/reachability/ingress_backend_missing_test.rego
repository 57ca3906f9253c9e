package gracegate.rules.reachability["ingress-backend-missing_test"]

import data.gracegate.rules.reachability["ingress-backend-missing"] as rule
import data.gracegate.testing

ingress(spec) := {
	"apiVersion": "networking.k8s.io/v1",
	"kind": "Ingress",
	"metadata": {"name": "shop"},
	"spec": spec,
}

to(name, port) := ingress({"defaultBackend": {"service": {"name": name, "port": port}}})

route(reference) := {
	"apiVersion": "gateway.networking.k8s.io/v1",
	"kind": "HTTPRoute",
	"metadata": {"name": "shop"},
	"spec": {"rules": [{"backendRefs": [reference]}]},
}

beside(manifest) := testing.batch([testing.web, testing.service, manifest])

in_namespace(manifest, namespace) := testing.set(manifest, ["metadata", "namespace"], namespace)

found(batch) := {[violation.level, violation.at.path] | some violation in violations} if {
	violations := rule.violation with input as batch
}

name_path := ["spec", "defaultBackend", "service", "name"]

number_path := ["spec", "defaultBackend", "service", "port", "number"]

test_a_misspelt_service if {
	at := {"document": 2, "path": name_path}
	batch := beside(to("wbe", {"number": 80}))
	got := {"violation": rule.violation, "fix": rule.fix, "possible": rule.possible} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": concat(" ", [
				`Ingress "shop" answers requests with an error:`,
				`no Service here is named "wbe", but one is named "web".`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "assumes",
			"patch": [{"op": "replace", "path": name_path, "value": "web"}],
			"assumption": `The requests are meant for Service "web".`,
		}},
		"possible": {at},
	}
}

test_another_service if {
	at := {"document": 2, "path": name_path}
	got := {"violation": rule.violation, "fix": rule.fix} with input as beside(to("payments", {"number": 80}))
	got == {
		"violation": {{
			"at": at,
			"level": "info",
			"message": concat(" ", [
				`Ingress "shop" answers requests with an error unless something else makes the Service "payments":`,
				"no manifest here does.",
			]),
		}},
		"fix": {{"at": at, "class": "text", "advice": "Name a Service that exists, or add it to this change."}},
	}
}

test_a_port_of_the_pods if {
	at := {"document": 2, "path": number_path}
	batch := beside(to("web", {"number": 8080}))
	got := {"violation": rule.violation, "fix": rule.fix, "related": rule.related} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat(" ", [
				`Ingress "shop" answers every request to Service "web" with an error:`,
				"the Service has no port 8080, only 80.",
			]),
		}},
		"fix": {{
			"at": at,
			"class": "assumes",
			"patch": [{"op": "replace", "path": number_path, "value": 80}],
			"assumption": "The requests are meant for the only port of the Service, 80.",
		}},
		"related": {{"at": at, "places": [{"document": 1, "path": []}]}},
	}
	found(object.union(batch, testing.fixed_documents(batch, got.fix))) == set()
}

test_a_name_of_a_port_without_one if {
	at := {"document": 2, "path": ["spec", "defaultBackend", "service", "port", "name"]}
	got := {"violation": rule.violation, "fix": rule.fix} with input as beside(to("web", {"name": "admin"}))
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat(" ", [
				`Ingress "shop" answers every request to Service "web" with an error:`,
				`the Service has no port "admin".`,
			]),
		}},
		"fix": {{"at": at, "class": "text", "advice": "Name one of the ports of the Service, not of its pods."}},
	}
}

test_kinds[note] if {
	some note, [manifest, expected] in {
		"a path": [
			ingress({"rules": [{"http": {"paths": [{"backend": {"service": {"name": "wbe"}}}]}}]}),
			["warning", ["spec", "rules", 0, "http", "paths", 0, "backend", "service", "name"]],
		],
		"before 1.19": [ingress({"backend": {"serviceName": "wbe"}}), ["warning", ["spec", "backend", "serviceName"]]],
		"before 1.19, a port": [
			ingress({"backend": {"serviceName": "web", "servicePort": 8080}}),
			["error", ["spec", "backend", "servicePort"]],
		],
		"HTTPRoute": [route({"name": "wbe"}), ["warning", ["spec", "rules", 0, "backendRefs", 0, "name"]]],
		"HTTPRoute, a port": [
			route({"name": "web", "port": 8080}),
			["error", ["spec", "rules", 0, "backendRefs", 0, "port"]],
		],
	}
	found(beside(manifest)) == {expected}
}

test_silent_on[note] if {
	some note, batch in {
		"number": beside(to("web", {"number": 80})),
		"no port": beside(to("web", {})),
		"null": beside(to("web", null)),
		"a wrong type": beside(to("web", {"number": {}})),
		"the target's name": beside(to("web", {"name": "http"})),
		"the target's number": testing.batch([
			testing.web,
			testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 8080),
			to("web", {"number": 8080}),
		]),
		"a port with a variable as name": testing.batch([
			testing.web,
			testing.set(testing.service, ["spec", "ports", 0, "name"], "${NAME}"),
			to("web", {"name": "admin"}),
		]),
		"a variable as name": beside(to("${NAME}", {"number": 80})),
		"a variable as port": beside(to("web", {"name": "${PORT}"})),
		"a number in a string": beside(ingress({"backend": {"serviceName": "web", "servicePort": "80"}})),
		"a Service with a variable": testing.batch([
			testing.web,
			testing.set(testing.service, ["spec", "ports", 0, "port"], "${PORT}"),
			to("web", {"number": 8080}),
		]),
		"a Service without ports": testing.batch([
			testing.web,
			testing.set(testing.service, ["spec"], {"selector": {"app": "web"}}),
			to("web", {"number": 8080}),
		]),
		"an ExternalName": testing.batch([
			testing.set(testing.service, ["spec"], {"type": "ExternalName", "ports": [{"port": 80}]}),
			to("web", {"number": 8080}),
		]),
		"no Service beside it": testing.batch([testing.web, to("api", {"number": 80})]),
		"an action of the AWS Load Balancer Controller": beside(to("redirect", {"name": "use-annotation"})),
		"something else than a Service": beside(route({"name": "wbe", "kind": "Backend"})),
		"of another group": beside(route({"name": "wbe", "group": "net.gke.io"})),
		"a fact": testing.batch_of([
			testing.document(testing.service, "apps/web.yaml"),
			testing.fact(to("wbe", {"number": 80}), "apps/web.yaml"),
		]),
		"an unread file": testing.with_unread_file(beside(to("wbe", {"number": 80}))),
		"a host of Istio's": beside({
			"apiVersion": "networking.istio.io/v1",
			"kind": "VirtualService",
			"metadata": {"name": "shop"},
			"spec": {"gateways": ["edge"], "http": [{"route": [{"destination": {"host": "wbe"}}]}]},
		}),
		"one of two Services of that name": testing.batch([
			testing.web,
			testing.service,
			testing.set(testing.service, ["spec", "ports", 0, "port"], 8080),
			to("web", {"number": 8080}),
		]),
	}
	found(batch) == set()
}

# It may be for another cluster.
test_the_same_namespace_in_another_root if {
	found(testing.batch_of([
		testing.document(in_namespace(testing.service, "shop"), "bank/web.yaml"),
		testing.document(in_namespace(to("web", {"number": 8080}), "shop"), "apps/web.yaml"),
	])) == set()
}

test_another_namespace if {
	here := testing.batch([in_namespace(testing.service, "bank"), in_namespace(to("web", {"number": 80}), "shop")])
	found(here) == {["info", name_path]}
	there := route({"name": "web", "namespace": "bank", "port": 80})
	found(testing.batch([in_namespace(testing.service, "bank"), in_namespace(there, "shop")])) == set()
}
