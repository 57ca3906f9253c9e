package gracegate.rules.liveness["probe-invalid_test"]

import data.gracegate.rules.liveness["liveness-as-aggressive-as-readiness"] as aggressive
import data.gracegate.rules.liveness["probe-invalid"] as rule
import data.gracegate.rules.rollout["rollout-drops-all-replicas"] as dropping
import data.gracegate.rules.termination["prestop-command-malformed"] as malformed
import data.gracegate.testing

# The honest container, with these fields, each as it is given.
web(fields) := testing.batch([json.patch(testing.web, [step |
	some field, value in fields
	step := {"op": "add", "path": testing.inside([field]), "value": value}
])])

tcp := {"tcpSocket": {"port": 8080}}

liveness(fields) := web({"livenessProbe": object.union(tcp, fields)})

readiness(fields) := web({"readinessProbe": fields})

hook(by, action) := web({"lifecycle": {by: action}})

# The honest Deployment, with these fields in its spec and its pod.
shaped(kind, spec, pod) := testing.batch([object.union(testing.web, {
	"kind": kind,
	"spec": object.union(spec, {"template": {"spec": pod}}),
})])

rollout(spec) := testing.batch([object.union(testing.web, {
	"apiVersion": "argoproj.io/v1alpha1",
	"kind": "Rollout",
	"spec": spec,
})])

rolling(update) := {"strategy": {"rollingUpdate": update}}

daemons(update) := {"updateStrategy": {"rollingUpdate": update}}

open_port(fields) := {"containers": [{
	"name": "web",
	"image": "x",
	"ports": [object.union({"containerPort": 80}, fields)],
}]}

init(fields) := shaped("Deployment", {}, {"initContainers": [object.union({"name": "prepare", "image": "x"}, fields)]})

budget(spec) := testing.batch([{
	"apiVersion": "policy/v1",
	"kind": "PodDisruptionBudget",
	"metadata": {"name": "web"},
	"spec": spec,
}])

found(batch) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_a_probe_that_has_to_pass_twice if {
	at := {"document": 0, "path": testing.inside(["livenessProbe", "successThreshold"])}
	got := {"violation": rule.violation, "fix": rule.fix} with input as liveness({"successThreshold": 2})
	got == {
		"violation": {{"at": at, "message": concat(" ", [
			`The API server rejects container "web": it has a livenessProbe with successThreshold 2,`,
			"but only a readinessProbe may require more than 1.",
		])}},
		"fix": {{"at": at, "patch": [{"op": "replace", "path": at.path, "value": 1}]}},
	}
}

silent := {
	"an honest Deployment": testing.batch([testing.web, testing.service]),
	"defaults, written": liveness({
		"failureThreshold": 3,
		"initialDelaySeconds": 0,
		"periodSeconds": 10,
		"successThreshold": 1,
		"timeoutSeconds": 1,
	}),
	"zeros": liveness({
		"failureThreshold": 0,
		"initialDelaySeconds": 0,
		"periodSeconds": 0,
		"successThreshold": 0,
		"timeoutSeconds": 0,
	}),
	"nulls": liveness({"successThreshold": null, "terminationGracePeriodSeconds": null, "exec": null}),
	"a grace period of its own": liveness({"terminationGracePeriodSeconds": 1}),
	"a readinessProbe that has to pass twice": readiness(object.union(tcp, {"successThreshold": 2})),
	"no probes": web({"livenessProbe": null, "readinessProbe": null, "startupProbe": null}),
	"the first and the last port": web({
		"livenessProbe": {"grpc": {"port": 1}},
		"readinessProbe": {"httpGet": {"port": 65535}},
	}),
	"a port that nobody declares": readiness({"httpGet": {"port": "nope"}}),
	"the grpc port that is a string": readiness({"grpc": {"port": "8080"}}),
	"commands": web({"livenessProbe": {"exec": {"command": ["sh", "-c", "true"]}}}),
	"a command that fails": web({"livenessProbe": {"exec": {"command": ["sleep 1"]}}}),
	"hooks": web({"lifecycle": {
		"postStart": {"httpGet": {"port": "http"}},
		"preStop": {"httpGet": {"port": 8080}},
	}}),
	"hooks that are null": web({"lifecycle": {"postStart": null, "preStop": null}}),
	"a preStop hook that another rule reports": hook("preStop", {"tcpSocket": {"port": 80}}),
	"no port in preStop, which another rule reports": hook("preStop", {"httpGet": {"port": 0}}),
	"a postStart hook that may fail": hook("postStart", {"exec": {"command": ["sleep 10"]}}),
	"an init container": init({}),
	"an init container with nulls": init({"livenessProbe": null, "lifecycle": null}),
	"a sidecar": init({
		"restartPolicy": "Always",
		"livenessProbe": tcp,
		"lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
	}),
	"a container that restarts": web({"restartPolicy": "Always"}),
	"no ephemeral containers": shaped("Deployment", {}, {"ephemeralContainers": []}),
	"the same port outside": shaped("Deployment", {}, object.union(open_port({"hostPort": 80}), {"hostNetwork": true})),
	"any port outside": shaped("Deployment", {}, object.union(open_port({"hostPort": 0}), {"hostNetwork": true})),
	"another port outside": shaped("Deployment", {}, open_port({"hostPort": 8080})),
	"surge by default": shaped("Deployment", rolling({"maxUnavailable": 0}), {}),
	"surge of null": shaped("Deployment", rolling({"maxUnavailable": 0, "maxSurge": null}), {}),
	"little of few": shaped("Deployment", rolling({"maxUnavailable": "10%", "maxSurge": 0}), {}),
	"Recreate": shaped("Deployment", {"strategy": {"type": "Recreate", "rollingUpdate": null}}, {}),
	"soon available": shaped("Deployment", {"minReadySeconds": 599}, {}),
	"no deadline": shaped("StatefulSet", {"minReadySeconds": 6000}, {}),
	"defaults of a DaemonSet": shaped("DaemonSet", daemons({}), {}),
	"a DaemonSet that takes away": shaped(
		"DaemonSet",
		daemons({"maxUnavailable": "10%", "maxSurge": 0}),
		open_port({"hostPort": 80}),
	),
	"a DaemonSet that adds": shaped("DaemonSet", daemons({"maxUnavailable": 0, "maxSurge": 1}), open_port({})),
	"a DaemonSet that waits": shaped(
		"DaemonSet",
		{"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"maxUnavailable": 0}}},
		{},
	),
	"a DaemonSet of somebody else": testing.batch([object.union(testing.web, {
		"apiVersion": "apps.kruise.io/v1alpha1",
		"kind": "DaemonSet",
		"spec": daemons({"maxUnavailable": 0}),
	})]),
	"a budget": budget({"maxUnavailable": 1}),
	"a budget with a null": budget({"maxUnavailable": 1, "minAvailable": null}),
	"a budget of all": budget({"minAvailable": "100%"}),
	"a fragment": testing.batch_of([testing.fragment(
		testing.with_container(["livenessProbe"], {"periodSeconds": 5}),
		"a/b",
	)]),
	"no subject": testing.batch_of([
		testing.fact(liveness({"successThreshold": 2}).documents[0].object, "a/b"),
		testing.fact(budget({"minAvailable": 1, "maxUnavailable": 1}).documents[0].object, "a/c"),
	]),
}

test_silent_on[note] if {
	some note, batch in silent
	found(batch) == set()
}

# An error in a container, its path, and the fix: a value, "remove", or "text".
contained := {
	"no handler": [liveness({"tcpSocket": null}), ["livenessProbe"], "text"],
	"an empty probe": [web({"startupProbe": {}}), ["startupProbe"], "text"],
	"a probe that is a string": [readiness("http"), ["readinessProbe"], "text"],
	"a probe that is a list": [readiness([tcp]), ["readinessProbe"], "text"],
	"two handlers": [liveness({"exec": {"command": ["/ok"]}}), ["livenessProbe"], "text"],
	"a startup that has to pass twice": [
		web({"startupProbe": object.union(tcp, {"successThreshold": 3})}),
		["startupProbe", "successThreshold"],
		1,
	],
	"passing less than never": [liveness({"successThreshold": -1}), ["livenessProbe", "successThreshold"], "remove"],
	"delay": [liveness({"initialDelaySeconds": -1}), ["livenessProbe", "initialDelaySeconds"], "remove"],
	"period": [readiness(object.union(tcp, {"periodSeconds": -5})), ["readinessProbe", "periodSeconds"], "remove"],
	"timeout": [readiness(object.union(tcp, {"timeoutSeconds": -5})), ["readinessProbe", "timeoutSeconds"], "remove"],
	"tries": [readiness(object.union(tcp, {"failureThreshold": -5})), ["readinessProbe", "failureThreshold"], "remove"],
	"tries of liveness": [
		liveness({"failureThreshold": -5, "periodSeconds": 5}),
		["livenessProbe", "failureThreshold"],
		6,
	],
	"a grace period of readiness": [
		readiness(object.union(tcp, {"terminationGracePeriodSeconds": 60})),
		["readinessProbe", "terminationGracePeriodSeconds"],
		"remove",
	],
	"no grace": [
		liveness({"terminationGracePeriodSeconds": 0}),
		["livenessProbe", "terminationGracePeriodSeconds"],
		"remove",
	],
	"no port": [readiness({"httpGet": {"path": "/"}}), ["readinessProbe", "httpGet"], "text"],
	"port 0": [readiness({"grpc": {"port": 0}}), ["readinessProbe", "grpc"], "text"],
	"port null": [readiness({"tcpSocket": {"port": null}}), ["readinessProbe", "tcpSocket"], "text"],
	"port of nothing": [readiness({"tcpSocket": {"port": ""}}), ["readinessProbe", "tcpSocket"], "text"],
	"a port too high": [readiness({"tcpSocket": {"port": 65536}}), ["readinessProbe", "tcpSocket", "port"], "text"],
	"a port too low": [readiness({"grpc": {"port": -1}}), ["readinessProbe", "grpc", "port"], "text"],
	"a port in quotes": [readiness({"httpGet": {"port": "8080"}}), ["readinessProbe", "httpGet", "port"], 8080],
	"no port in quotes": [readiness({"httpGet": {"port": "808080"}}), ["readinessProbe", "httpGet", "port"], "text"],
	"zero in quotes": [readiness({"httpGet": {"port": "0"}}), ["readinessProbe", "httpGet", "port"], "text"],
	"an empty command": [readiness({"exec": {"command": []}}), ["readinessProbe", "exec", "command"], "text"],
	"no command": [readiness({"exec": {}}), ["readinessProbe", "exec", "command"], "text"],
	"a command that is a string": [
		readiness({"exec": {"command": "true"}}),
		["readinessProbe", "exec", "command"],
		"text",
	],
	"a number in a command": [
		readiness({"exec": {"command": ["nc", "-z", "localhost", 5432]}}),
		["readinessProbe", "exec", "command", 3],
		["nc", "-z", "localhost", "5432"],
	],
	"numbers in a command": [
		readiness({"exec": {"command": ["sleep", 1, 2]}}),
		["readinessProbe", "exec", "command", 1],
		["sleep", "1", "2"],
	],
	"an object in a command": [
		readiness({"exec": {"command": ["a", {}]}}),
		["readinessProbe", "exec", "command", 1],
		"text",
	],
	"a hook that does nothing": [hook("postStart", {}), ["lifecycle", "postStart"], "text"],
	"a hook that is a string": [hook("postStart", "x"), ["lifecycle", "postStart"], "text"],
	"a hook that does two things": [
		hook("postStart", {"exec": {"command": ["a"]}, "sleep": {"seconds": 1}}),
		["lifecycle", "postStart"],
		"text",
	],
	"a hook without a port": [
		hook("postStart", {"httpGet": {"path": "/"}}),
		["lifecycle", "postStart", "httpGet"],
		"text",
	],
	"a hook that knocks": [
		hook("postStart", {"tcpSocket": {"port": 80}}),
		["lifecycle", "postStart", "tcpSocket"],
		"text",
	],
	"a hook of no port": [
		hook("preStop", {"httpGet": {"port": 99999}}),
		["lifecycle", "preStop", "httpGet", "port"],
		"text",
	],
	"a hook of a port in quotes": [
		hook("preStop", {"httpGet": {"port": "08080"}}),
		["lifecycle", "preStop", "httpGet", "port"],
		8080,
	],
}

test_inside_containers[note] if {
	some note, case in contained
	violations := rule.violation with input as case[0]
	{[violation.at.path, violation.at.document] | some violation in violations} == {[testing.inside(case[1]), 0]}
	every violation in violations {
		endswith(violation.message, ".")
	}
}

test_fixes_inside_containers[note] if {
	some note, case in contained
	fixes := rule.fix with input as case[0]
	{outcome(fix) | some fix in fixes} == {case[2]}
}

test_fixed_inside_containers[note] if {
	some note, case in {note: case | some note, case in contained; case[2] != "text"}
	fixes := rule.fix with input as case[0]
	fixed := object.union(case[0], testing.fixed_documents(case[0], fixes))
	left := (rule.violation | aggressive.violation) | malformed.violation with input as fixed
	left == set()
}

outcome(fix) := "remove" if fix.patch[0].op == "remove"

outcome(fix) := fix.patch[0].value if not fix.patch[0].op == "remove"

outcome(fix) := fix.class if fix.advice

# One error is reported once.
test_pre_stop_hooks_are_left_to_prestop_command_malformed[note] if {
	some note, action in {
		"nothing": {},
		"two": {"exec": {"command": ["a"]}, "sleep": {"seconds": 1}},
		"no port": {"httpGet": {"path": "/"}},
		"a number": {"exec": {"command": ["sleep", 10]}},
	}
	found(hook("preStop", action)) == set()
	violations := malformed.violation with input as hook("preStop", action)
	count(violations) == 1
}

test_a_hook_that_always_fails if {
	violations := rule.violation with input as hook("postStart", {"tcpSocket": {"port": 80}})
	{violation.message | some violation in violations} == {concat(" ", [
		`Container "web" is killed as soon as it has started:`,
		"it has a postStart hook with tcpSocket, which only probes support.",
	])}
}

# An error outside containers, its path, and the steps that fix it.
shaped_wrong := {
	"nothing may move": [
		shaped("Deployment", rolling({"maxUnavailable": 0, "maxSurge": 0}), {}),
		["spec", "strategy", "rollingUpdate", "maxSurge"],
		[1],
	],
	"nothing may move, in percent": [
		shaped("Deployment", rolling({"maxUnavailable": "0%", "maxSurge": "00%"}), {}),
		["spec", "strategy", "rollingUpdate", "maxSurge"],
		[1],
	],
	"Recreate with a rolling update": [
		shaped("Deployment", {"strategy": {"type": "Recreate", "rollingUpdate": {}}}, {}),
		["spec", "strategy", "rollingUpdate"],
		["remove"],
	],
	"available after the default deadline": [
		shaped("Deployment", {"minReadySeconds": 600}, {}),
		["spec", "minReadySeconds"],
		[660],
	],
	"available after its deadline": [
		shaped("Deployment", {"minReadySeconds": 60, "progressDeadlineSeconds": 30}, {}),
		["spec", "minReadySeconds"],
		[120],
	],
	"no time at all": [
		shaped("Deployment", {"progressDeadlineSeconds": 0}, {}),
		["spec", "progressDeadlineSeconds"],
		[60],
	],
	"less than no time": [
		shaped("Deployment", {"progressDeadlineSeconds": -1}, {}),
		["spec", "progressDeadlineSeconds"],
		[60],
	],
	"daemons that may not move": [
		shaped("DaemonSet", daemons({"maxUnavailable": 0}), {}),
		["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"],
		[1],
	],
	"daemons that move both ways": [
		shaped("DaemonSet", daemons({"maxSurge": 1}), {}),
		["spec", "updateStrategy", "rollingUpdate", "maxSurge"],
		[0],
	],
	"daemons that move both ways, written": [
		shaped("DaemonSet", daemons({"maxSurge": "10%", "maxUnavailable": null}), {}),
		["spec", "updateStrategy", "rollingUpdate", "maxSurge"],
		[0],
	],
	"daemons at one port": [
		shaped("DaemonSet", daemons({"maxSurge": 1}), open_port({"hostPort": 80})),
		["spec", "updateStrategy", "rollingUpdate", "maxSurge"],
		["remove"],
	],
	"daemons at one port that may not go": [
		shaped("DaemonSet", daemons({"maxSurge": 1, "maxUnavailable": 0}), open_port({"hostPort": 80})),
		["spec", "updateStrategy", "rollingUpdate", "maxSurge"],
		["remove", 1],
	],
	"ephemeral containers": [
		shaped("Deployment", {}, {"ephemeralContainers": [{"name": "debug"}]}),
		["spec", "template", "spec", "ephemeralContainers"],
		["remove"],
	],
	"another port of the node": [
		shaped("Deployment", {}, object.union(open_port({"hostPort": 8080}), {"hostNetwork": true})),
		testing.inside(["ports", 0, "hostPort"]),
		[80],
	],
	"two budgets": [budget({"minAvailable": 1, "maxUnavailable": 1}), ["spec", "minAvailable"], ["remove"]],
	"two budgets, one of nothing": [
		budget({"minAvailable": 1, "maxUnavailable": "0%"}),
		["spec", "maxUnavailable"],
		["remove"],
	],
	"more than all away": [budget({"maxUnavailable": "101%"}), ["spec", "maxUnavailable"], ["100%"]],
	"more than all there": [budget({"minAvailable": "0150%"}), ["spec", "minAvailable"], []],
	"less than nothing": [budget({"minAvailable": -1}), ["spec", "minAvailable"], []],
}

test_other_forms[note] if {
	some note, case in shaped_wrong
	found(case[0]) == {case[1]}
}

test_fixes_of_other_forms[note] if {
	some note, case in shaped_wrong
	fixes := rule.fix with input as case[0]
	[value | some fix in fixes; some step in fix.patch; value := object.get(step, "value", step.op)] == case[2]
	classes := {object.get(fix, "class", "safe") | some fix in fixes}
	classes == {{true: "text", false: "safe"}[count(case[2]) == 0]}
}

test_fixed_other_forms[note] if {
	some note, case in {note: case | some note, case in shaped_wrong; count(case[2]) > 0}
	fixes := rule.fix with input as case[0]
	found(object.union(case[0], testing.fixed_documents(case[0], fixes))) == set()
}

test_rejected_by_argo_rollouts[note] if {
	some note, spec in {
		"nothing may move": {"strategy": {"canary": {"maxUnavailable": 0, "maxSurge": 0}}},
		"available after the deadline": {"minReadySeconds": 900},
	}
	violations := rule.violation with input as rollout(spec)
	{true |
		some violation in violations
		startswith(violation.message, `Argo Rollouts rejects Rollout "web": it `)
	} == {true}
}

test_a_rollout_that_cannot_begin_drops_nothing if {
	stuck := object.union(testing.web, {"spec": rolling({"maxUnavailable": 0, "maxSurge": 0})})
	violations := dropping.violation with input as testing.batch([stuck, testing.service])
	violations == set()
}

test_init_containers[field] if {
	some field, value in {"livenessProbe": tcp, "readinessProbe": {}, "startupProbe": tcp, "lifecycle": {}}
	path := ["spec", "template", "spec", "initContainers", 0, field]
	got := {"violation": rule.violation, "fix": rule.fix} with input as init({field: value})
	got == {
		"violation": {{
			"at": {"document": 0, "path": path},
			"message": concat("", [
				`The API server rejects container "prepare": it is an init container that ends, but has a `,
				field,
				".",
			]),
		}},
		"fix": {{"at": {"document": 0, "path": path}, "patch": [{"op": "remove", "path": path}]}},
	}
}

test_init_containers_that_look_like_sidecars if {
	fixes := rule.fix with input as init({"image": "envoyproxy/envoy:v1.30", "readinessProbe": tcp})
	{fix.class | some fix in fixes} == {"text"}
}

test_kinds if {
	template := liveness({"successThreshold": 2}).documents[0].object.spec.template
	pod := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": template.spec}
	violations := rule.violation with input as testing.batch([
		{"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": template}},
		{"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": template}}}},
		pod,
		object.union(pod, {"spec": {"ephemeralContainers": [{"name": "debug"}]}}),
		testing.set(init({"restartPolicy": "Always", "livenessProbe": {}}).documents[0].object, ["kind"], "StatefulSet"),
	])
	{violation.at.document | some violation in violations} == {0, 1, 2, 3, 4}
}
