package gracegate.rules.termination["prestop-stops-app-first_test"]

import data.gracegate.rules.termination["prestop-stops-app-first"] as rule
import data.gracegate.testing

hook := testing.inside(["lifecycle", "preStop"])

exec(words) := {"exec": {"command": words}}

web(action) := testing.with_container(["lifecycle", "preStop"], action)

levels(objects) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_silent_on[note] if {
	some note, objects in {
		"a sleep": [testing.web, testing.service],
		"a sleep first": [web(exec(["sh", "-c", "sleep 10; nginx -s quit"])), testing.service],
		"a loop first": [web(exec(["sh", "-c", "while x; do sleep 1; done; nginx -s quit"])), testing.service],
		"a reload": [web(exec(["nginx", "-s", "reload"])), testing.service],
		"nobody sends": [web(exec(["nginx", "-s", "quit"]))],
		"another request": [web({"httpGet": {"path": "/drain", "port": 80}}), testing.service],
		"a broken hook": [web({"exec": {"command": ["nginx -s quit"]}}), testing.service],
		"a program that the image lacks": [
			testing.set(web(exec(["sh", "-c", "kill 1"])), testing.inside(["image"]), "scratch"),
			testing.service,
		],
		"an app that drains by itself": [
			testing.set(
				web(exec(["kill", "1"])),
				["metadata", "annotations"], {"gracegate.dev/drain": "app"},
			),
			testing.service,
		],
	}
	levels(objects) == set()
}

test_found if {
	at := {"document": 0, "path": hook}
	batch := testing.batch([web(exec(["/usr/sbin/nginx", "-s", "quit"])), testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat(" ", [
				`Container "web" refuses connections while traffic still arrives:`,
				`its preStop hook begins with "nginx -s quit", and Service "web" still sends to it for up to 10 s.`,
			]),
		}},
		"fix": {{"at": at, "class": "text", "advice": concat(" ", [
			`Sleep first, as in "sleep 10; nginx -s quit".`,
			"Where the image stops gracefully on SIGTERM, the sleep alone is enough.",
		])}},
	}
}

test_levels[note] if {
	some note, case in {
		"nginx": [exec(["nginx", "-s", "quit"]), {"error"}],
		"process 1": [exec(["sh", "-c", "kill -TERM 1; sleep 15"]), {"error"}],
		"another process": [exec(["sh", "-c", "pkill -f app; sleep 15"]), {"warning"}],
		"a proxy's request": [{"httpGet": {"path": "/quitquitquit", "port": 15020}}, {"warning"}],
	}
	levels([web(case[0]), testing.service]) == case[1]
}

test_headless if {
	headless := testing.set(testing.service, ["spec", "clusterIP"], "None")
	levels([web(exec(["nginx", "-s", "quit"])), headless]) == {"info"}
}
