package gracegate.lib.workloads_test

import data.gracegate.lib.workloads
import data.gracegate.testing

template := testing.web.spec.template

workload(group, kind, spec) := {"apiVersion": group, "kind": kind, "metadata": {"name": "web"}, "spec": spec}

test_no_workloads[note] if {
	some note, manifest in {
		"Service": testing.service,
		"another group": object.union(testing.web, {"apiVersion": "example.org/v1"}),
		"no group": object.union(testing.web, {"apiVersion": 1}),
		"null": null,
		"a string": "Deployment",
	}
	found := workloads.kind with input as testing.batch([manifest])
	found == {}
}

test_pod[note] if {
	some note, case in {
		"Deployment": [testing.web, ["spec", "template", "spec"], {0}],
		"Rollout": [
			object.union(testing.web, {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}),
			["spec", "template", "spec"],
			{0},
		],
		"DaemonSet": [object.union(testing.web, {"kind": "DaemonSet"}), ["spec", "template", "spec"], {0}],
		"Job": [workload("batch/v1", "Job", {"template": template}), ["spec", "template", "spec"], set()],
		"CronJob": [
			workload("batch/v1", "CronJob", {"jobTemplate": {"spec": {"template": template}}}),
			["spec", "jobTemplate", "spec", "template", "spec"],
			set(),
		],
		"LeaderWorkerSet": [
			workload(
				"leaderworkerset.x-k8s.io/v1",
				"LeaderWorkerSet",
				{"leaderWorkerTemplate": {"leaderTemplate": template}},
			),
			["spec", "leaderWorkerTemplate", "leaderTemplate", "spec"],
			{0},
		],
		"Pod": [
			object.union(template, {"apiVersion": "v1", "kind": "Pod"}),
			["spec"],
			set(),
		],
	}
	got := {"pod": workloads.pod[0], "rolling": workloads.rolling} with input as testing.batch([case[0]])
	[got.pod.path, got.pod.labels.app, got.pod.spec.containers[0].name] == [case[1], "web", "web"]
	got.rolling == case[2]
}

test_labels_of_a_leader if {
	spec := {"leaderWorkerTemplate": {"leaderTemplate": template}}
	pod := workloads.pod[0] with input as testing.batch([workload(
		"leaderworkerset.x-k8s.io/v1",
		"LeaderWorkerSet",
		spec,
	)])
	pod.labels == {
		"app": "web",
		"leaderworkerset.sigs.k8s.io/name": "web",
		"leaderworkerset.sigs.k8s.io/worker-index": "0",
	}
}

test_no_pod[note] if {
	some note, spec in {
		"null": null,
		"a string": "x",
		"no template": {},
		"a string for a spec": {"template": {"spec": "x"}},
	}
	found := workloads.pod with input as testing.batch([workload("apps/v1", "Deployment", spec)])
	found == {}
}

test_name if {
	unnamed := testing.remove_at(testing.web, ["metadata", "name"])
	found := workloads.name with input as testing.batch([testing.web, unnamed])
	found == {0: "web", 1: ""}
}

test_complete if {
	documents := [
		testing.document(testing.web, "apps/a.yaml"),
		testing.fact(testing.web, "apps/b.yaml"),
		testing.fragment(testing.web, "apps/c.yaml"),
	]
	complete := workloads.complete with input as testing.batch_of(documents)
	complete == {0}
	fragments := workloads.fragments with input as testing.batch_of(documents)
	fragments == {["Deployment", "web"]: {2}}
}

test_annotations if {
	annotated := testing.set(
		testing.set(testing.web, ["metadata", "annotations"], {"a": "object", "b": "object", "c": 1}),
		["spec", "template", "metadata", "annotations"],
		{"b": "template"},
	)
	found := workloads.annotations with input as testing.batch([annotated, testing.web])
	found == {0: {"a": "object", "b": "template"}, 1: {}}
}
