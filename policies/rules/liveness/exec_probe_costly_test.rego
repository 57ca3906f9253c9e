package gracegate.rules.liveness["exec-probe-costly_test"]

import data.gracegate.rules.liveness["exec-probe-costly"] as rule
import data.gracegate.testing

# web with an exec probe of this command and these settings.
web(field, command, settings) := testing.with_container(
	[field],
	object.union(settings, {"exec": {"command": command}}),
)

found(objects) := [violation.message | some violation in violations] if {
	violations := rule.violation with input as testing.batch(objects)
}

test_every_second if {
	at := {"document": 0, "path": testing.inside(["livenessProbe"])}
	batch := testing.batch([web("livenessProbe", ["/app/healthy"], {"periodSeconds": 1}), testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "info",
			"message": `The livenessProbe of container "web" starts a process every 1 s, which takes CPU from the app.`,
		}},
		"fix": {{
			"at": at,
			"assumption": "It is enough to notice a failure some seconds later.",
			"patch": [{"op": "replace", "path": array.concat(at.path, ["periodSeconds"]), "value": 5}],
		}},
	}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_a_list_of_connections if {
	batch := testing.batch([
		web("readinessProbe", ["sh", "-c", "netstat -tln | grep 8080"], {}),
		testing.service,
	])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	[violation.message | some violation in got.violation] == [concat(" ", [
		`The readinessProbe of container "web" takes longer the more connections there are,`,
		`because it runs "netstat".`,
	])]
	{fix.class | some fix in got.fix} == {"text"}
}

test_one_finding_for_both if {
	count(found([web("livenessProbe", ["netstat"], {"periodSeconds": 1}), testing.service])) == 1
}

test_silent_on[note] if {
	some note, objects in {
		"the default period": [web("livenessProbe", ["/app/healthy"], {}), testing.service],
		"5 s": [web("livenessProbe", ["/app/healthy"], {"periodSeconds": 5}), testing.service],
		"another probe": [
			testing.with_container(["livenessProbe"], {"periodSeconds": 1, "httpGet": {"port": 80}}),
			testing.service,
		],
		"a startupProbe": [web("startupProbe", ["/app/healthy"], {"periodSeconds": 1}), testing.service],
		"a variable": [web("livenessProbe", ["/app/healthy"], {"periodSeconds": "${PERIOD}"}), testing.service],
		"a command of a wrong type": [web("livenessProbe", "netstat", {"periodSeconds": 1}), testing.service],
		"words of a wrong type": [web("livenessProbe", [1, {}], {}), testing.service],
		"nobody sends to it": [web("livenessProbe", ["/app/healthy"], {"periodSeconds": 1})],
	}
	found(objects) == []
}
