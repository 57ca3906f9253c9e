package gracegate.lib.before_test

import data.gracegate.lib.before
import data.gracegate.testing

more := testing.with_replicas(3)

none := testing.with_replicas(0)

renamed := testing.replace_at(testing.web, ["metadata", "name"], "web2")

moved := testing.set(testing.web, ["metadata", "namespace"], "shop")

stateful := object.union(testing.web, {"kind": "StatefulSet"})

other_group := object.union(testing.web, {"apiVersion": "extensions/v1beta1"})

labelled := testing.set(testing.web, ["spec", "template", "metadata", "labels", "tier"], "front")

facts(batch) := found if {
	found := {
		"modified": before.modified,
		"same_object": before.same_object,
		"added": before.added,
		"removed": [entry.object.metadata.name | some entry in before.removed],
	} with input as batch
}

# The first document was another one.
was(former, now) := object.union(testing.batch([now]), {"before": [object.union(
	testing.former(testing.document(former, "apps/web.yaml")),
	{"document": 0},
)]})

test_facts[note] if {
	nothing := {"modified": {}, "same_object": {}, "added": set(), "removed": []}
	some note, case in {
		"no base": [testing.batch([testing.web]), {}],
		"no change": [testing.change([testing.web], [testing.web]), {}],
		"modified": [
			testing.change([testing.web], [more]),
			{"modified": {0: testing.web}, "same_object": {0: testing.web}},
		],
		"added": [testing.change([], [testing.web, testing.service]), {"added": {0, 1}}],
		"removed": [testing.change([testing.web, testing.service], [testing.web]), {"removed": ["web"]}],
		"another name": [was(testing.web, renamed), {"modified": {0: testing.web}}],
		"another namespace": [was(testing.web, moved), {"modified": {0: testing.web}}],
		"another kind": [was(testing.web, stateful), {"modified": {0: testing.web}}],
		"another group": [was(other_group, testing.web), {"modified": {0: other_group}}],
		"another version": [
			was(object.union(testing.web, {"apiVersion": "apps/v1beta2"}), testing.web),
			{
				"modified": {0: object.union(testing.web, {"apiVersion": "apps/v1beta2"})},
				"same_object": {0: object.union(testing.web, {"apiVersion": "apps/v1beta2"})},
			},
		],
		"no name": [was({"kind": "Deployment"}, testing.web), {"modified": {0: {"kind": "Deployment"}}}],
	}
	facts(case[0]) == object.union(nothing, case[1])
}

test_a_patch_is_no_object if {
	patch := testing.fragment(more, "apps/web.yaml")
	batch := testing.change_of(testing.batch_of([patch]), [testing.fragment(testing.web, "apps/web.yaml")])
	facts(batch).same_object == {}
}

test_running[note] if {
	some note, case in {
		"no base": [testing.batch([testing.web]), true],
		"no change": [testing.change([testing.web], [testing.web]), true],
		"modified": [testing.change([testing.web], [labelled]), true],
		"added": [testing.change([], [testing.web]), false],
		"renamed": [was(testing.web, renamed), false],
		"no pods": [testing.change([none], [none]), false],
		"no pods before": [testing.change([none], [testing.web]), false],
		"a Service": [testing.change([testing.service], [testing.service]), false],
	}
	running := {true | before.is_running(0)} with input as case[0]
	running == {true | case[1]}
}

pod_of(base, head) := found if {
	found := {i: [former.labels, before.container_ports[i]] |
		some i, former in before.pod
	} with input as testing.change(base, head)
}

test_pods[note] if {
	declared := [{"name": "http", "number": 8080, "position": 0, "protocol": "TCP", "target": "http"}]
	sidecar := testing.set(testing.web, ["spec", "template", "spec", "initContainers"], [
		{"name": "setup", "ports": [{"containerPort": 1}]},
		{"name": "proxy", "restartPolicy": "Always", "ports": [{"containerPort": 15000}]},
		"no container",
	])
	proxy := {"name": "", "number": 15000, "position": 0, "protocol": "TCP", "target": 15000}
	some note, case in {
		"labels": [[testing.web], [labelled], {0: [{"app": "web"}, declared]}],
		"a sidecar": [[sidecar], [testing.web], {0: [{"app": "web"}, array.concat(declared, [proxy])]}],
		"no change": [[testing.web], [testing.web], {}],
		"no workload": [[testing.service], [object.union(testing.service, {"spec": {}})], {}],
		"no pods": [[none], [testing.web], {}],
		"no template": [[testing.remove_at(testing.web, ["spec", "template"])], [testing.web], {}],
		"wrong types": [
			[testing.replace_at(
				testing.web,
				["spec", "template"],
				{"metadata": {"labels": ["x"]}, "spec": {"containers": "x"}},
			)],
			[testing.web],
			{0: [{}, []]},
		],
	}
	pod_of(case[0], case[1]) == case[2]
}
