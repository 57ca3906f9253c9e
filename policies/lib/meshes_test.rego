package gracegate.lib.meshes_test

import data.gracegate.lib.meshes
import data.gracegate.testing

label := ["spec", "template", "metadata", "labels", "sidecar.istio.io/inject"]

annotations := ["spec", "template", "metadata", "annotations"]

key := "proxy.istio.io/config"

injected := testing.set(testing.web, label, "true")

configured(text) := testing.set(injected, annotations, {key: text})

batch_for(workload) := testing.batch([workload, testing.service])

test_no_proxies[note] if {
	some note, workload in {
		"no label": testing.web,
		"off": testing.set(testing.web, label, "false"),
		"off by label, on by annotation": testing.set(
			testing.set(testing.web, label, "false"),
			annotations, {"sidecar.istio.io/inject": "true"},
		),
		"not served": testing.set(injected, ["spec", "template", "metadata", "labels", "app"], "api"),
		"batch": object.union(injected, {"apiVersion": "batch/v1", "kind": "Job"}),
	}
	found := meshes.proxies with input as batch_for(workload)
	found == {}
}

test_drain[note] if {
	some note, case in {
		"default": [injected, 5],
		"by annotation": [testing.set(testing.web, annotations, {"sidecar.istio.io/inject": "true"}), 5],
		"set": [configured("terminationDrainDuration: 45s"), 45],
		"in quotes": [configured(`terminationDrainDuration: "45s"`), 45],
	}
	found := meshes.proxies[0] with input as batch_for(case[0])
	found.drain == case[1]
}

linkerd(more) := testing.set(testing.web, annotations, object.union({"linkerd.io/inject": "enabled"}, more))

waiting := "config.alpha.linkerd.io/proxy-wait-before-exit-seconds"

test_linkerd[note] if {
	some note, case in {
		"default": [linkerd({}), 0],
		"for ingress": [linkerd({"linkerd.io/inject": "ingress"}), 0],
		"set": [linkerd({waiting: "25"}), 25],
		"no number": [linkerd({waiting: "soon"}), 0],
	}
	found := meshes.proxies[0] with input as batch_for(case[0])
	[found.mesh, found.drain] == ["linkerd", case[1]]
}

test_no_linkerd[note] if {
	some note, workload in {
		"off": linkerd({"linkerd.io/inject": "disabled"}),
		"a native sidecar": linkerd({"config.beta.linkerd.io/proxy-enable-native-sidecar": "true"}),
		"on the workload only": testing.set(testing.web, ["metadata", "annotations"], {"linkerd.io/inject": "enabled"}),
	}
	found := meshes.proxies with input as batch_for(workload)
	found == {}
}

test_drain_step_of_linkerd if {
	path := array.concat(annotations, [waiting])
	added := meshes.drain_step(0, 30) with input as batch_for(linkerd({}))
	added == {"op": "add", "path": path, "value": "30"}
	replaced := meshes.drain_step(0, 30) with input as batch_for(linkerd({waiting: "5"}))
	replaced == {"op": "replace", "path": path, "value": "30"}
}

test_drain_step[note] if {
	some note, case in {
		"no annotations": [injected, "add", {key: "terminationDrainDuration: 30s\n"}],
		"no configuration": [testing.set(injected, annotations, {"a": "b"}), "add", "terminationDrainDuration: 30s\n"],
		"set": [configured("a: b\nterminationDrainDuration: 5s\n"), "replace", "a: b\nterminationDrainDuration: 30s\n"],
		"other lines": [configured("a: b"), "replace", "a: b\nterminationDrainDuration: 30s\n"],
	}
	step := meshes.drain_step(0, 30) with input as batch_for(case[0])
	[step.op, step.value] == [case[1], case[2]]
}

test_no_drain_step[note] if {
	some note, workload in {
		"no plain lines": configured("{a: b}"),
		"another unit": configured("terminationDrainDuration: soon"),
	}
	steps := {step | step := meshes.drain_step(0, 30)} with input as batch_for(workload)
	steps == set()
}
