package gracegate.rules.change["service-drops-old-pods_test"]

import data.gracegate.rules.change["service-drops-old-pods"] as rule
import data.gracegate.testing

# With more labels than the selector of the workload has.
web(labels) := testing.replace_at(
	testing.web,
	["spec", "template", "metadata", "labels"],
	object.union({"app": "web"}, labels),
)

named(manifest, name) := testing.replace_at(manifest, ["metadata", "name"], name)

selecting(labels) := testing.replace_at(testing.service, ["spec", "selector"], labels)

to(port) := testing.replace_at(testing.service, ["spec", "ports"], [object.union({"port": 80}, port)])

listening(ports) := testing.with_container(["ports"], ports)

http_on(number) := listening([{"name": "http", "containerPort": number}])

headless(service) := testing.set(service, ["spec", "clusterIP"], "None")

shop(a) := {"part": "shop", "a": a}

v1 := {"app": "web", "release": "v1"}

v2 := {"app": "web", "release": "v2"}

found(base, head) := rules_of(testing.change(base, head))

rules_of(batch) := facts if {
	facts := {"violation": rule.violation, "fix": rule.fix, "related": rule.related} with input as batch
}

levels(base, head) := {[violation.at.path, violation.level] | some violation in found(base, head).violation}

classes(base, head) := {object.get(fix, "class", "safe") | some fix in found(base, head).fix}

fixed(batch) := left if {
	fixes := rules_of(batch).fix
	left := rules_of(object.union(batch, testing.fixed_documents(batch, fixes))).violation
}

test_a_label if {
	batch := testing.change([web(v1), selecting(v1)], [web(v2), selecting(v2)])
	at := {"document": 1, "path": ["spec", "selector"]}
	rules_of(batch) == {
		"violation": {{"at": at, "level": "error", "message": concat(" ", [
			`Service "web" refuses every request until a new pod of Deployment "web" is ready:`,
			`its selector now asks for "release=v2", which only new pods have.`,
		])}},
		"fix": {{
			"at": at,
			"patch": [{"op": "remove", "path": ["spec", "selector", "release"]}],
			"advice": concat(" ", [
				"Let the Service select what old and new pods have in common,",
				`and add "release=v2" in another change, after this rollout.`,
			]),
		}},
		"related": {{"at": at, "places": [{"document": 0, "path": []}]}},
	}
	fixed(batch) == set()
}

test_a_port_number if {
	batch := testing.change([http_on(8080), to({"targetPort": 8080})], [http_on(9090), to({"targetPort": 9090})])
	at := {"document": 1, "path": ["spec", "ports", 0, "targetPort"]}
	rules_of(batch) == {
		"violation": {{"at": at, "level": "error", "message": concat(" ", [
			`Service "web" refuses every request until a new pod of Deployment "web" is ready:`,
			`it now sends to port "9090", which only new pods declare.`,
		])}},
		"fix": {{
			"at": at,
			"patch": [{"op": "replace", "path": at.path, "value": "http"}],
			"advice": `Old and new pods both have port "http".`,
		}},
		"related": {{"at": at, "places": [{"document": 0, "path": []}]}},
	}
	fixed(batch) == set()
}

test_selectors[note] if {
	selector := ["spec", "selector"]
	other := named(web({"app": "api", "part": "shop"}), "api")
	some note, case in {
		"a label more": [[web({}), testing.service], [web(v2), selecting(v2)], {[selector, "error"]}, {"safe"}],
		"another key": [
			[web({}), testing.service],
			[web({"name": "web"}), selecting({"name": "web"})], {[selector, "error"]}, {"safe"},
		],
		"another value": [
			[web({"a": "1"}), selecting({"a": "1"})],
			[web({"a": "2"}), selecting({"a": "2"})], {[selector, "error"]}, {"safe"},
		],
		"another value of pods that others are like": [
			[web({"a": "1"}), selecting({"a": "1"}), named(web({}), "b")],
			[web({"a": "2"}), selecting({"a": "2"}), named(web({}), "b")], {[selector, "error"]}, {"text"},
		],
		"what they share selects others": [
			[web({"part": "shop", "a": "1"}), selecting({"part": "shop", "a": "1"}), named(web({"part": "shop"}), "b")],
			[web({"part": "shop", "a": "2"}), selecting({"part": "shop", "a": "2"}), named(web({"part": "shop"}), "b")],
			{[selector, "error"]}, {"text"},
		],
		"others have each label": [
			[web(shop("1")), selecting(object.union({"app": "web"}, shop("1"))), other, named(web({}), "b")],
			[web(shop("2")), selecting(object.union({"app": "web"}, shop("2"))), other, named(web({}), "b")],
			{[selector, "error"]}, {"safe"},
		],
		"one of two workloads": [
			[web(v1), named(web(v2), "b"), selecting({"app": "web"})],
			[web(v2), named(web(v2), "b"), selecting(v2)], {[selector, "warning"]}, {"safe"},
		],
		"both of two workloads": [
			[web(v1), named(web(v1), "b"), selecting(v1)],
			[web(v2), named(web(v2), "b"), selecting(v2)], {[selector, "error"]}, {"safe"},
		],
		"for metrics only": [
			[web(v1), testing.set(selecting(v1), ["spec", "ports", 0, "name"], "metrics")],
			[web(v2), testing.set(selecting(v2), ["spec", "ports", 0, "name"], "metrics")], {[selector, "info"]}, {"safe"},
		],
	}
	[levels(case[0], case[1]), classes(case[0], case[1])] == [case[2], case[3]]
}

test_the_same_labels_elsewhere_are_no_others if {
	head := [
		testing.document(web(v2), "apps/web.yaml"),
		testing.document(selecting(v2), "apps/web.yaml"),
		testing.document(web({}), "staging/web.yaml"),
	]
	base := [testing.document(web(v1), "apps/web.yaml"), testing.document(selecting(v1), "apps/web.yaml"), head[2]]
	fixes := rules_of(testing.change_of(testing.batch_of(head), base)).fix
	{object.get(fix, "class", "safe") | some fix in fixes} == {"safe"}
}

test_others[note] if {
	some note, case in {
		"one": [["b"], `Deployment "web" or another workload is ready`],
		"two": [["b", "c"], `Deployment "web" or 2 other workloads is ready`],
	}
	base := array.concat([web(v1), selecting(v1)], [named(web(v1), name) | some name in case[0]])
	head := array.concat([web(v2), selecting(v2)], [named(web(v2), name) | some name in case[0]])
	[violation] := [violation | some violation in found(base, head).violation]
	contains(violation.message, case[1])
}

test_advice[note] if {
	some note, case in {
		"a key": [{"name": "web"}, "Give the pods the new labels in a change before this one"],
		"a value": [{"app": "shop"}, `No pod can have both values of "app"`],
	}
	head := testing.replace_at(testing.web, ["spec", "template", "metadata", "labels"], case[0])
	[fix] := [fix | some fix in found([testing.web, testing.service], [head, selecting(case[0])]).fix]
	contains(fix.advice, case[1])
}

test_ports[note] if {
	place := ["spec", "ports", 0, "targetPort"]
	web_port := listening([{"name": "web", "containerPort": 8080}])
	both := listening([{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}])
	some note, case in {
		"a name": [
			[testing.web, testing.service], [web_port, to({"targetPort": "web"})],
			{[place, "error"]}, {["safe", 8080]},
		],
		"a name and a number": [
			[testing.web, testing.service],
			[listening([{"name": "web", "containerPort": 9090}]), to({"targetPort": "web"})],
			{[place, "error"]}, {["text", null]},
		],
		"a number without a name": [
			[listening([{"containerPort": 8080}]), to({"targetPort": 8080})],
			[listening([{"containerPort": 9090}]), to({"targetPort": 9090})],
			{[place, "error"]}, {["text", null]},
		],
		"a port of the same name and another number": [
			[http_on(8080), to({"name": "web", "targetPort": 8080})],
			[http_on(9090), to({"name": "web", "port": 81, "targetPort": 9090})],
			{[place, "error"]}, {["safe", "http"]},
		],
		"a target that is left out": [
			[http_on(8080), to({"targetPort": 8080})],
			[http_on(80), to({})], {[["spec", "ports", 0], "error"]}, {["safe", "http"]},
		],
		"a port beside the old one": [
			[testing.web, testing.service], [both, to({"targetPort": "admin"})],
			{[place, "error"]}, {["text", null]},
		],
		"one of two workloads": [
			[testing.web, named(both, "b"), to({"targetPort": 8080})],
			[http_on(9090), named(both, "b"), to({"targetPort": 9090})],
			{[place, "warning"]}, {["text", null]},
		],
	}
	steps := {[object.get(fix, "class", "safe"), object.get(fix, ["patch", 0, "value"], null)] |
		some fix in found(case[0], case[1]).fix
	}
	[levels(case[0], case[1]), steps] == [case[2], case[3]]
}

stopped := testing.set(web(v1), ["spec", "replicas"], 0)

silent := {
	"no change": [[web(v1), selecting(v1)], [web(v1), selecting(v1)]],
	"the labels alone": [[web(v1), testing.service], [web(v2), testing.service]],
	"the selector alone": [[web(v1), testing.service], [web(v1), selecting(v1)]],
	"a wider selector": [[web(v1), selecting(v1)], [web(v2), testing.service]],
	"pods that it did not select before": [[web({}), selecting(v1)], [web(v2), selecting(v2)]],
	"a new workload": [[selecting(v1)], [web(v2), selecting(v2)]],
	"a new Service": [[web(v1)], [web(v2), selecting(v2)]],
	"no pods before": [[stopped, selecting(v1)], [web(v2), selecting(v2)]],
	"a switch to a workload that runs": [
		[web(v1), named(web(v2), "b"), selecting(v1)],
		[web(v1), named(web(v2), "b"), selecting(v2)],
	],
	"a refused update": [
		[testing.web, testing.service],
		[
			testing.set(web(v2), ["spec", "selector", "matchLabels"], v2),
			selecting(v2),
		],
	],
	"a variable": [[web(v1), selecting(v1)], [
		web({"release": "${RELEASE}"}),
		selecting({"app": "web", "release": "${RELEASE}"}),
	]],
	"a Job": [
		[object.union(web(v1), {"apiVersion": "batch/v1", "kind": "Job"}), selecting(v1)],
		[object.union(web(v2), {"apiVersion": "batch/v1", "kind": "Job"}), selecting(v2)],
	],
	"a patch": [[selecting(v1)], [selecting(v2)]],
	"the number behind a name": [[http_on(8080), testing.service], [http_on(9090), testing.service]],
	"another port": [[testing.web, to({"targetPort": 8080})], [http_on(9090), to({"port": 81, "targetPort": 9090})]],
	"a port of another name": [
		[http_on(8080), to({"name": "a", "targetPort": 8080})],
		[http_on(9090), to({"name": "b", "targetPort": 9090})],
	],
	"another protocol": [
		[http_on(8080), to({"targetPort": 8080})],
		[http_on(9090), to({"targetPort": 9090, "protocol": "UDP"})],
	],
	"a port that was not served": [[http_on(8080), to({"targetPort": 1})], [http_on(9090), to({"targetPort": 9090})]],
	"a port that is not declared": [[http_on(8080), to({"targetPort": 8080})], [http_on(8080), to({"targetPort": 9090})]],
	"a declared port": [
		[testing.web, to({"targetPort": "http"})],
		[testing.set(testing.web, ["spec", "replicas"], 3), to({"targetPort": 8080})],
	],
	"a variable name": [
		[listening([{"name": "{{ a }}", "containerPort": 8080}]), to({"targetPort": 8080})],
		[http_on(9090), to({"targetPort": 9090})],
	],
	"a headless Service": [
		[http_on(8080), headless(to({"targetPort": 8080}))],
		[http_on(9090), headless(to({"targetPort": 9090}))],
	],
	"ports of a wrong type": [
		[http_on(8080), testing.replace_at(testing.service, ["spec", "ports"], "x")],
		[http_on(9090), testing.replace_at(testing.service, ["spec", "ports"], ["x", null])],
	],
	"a selector of a wrong type": [[web(v1), selecting("x")], [web(v2), selecting(v2)]],
	"an empty selector": [[web(v1), selecting({})], [web(v2), selecting(v2)]],
}

test_silent_on[note] if {
	some note, case in silent
	found(case[0], case[1]).violation == set()
}

test_silent_without_a_base if {
	rules_of(testing.batch([web(v2), selecting(v2)])).violation == set()
}

test_a_fact_is_silent if {
	head := testing.batch_of([
		testing.document(web(v2), "apps/web.yaml"),
		testing.fact(selecting(v2), "apps/web.yaml"),
	])
	base := [testing.document(web(v1), "apps/web.yaml"), testing.document(selecting(v1), "apps/web.yaml")]
	rules_of(testing.change_of(head, base)).violation == set()
}

# The Service of one file changes, the workload of another.
test_in_two_files if {
	head := [testing.document(web(v2), "apps/web.yaml"), testing.document(selecting(v2), "apps/svc.yaml")]
	base := [testing.document(web(v1), "apps/web.yaml"), testing.document(selecting(v1), "apps/svc.yaml")]
	{violation.level | some violation in rules_of(testing.change_of(testing.batch_of(head), base)).violation} == {"error"}
}

steps_of(base, head) := found if {
	found := rule.steps with input as testing.change(base, head)
}

selector_at := {"document": 1, "path": ["spec", "selector"]}

test_steps_with_a_wider_selector if {
	steps_of([web(v1), selecting(v1)], [web(v2), selecting(v2)]) == {{"at": selector_at, "steps": [
		{
			"title": `Service "web" selects old and new pods, by "app=web" alone.`,
			"patch": [{"op": "remove", "path": ["spec", "selector", "release"]}],
		},
		{"title": `Service "web" selects only new pods: no old one runs any more.`},
	]}}
}

test_steps_with_the_selector_of_the_workload if {
	steps_of([web({"a": "1"}), selecting({"a": "1"})], [web({"a": "2"}), selecting({"a": "2"})]) == {{
		"at": selector_at,
		"steps": [
			{
				"title": `Service "web" selects old and new pods, by "app=web" alone.`,
				"patch": [
					{"op": "add", "path": ["spec", "selector", "app"], "value": "web"},
					{"op": "remove", "path": ["spec", "selector", "a"]},
				],
			},
			{"title": `Service "web" selects only new pods: no old one runs any more.`},
		],
	}}
}

other_web := named(web({}), "b")

test_steps_with_old_labels if {
	label := {"op": "add", "document": 0, "path": ["spec", "template", "metadata", "labels", "a"], "value": "1"}
	base := [web({"a": "1"}), selecting({"a": "1"}), other_web]
	steps_of(base, [web({"b": "2"}), selecting({"b": "2"}), other_web]) == {{"at": selector_at, "steps": [
		{
			"title": `Service "web" still selects by "a=1", while pods of Deployment "web" get the new labels.`,
			"patch": [
				label,
				{"op": "add", "path": ["spec", "selector", "a"], "value": "1"},
				{"op": "remove", "path": ["spec", "selector", "b"]},
			],
		},
		{
			"title": concat(" ", [
				`Service "web" selects by the new labels:`,
				`all pods of Deployment "web" have them and the old ones.`,
			]),
			"patch": [label],
		},
		{"title": `Service "web" selects by "b=2", and nothing needs the old labels any more.`},
	]}}
}

test_steps_with_an_old_selector_that_fits if {
	base := [web({"a": "1"}), selecting({"a": "1"}), other_web]
	steps_of(base, [web({"a": "1", "b": "2"}), selecting({"b": "2"}), other_web]) == {{"at": selector_at, "steps": [
		{
			"title": `Service "web" still selects by "a=1", while pods of Deployment "web" get the new labels.`,
			"patch": [
				{"op": "add", "path": ["spec", "selector", "a"], "value": "1"},
				{"op": "remove", "path": ["spec", "selector", "b"]},
			],
		},
		{"title": `Service "web" selects by "b=2", and nothing needs the old labels any more.`},
	]}}
}

test_steps_with_a_port_that_both_have if {
	at := {"document": 1, "path": ["spec", "ports", 0, "targetPort"]}
	base := [http_on(8080), to({"targetPort": 8080})]
	steps_of(base, [http_on(9090), to({"targetPort": 9090})]) == {{"at": at, "steps": [
		{
			"title": `Service "web" sends to port "http", which old and new pods have.`,
			"patch": [{"op": "replace", "path": at.path, "value": "http"}],
		},
		{"title": `Service "web" sends to port "9090": no old pod runs any more.`},
	]}}
}

numbered(number) := listening([{"containerPort": number}])

port_at := {"document": 1, "path": ["spec", "ports", 0, "targetPort"]}

test_steps_with_a_name_for_the_port if {
	path := testing.inside(["ports", 0, "name"])
	to_name := {"op": "replace", "path": port_at.path, "value": "app"}
	old := {"former": 0, "patch": [{"op": "add", "path": path, "value": "app"}]}
	base := [numbered(8080), to({"targetPort": 8080})]
	steps_of(base, [numbered(9090), to({"targetPort": 9090})]) == {{"at": port_at, "steps": [
		{"title": `Pods of Deployment "web" call their port "app".`, "instead": [old], "restored": [1]},
		{"title": `Service "web" sends to port "app".`, "patch": [to_name], "instead": [old]},
		{
			"title": `New pods of Deployment "web" have the port under its new number.`,
			"patch": [to_name, {"op": "add", "document": 0, "path": path, "value": "app"}],
		},
		{"title": `Service "web" sends to port "9090": no old pod runs any more.`},
	]}}
}

test_titles_of_ports[note] if {
	call := `Pods of Deployment "web" call their port "http".`
	send := `Service "web" sends to port "http".`
	move := `New pods of Deployment "web" have the port under its new number.`
	end := `Service "web" sends to port "9090": no old pod runs any more.`
	some note, case in {
		"a name that is new": [numbered(8080), 8080, http_on(9090), "http", [call, send, move]],
		"a name that is new, and a number": [numbered(8080), 8080, http_on(9090), 9090, [call, send, move, end]],
		"a name that is gone": [http_on(8080), "http", numbered(9090), 9090, [send, move, end]],
	}
	base := [case[0], to({"targetPort": case[1]})]
	titles := [step.title |
		some found in steps_of(base, [case[2], to({"targetPort": case[3]})])
		some step in found.steps
	]
	titles == case[4]
}

test_no_steps[note] if {
	some note, case in {
		"another value": [
			[web({"a": "1"}), selecting({"a": "1"}), other_web],
			[web({"a": "2"}), selecting({"a": "2"}), other_web],
		],
		"two names": [
			[listening([{"name": "old", "containerPort": 8080}]), to({"targetPort": 8080})],
			[http_on(9090), to({"targetPort": 9090})],
		],
		"a name that another port has": [
			[listening([{"containerPort": 8080}, {"name": "app", "containerPort": 1}]), to({"targetPort": 8080})],
			[numbered(9090), to({"targetPort": 9090})],
		],
	}
	steps_of(case[0], case[1]) == set()
}
