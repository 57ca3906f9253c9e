package gracegate.rules.termination["prestop-command-not-in-image_test"]

import data.gracegate.rules.termination["prestop-command-malformed"] as malformed
import data.gracegate.rules.termination["prestop-command-not-in-image"] as rule
import data.gracegate.rules.termination["prestop-prefer-native-sleep"] as prefer
import data.gracegate.testing

hook := testing.inside(["lifecycle", "preStop"])

exec(command) := {"exec": {"command": command}}

web(image, action) := testing.set(
	testing.with_container(["lifecycle", "preStop"], action),
	testing.inside(["image"]),
	image,
)

batch_for(image, action) := testing.batch([web(image, action)])

found(image, action) := {violation.level | some violation in violations} if {
	violations := rule.violation with input as batch_for(image, action)
}

test_no_shell if {
	at := {"document": 0, "path": array.concat(hook, ["exec", "command", 0])}
	batch := batch_for("gcr.io/distroless/base", exec(["/bin/sh", "-c", "sleep 10"]))
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat("", [
				`Container "web" never drains: `,
				`its preStop hook calls "sh", which its image "gcr.io/distroless/base" lacks.`,
			]),
		}},
		"fix": {{"at": at, "patch": [{"op": "replace", "path": hook, "value": {"sleep": {"seconds": 10}}}]}},
	}
}

test_possibly_no_shell if {
	messages := {violation.message | some violation in rule.violation} with input as batch_for(
		"nginx:alpine",
		exec(["bash", "-c", "sleep 10"]),
	)
	messages == {concat("", [
		`Container "web" most likely never drains: `,
		`its preStop hook calls "bash", which its image "nginx:alpine" seems to lack.`,
	])}
}

test_levels[note] if {
	some note, case in {
		"scratch": ["scratch", ["sleep", "5"], {"error"}],
		"a mirror": ["registry.example/distroless/base", ["sleep", "5"], {"warning"}],
		"debug": ["gcr.io/distroless/base:debug", ["sleep", "5"], set()],
		"another program": ["gcr.io/distroless/java21", ["/app/stop"], set()],
		"a hook that is wrong": ["scratch", ["sleep 5"], set()],
		"words that are no list": ["scratch", "sleep 5", set()],
		"a word that is no string": ["scratch", [5], set()],
		"no words": ["scratch", [], set()],
		"an image that is no string": [null, ["sleep", "5"], set()],
		"an empty image": ["", ["sleep", "5"], set()],
	}
	found(case[0], exec(case[1])) == case[2]
}

test_silent_on[note] if {
	some note, action in {
		"native sleep": {"sleep": {"seconds": 5}},
		"httpGet": {"httpGet": {"port": 80}},
		"null": null,
		"nothing": {},
		"an exec that is a string": {"exec": "sleep 5"},
	}
	found("scratch", action) == set()
}

test_no_hook_at_all if {
	workload := testing.remove_at(testing.web, testing.inside(["lifecycle"]))
	rule.violation == set() with input as testing.batch([workload])
}

test_only_subjects if {
	documents := [testing.fact(web("scratch", exec(["sleep", "5"])), "a/b")]
	rule.violation == set() with input as testing.batch_of(documents)
}

test_advice_only[note] if {
	sidecar := {"name": "x", "image": "scratch", "restartPolicy": "Always", "lifecycle": {"preStop": exec(["sleep", "5"])}}
	some note, batch in {
		"a script that does more": batch_for("scratch", exec(["sh", "-c", "nginx -s quit; sleep 5"])),
		"before native sleep": testing.at_version(batch_for("scratch", exec(["sleep", "5"])), 29),
		"a sidecar": testing.batch([testing.set(testing.web, ["spec", "template", "spec", "initContainers"], [sidecar])]),
		"a fragment": testing.batch_of([testing.fragment(web("scratch", exec(["sleep", "5"])), "a/b")]),
	}
	fixes := rule.fix with input as batch
	[fix.class | some fix in fixes] == ["text"]
}

test_a_job_too if {
	job := object.union(web("scratch", exec(["sleep", "5"])), {"apiVersion": "batch/v1", "kind": "Job"})
	count(rule.violation) == 1 with input as testing.batch([job])
}

test_extends_the_grace_period if {
	fixes := rule.fix with input as batch_for("scratch", exec(["sleep", "60"]))
	[step.value | some fix in fixes; some step in fix.patch] == [{"sleep": {"seconds": 60}}, 75]
}

test_only_one_rule_reports if {
	batch := batch_for("scratch", exec(["sleep", "10"]))
	prefer.violation | malformed.violation == set() with input as batch
	fixes := rule.fix with input as batch
	fixed := object.union(batch, testing.fixed_documents(batch, fixes))
	rule.violation | prefer.violation == set() with input as fixed
}
