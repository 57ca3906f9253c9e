package gracegate.rules.liveness["probe-command-fails_test"]

import data.gracegate.rules.liveness["probe-command-fails"] as rule
import data.gracegate.testing

web(by, command, fields) := testing.batch([json.patch(testing.web, [
	{"op": "add", "path": testing.inside([by]), "value": {"exec": {"command": command}}},
	{"op": "add", "path": testing.inside(["image"]), "value": object.get(fields, "image", "registry.example/web:1")},
])])

test_one_word if {
	at := {"document": 0, "path": testing.inside(["readinessProbe", "exec", "command"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as web("readinessProbe", ["cat /ready"], {})
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat(" ", [
				`Container "web" never becomes ready: its readinessProbe always fails,`,
				`because "['cat /ready']" is one program name; write "['cat', '/ready']".`,
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "replace", "path": at.path, "value": ["cat", "/ready"]}]}},
	}
}

test_an_image_without_the_program[note] if {
	some note, case in {
		"certainly": ["gcr.io/distroless/static", "error", `image "gcr.io/distroless/static" lacks the program "sh".`],
		"likely": ["a.org/web:1-nonroot", "warning", `image "a.org/web:1-nonroot" seems to lack the program "sh".`],
	}
	batch := web("livenessProbe", ["/bin/sh", "-c", "cat /alive"], {"image": case[0]})
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	{[violation.level, violation.message] | some violation in got.violation} == {[
		case[1],
		concat(" ", [
			`Container "web" is restarted again and again: its livenessProbe always fails, because`,
			case[2],
		]),
	]}
	{fix.class | some fix in got.fix} == {"text"}
}

test_silent_on[note] if {
	some note, batch in {
		"a command that runs": web("startupProbe", ["cat", "/started"], {}),
		"one that is rejected, which another rule reports": web("startupProbe", ["cat", 1], {}),
		"a program of the app": web("startupProbe", ["/app/check"], {"image": "gcr.io/distroless/static"}),
		"another probe": testing.batch([testing.web]),
	}
	violations := rule.violation with input as batch
	violations == set()
}
