package gracegate.rules.termination["prestop-drain-too-short_test"]

import data.gracegate.rules.termination["grace-period-exhausted"] as exhausted
import data.gracegate.rules.termination["prestop-command-not-in-image"] as absent
import data.gracegate.rules.termination["prestop-drain-too-short"] as rule
import data.gracegate.rules.termination["prestop-prefer-native-sleep"] as prefer
import data.gracegate.rules.termination["prestop-sleep-unsupported"] as unsupported
import data.gracegate.testing

hook := testing.inside(["lifecycle", "preStop"])

least(seconds) := {"cluster": {"least_drain_seconds": seconds}}

batch_for(objects) := object.union(testing.batch(objects), least({"nlb_ip": 180}))

web(action) := testing.with_container(["lifecycle", "preStop"], action)

sleep(seconds) := {"sleep": {"seconds": seconds}}

exec(command) := {"exec": {"command": command}}

batch_with(action) := batch_for([web(action), testing.service])

found(batch) := {[violation.level, violation.measure] | some violation in violations} if {
	violations := rule.violation with input as batch
}

patched(batch) := [step | some fix in fixes; some step in fix.patch] if {
	fixes := rule.fix with input as batch
}

test_a_sleep_that_is_too_short if {
	at := {"document": 0, "path": hook}
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch_with(sleep(3))
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"measure": 2,
			"message": concat("", [
				`Container "web" stops before traffic has left it: its preStop drain lasts 3 s, `,
				`and Service "web" still sends to it for up to 10 s.`,
			]),
		}},
		"fix": {{"at": at, "patch": [{
			"op": "replace",
			"path": array.concat(hook, ["sleep", "seconds"]),
			"value": 10,
		}]}},
	}
}

test_silent_on[note] if {
	some note, objects in {
		"enough": [web(sleep(5)), testing.service],
		"no hook": [testing.remove_at(testing.web, testing.inside(["lifecycle"])), testing.service],
		"nothing that selects it": [web(sleep(1))],
		"a hook of unknown duration": [web(exec(["/stop.sh"])), testing.service],
		"a script that may wait for something": [web(exec(["sh", "-c", "/drain; sleep 1"])), testing.service],
		"a script that waits for a socket": [web(exec(["sh", "-c", "curl localhost/drain; sleep 1"])), testing.service],
		"a hook that is wrong": [web(exec(["sleep 1"])), testing.service],
		"httpGet": [web({"httpGet": {"path": "/drain", "port": "http"}}), testing.service],
		"an app that drains itself": [
			testing.set(web(sleep(1)), ["metadata", "annotations"], {"gracegate.dev/drain": "app"}),
			testing.service,
		],
		"a Job": [object.union(web(sleep(1)), {"apiVersion": "batch/v1", "kind": "Job"}), testing.service],
		"zero replicas": [testing.set(web(sleep(1)), ["spec", "replicas"], 0), testing.service],
		"a sleep that is refused": [web(sleep(-1)), testing.service],
		"seconds that are no number": [web(sleep("1")), testing.service],
		"a headless Service beside another": [
			web(sleep(5)),
			testing.service,
			testing.set(testing.set(testing.service, ["spec", "clusterIP"], "None"), ["metadata", "name"], "peers"),
		],
	}
	found(batch_for(objects)) == set()
}

test_silent_on_fragments if {
	documents := [testing.fragment(web(sleep(1)), "apps/web.yaml"), testing.document(testing.service, "apps/s.yaml")]
	found(object.union(testing.batch_of(documents), least({}))) == set()
}

# No seconds, 0 and null are all the same to the API.
test_zero[note] if {
	some note, action in {"0": sleep(0), "null": sleep(null), "omitted": {"sleep": {}}}
	found(testing.at_version(batch_with(action), 33)) == {["warning", 5]}
	found(testing.at_version(batch_with(action), 32)) == set()
}

test_omitted_seconds_are_added if {
	[step.op | some step in patched(testing.at_version(batch_with({"sleep": {}}), 33))] == ["add"]
}

ingress := {
	"apiVersion": "networking.k8s.io/v1",
	"kind": "Ingress",
	"metadata": {"name": "web"},
	"spec": {"rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]},
}

# As long as the load balancer sends, but not as long as its health check takes.
test_health_check if {
	alb := testing.set(ingress, ["metadata", "annotations"], {
		"alb.ingress.kubernetes.io/target-type": "ip",
		"alb.ingress.kubernetes.io/healthcheck-interval-seconds": "15",
	})
	batch := batch_for([web(sleep(30)), testing.service, alb])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	{[violation.level, violation.measure, violation.message] | some violation in got.violation} == {[
		"info",
		10,
		concat(" ", [
			`Container "web" stops before traffic has left it: its preStop drain lasts 30 s,`,
			"and the health check of its load balancer may need 40 s.",
		]),
	]}
	{step.value | some fix in got.fix; some step in fix.patch} == {40, 55}
	found(object.union(batch, testing.fixed_documents(batch, got.fix))) == set()
}

test_least[note] if {
	aws := {"service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip"}
	some note, case in {
		"headless": [{"spec": {"clusterIP": "None"}}, [], {"info"}, 18, 35],
		"node": [{"spec": {"type": "NodePort"}}, [], {"warning"}, 8, 16],
		"Ingress": [{}, [ingress], {"warning"}, 8, 15],
		"Ingress and headless": [{"spec": {"clusterIP": "None"}}, [ingress], {"warning"}, 8, 15],
		"NEG": [{"metadata": {"annotations": {"cloud.google.com/neg": `{"ingress": true}`}}}, [], {"warning"}, 20, 40],
		"NLB": [{"spec": {"type": "LoadBalancer"}, "metadata": {"annotations": aws}}, [], {"warning"}, 180, 180],
		"metrics": [{"spec": {"ports": [{"name": "metrics", "port": 1, "targetPort": "http"}]}}, [], {"info"}, 5, 10],
	}
	service := object.union(testing.service, case[0])
	short := batch_for(array.concat([web(sleep(case[3] - 1)), service], case[1]))
	{level | some [level, 1] in found(short)} == case[2]
	patched(short)[0].value == case[4]
	found(batch_for(array.concat([web(sleep(case[3])), service], case[1]))) == set()
}

test_the_parameter[note] if {
	some note, case in {
		"set": [{"cluster": 8}, {["warning", 2]}],
		"more than is recommended": [{"cluster": 99}, {["warning", 4]}],
		"0": [{"cluster": 0}, set()],
		"no number": [{"cluster": "8"}, set()],
		"another way": [{"ingress": 8}, set()],
	}
	found(object.union(testing.batch([web(sleep(6)), testing.service]), least(case[0]))) == case[1]
}

test_a_service_in_an_unread_file if {
	batch := object.union(testing.with_unread_file(testing.batch([web(sleep(2))])), least({}))
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	{violation.message | some violation in got.violation} == {concat("", [
		`Container "web" stops before traffic has left it: its preStop drain lasts 2 s, `,
		"and a Service in a file that could not be read may still send to it for up to 10 s.",
	])}
	{step.value | some fix in got.fix; some step in fix.patch} == {10}
}

# What the fix makes of a hook, by version.
test_fixes[note] if {
	some note, case in {
		"a program": [exec(["sleep", "2"]), 30, [["preStop"], sleep(10)]],
		"a script that only sleeps": [exec(["sh", "-c", "sleep 2"]), 30, [["preStop"], sleep(10)]],
		"a program before native sleep": [exec(["sleep", "2"]), 29, [["preStop"], exec(["sleep", "10"])]],
		"a script": [
			exec(["sh", "-c", "date; sleep 2s; exit 0"]),
			30,
			[["preStop", "exec", "command", 2], "date; sleep 10; exit 0"],
		],
	}
	old := testing.at_version(batch_with(case[0]), case[1])
	[[array.slice(step.path, 6, 99), step.value] | some step in patched(old)] == [case[2]]
	fixes := rule.fix with input as old
	fixed := object.union(old, testing.fixed_documents(old, fixes))
	found(fixed) == set()
	unsupported.violation == set() with input as fixed
	exhausted.violation == set() with input as fixed
}

test_no_fix[note] if {
	some note, batch in {
		"a script that sleeps twice": batch_with(exec(["sh", "-c", "sleep 1; nginx -s quit; sleep 1"])),
		"an image without sleep": testing.at_version(
			batch_for([testing.set(web(exec(["/app/sleep", "1"])), testing.inside(["image"]), "scratch"), testing.service]),
			29,
		),
	}
	fixes := rule.fix with input as batch
	{[fix.class, fix.advice] | some fix in fixes} == {["text", "Make the hook last 10 s."]}
}

test_extends_the_grace_period if {
	workload := testing.set(web(sleep(2)), ["metadata", "annotations"], {"gracegate.dev/app-drain-seconds": "25"})
	[step.value | some step in patched(batch_for([workload, testing.service]))] == [10, 40]
}

test_a_worse_rule_of_the_hook_reports if {
	workload := testing.set(web(exec(["sh", "-c", "sleep 2"])), testing.inside(["image"]), "gcr.io/distroless/base")
	batch := batch_for([workload, testing.service])
	got := {"this": rule.fix, "absent": absent.fix, "prefer": prefer.violation} with input as batch
	got.this == set()
	got.prefer == set()
	[step.value | some fix in got.absent; some step in fix.patch] == [sleep(10)]
}

test_before_native_sleep_another_rule_reports if {
	old := testing.at_version(batch_with(sleep(2)), 29)
	found(old) == set()
	fixes := unsupported.fix with input as old
	{step.value | some fix in fixes; some step in fix.patch} == {exec(["sleep", "10"])}
	found(object.union(old, testing.fixed_documents(old, fixes))) == set()
}
