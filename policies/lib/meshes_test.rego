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
