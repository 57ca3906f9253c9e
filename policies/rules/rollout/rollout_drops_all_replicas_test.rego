package gracegate.rules.rollout["rollout-drops-all-replicas_test"]

import data.gracegate.rules.rollout["rollout-drops-all-replicas"] as rule
import data.gracegate.testing

update := ["spec", "strategy", "rollingUpdate"]

# A web that is updated like this, with so many replicas.
web(strategy, replicas) := testing.set(updated, ["spec", "replicas"], replicas) if {
	updated := testing.set(testing.web, ["spec", "strategy"], strategy)
}

rolling(written) := {"type": "RollingUpdate", "rollingUpdate": written}

found(objects) := {[violation.at.document, violation.level] | some violation in violations} if {
	violations := rule.violation with input as testing.batch(objects)
}

test_one_of_one if {
	at := {"document": 0, "path": array.concat(update, ["maxUnavailable"])}
	workload := web(rolling({"maxUnavailable": 1}), 1)
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([workload, testing.service])
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"measure": 1,
			"message": concat(" ", [
				`A rollout of Deployment "web" can stop its only pod before a new one is ready:`,
				`"maxUnavailable: 1" allows 1 of 1.`,
			]),
		}},
		"fix": {{
			"at": at,
			"patch": [{"op": "replace", "path": at.path, "value": 0}],
			"class": "assumes",
			"assumption": "Two versions of the app may run at the same time.",
		}},
	}
}

test_all_of_several if {
	workload := web(rolling({"maxUnavailable": "100%"}), 3)
	violations := rule.violation with input as testing.batch([workload, testing.service])
	{violation.message | some violation in violations} == {concat("", [
		`A rollout of Deployment "web" can stop all 3 pods before a new one is ready: `,
		`"maxUnavailable: 100%" allows 3 of 3.`,
	])}
}

# The numbers of pods that the fix sets, what it assumes, and the level.
test_fixes[note] if {
	gpu := [testing.inside(["resources"]), {"limits": {"nvidia.com/gpu": 1}}]
	path := ["spec", "template", "spec", "volumes"]
	host := [path, [{"name": "data", "hostPath": {"path": "/data"}}]]
	mount := [{"name": "data", "mountPath": "/data"}]
	one := web(rolling({"maxUnavailable": 1}), 1)
	several := web(rolling({"maxUnavailable": "100%", "maxSurge": 0}), 3)
	surging := web(rolling({"maxUnavailable": 2, "maxSurge": 1}), 2)
	mounting := testing.set(testing.set(one, host[0], host[1]), testing.inside(["volumeMounts"]), mount)
	read_only := testing.set(mounting, testing.inside(["volumeMounts", 0, "readOnly"]), true)
	versions := "Two versions of the app may run at the same time"
	some note, case in {
		"one of one": [one, "error", {0}, [concat("", [versions, "."])]],
		"one of several first": [several, "error", {1}, []],
		"beside those that are added": [surging, "error", {1}, []],
		"a GPU": [
			testing.set(one, gpu[0], gpu[1]),
			"warning",
			{0},
			[concat("", [versions, ", and there is room for another nvidia.com/gpu."])],
		],
		"several GPUs": [testing.set(several, gpu[0], gpu[1]), "warning", {1}, []],
		"a directory": [
			mounting,
			"warning",
			{0},
			[concat("", [versions, ", and there is room for a second pod at /data of the node."])],
		],
		"a directory that is only read": [read_only, "error", {0}, [concat("", [versions, "."])]],
	}
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([case[0], testing.service])
	{violation.level | some violation in got.violation} == {case[1]}
	{step.value | some fix in got.fix; some step in fix.patch} == case[2]
	[fix.assumption | some fix in got.fix; fix.class == "assumes"] == case[3]
}

test_a_number_that_a_patch_sets if {
	workload := web(rolling({"maxUnavailable": 3}), 3)
	patch := testing.fragment(
		{
			"apiVersion": "apps/v1",
			"kind": "Deployment",
			"metadata": {"name": "web"},
			"spec": {"replicas": 1},
		},
		"overlay/web.yaml",
	)
	documents := [testing.document(workload, "apps/web.yaml"), testing.document(testing.service, "apps/web.yaml"), patch]
	fixes := rule.fix with input as testing.batch_of(documents)
	path := array.concat(update, ["maxUnavailable"])
	fixes == {{
		"at": {"document": 0, "path": path},
		"patch": [{"op": "replace", "path": path, "value": 1}],
		"class": "assumes",
		"assumption": "The workload has at least 2 pods, whatever other files set.",
	}}
}

test_zero_and_zero_is_one if {
	workload := web(rolling({"maxSurge": 0}), 1)
	got := {"violation": rule.violation, "fix": rule.fix} with input as testing.batch([workload, testing.service])
	{violation.message | some violation in got.violation} == {concat("", [
		`A rollout of Deployment "web" can stop its only pod before a new one is ready: `,
		"maxUnavailable and maxSurge both round to 0 of 1, so the controller stops one first.",
	])}
	{[step.op, step.path[3], step.value] | some fix in got.fix; some step in fix.patch} == {
		["add", "maxUnavailable", 0],
		["replace", "maxSurge", 1],
	}
}

test_silent_on[note] if {
	some note, workload in {
		"the defaults": testing.web,
		"the defaults, written": web(rolling({"maxUnavailable": "25%", "maxSurge": "25%"}), 1),
		"no strategy": web(null, 1),
		"an empty strategy": web({}, 1),
		"nulls": web(rolling({"maxUnavailable": null, "maxSurge": null}), 1),
		"an empty update": web(rolling({}), 1),
		"null for an update": web(rolling(null), 1),
		"some of several": web(rolling({"maxUnavailable": 2}), 3),
		"zero": web(rolling({"maxUnavailable": 0}), 1),
		"percent rounded down": web(rolling({"maxUnavailable": "99%"}), 1),
		"no replicas": web(rolling({"maxUnavailable": 1}), 0),
		"Recreate": web({"type": "Recreate"}, 1),
		"Recreate with leftovers": web({"type": "Recreate", "rollingUpdate": {"maxUnavailable": 1}}, 1),
		"a strategy that is a string": web("RollingUpdate", 1),
		"a number that is none": web(rolling({"maxUnavailable": "one"}), 1),
		"a claim": testing.set(
			web(rolling({"maxUnavailable": 1}), 1),
			["spec", "template", "spec", "volumes"],
			[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
		),
		"a port of the host": testing.set(
			web(rolling({"maxUnavailable": 1}), 1),
			testing.inside(["ports", 0, "hostPort"]),
			8080,
		),
		"the network of the host": testing.set(
			web(rolling({"maxUnavailable": 1}), 1),
			["spec", "template", "spec", "hostNetwork"],
			true,
		),
		"a StatefulSet": object.union(web(rolling({"maxUnavailable": 1}), 1), {"kind": "StatefulSet"}),
	}
	found([workload, testing.service]) == set()
}

test_replicas[note] if {
	without := testing.set(testing.web, ["spec", "strategy"], rolling({"maxUnavailable": 1}))
	some note, replicas in {"omitted": [], "null": [null], "one": [1]}
	with_all := [web(rolling({"maxUnavailable": 1}), number) | some number in replicas]
	found([array.concat(with_all, [without])[0], testing.service]) == {[0, "error"]}
}

test_silent_on_unknown_numbers[note] if {
	some note, workload in {
		"a variable number of replicas": web(rolling({"maxUnavailable": 1}), "${REPLICAS:=3}"),
		"a string": web(rolling({"maxUnavailable": 1}), "3"),
		"a fraction": web(rolling({"maxUnavailable": 1}), 1.5),
		"a variable number of pods": web(rolling({"maxUnavailable": "${COUNT}"}), 1),
		"one of the numbers is a variable": web(rolling({"maxUnavailable": 1, "maxSurge": "$COUNT"}), 1),
	}
	found([workload, testing.service]) == set()
}

test_autoscalers[note] if {
	workload := testing.set(web(rolling({"maxUnavailable": 2}), 5), ["metadata", "namespace"], "shop")
	some note, case in {
		"floor of the HPA": [scaler({"minReplicas": 2}), {[0, "warning"]}],
		"a higher floor": [scaler({"minReplicas": 3}), set()],
		"the default floor is one": [scaler({}), {[0, "warning"]}],
		"null is the default": [scaler({"minReplicas": null}), {[0, "warning"]}],
		"of another workload": [testing.set(scaler({"minReplicas": 1}), ["spec", "scaleTargetRef", "name"], "api"), set()],
		"of another namespace": [
			testing.set(scaler({"minReplicas": 1}), ["metadata", "namespace"], "bank"),
			set(),
		],
		"KEDA": [keda({"minReplicaCount": 2}), {[0, "warning"]}],
		"KEDA down to zero": [keda({}), set()],
		"a target that is a string": [{"kind": "ScaledObject", "spec": {"scaleTargetRef": "web"}}, set()],
	}
	found([workload, testing.service, case[0]]) == case[1]
}

test_all_of_any_number if {
	workload := web(rolling({"maxUnavailable": "100%"}), 5)
	found([workload, testing.service, scaler({"minReplicas": 2})]) == {[0, "error"]}
}

scaler(spec) := {
	"apiVersion": "autoscaling/v2",
	"kind": "HorizontalPodAutoscaler",
	"metadata": {"name": "web"},
	"spec": object.union(spec, {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}),
}

keda(spec) := {
	"apiVersion": "keda.sh/v1alpha1",
	"kind": "ScaledObject",
	"metadata": {"name": "web"},
	"spec": object.union(spec, {"scaleTargetRef": {"name": "web"}}),
}

test_a_deployment_config[note] if {
	some note, case in {
		"rolling": [{"type": "Rolling", "rollingParams": {"maxUnavailable": "100%"}}, {[0, "error"]}],
		"by default": [{"rollingParams": {"maxUnavailable": 1}}, {[0, "error"]}],
		"recreate": [{"type": "Recreate", "rollingParams": {"maxUnavailable": 1}}, set()],
	}
	workload := object.union(web(case[0], 1), {"apiVersion": "apps.openshift.io/v1", "kind": "DeploymentConfig"})
	found([workload, testing.service]) == case[1]
}

rollout(strategy) := object.union(web(strategy, 1), {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"})

# A workload of this kind that is updated like this, with three pods.
updating(version, kind, spec) := object.union(testing.with_replicas(3), {
	"apiVersion": version,
	"kind": kind,
	"spec": object.union(testing.with_replicas(3).spec, spec),
})

test_an_update_strategy[note] if {
	every_pod := {"maxUnavailable": "100%"}
	parallel := {"podManagementPolicy": "Parallel"}
	some note, case in {
		"DaemonSet": ["apps/v1", "DaemonSet", {"updateStrategy": {"rollingUpdate": every_pod}}, {[0, "error"]}],
		"DaemonSet of OpenKruise": [
			"apps.kruise.io/v1alpha1",
			"DaemonSet",
			{"updateStrategy": {"rollingUpdate": every_pod}},
			{[0, "error"]},
		],
		"DaemonSet, some": ["apps/v1", "DaemonSet", {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "50%"}}}, set()],
		"DaemonSet, a number": ["apps/v1", "DaemonSet", {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 9}}}, set()],
		"DaemonSet by hand": [
			"apps/v1",
			"DaemonSet",
			{"updateStrategy": {"type": "OnDelete", "rollingUpdate": every_pod}},
			set(),
		],
		"CloneSet": ["apps.kruise.io/v1alpha1", "CloneSet", {"updateStrategy": every_pod}, {[0, "error"]}],
		"CloneSet, a number": [
			"apps.kruise.io/v1alpha1",
			"CloneSet",
			{"updateStrategy": {"maxUnavailable": 3}},
			{[0, "error"]},
		],
		"CloneSet, some": ["apps.kruise.io/v1alpha1", "CloneSet", {"updateStrategy": {"maxUnavailable": 2}}, set()],
		"CloneSet, one pod": [
			"apps.kruise.io/v1alpha1",
			"CloneSet",
			{"replicas": 1, "updateStrategy": {"maxUnavailable": "100%"}},
			set(),
		],
		"CloneSet with a partition": [
			"apps.kruise.io/v1alpha1",
			"CloneSet",
			{"updateStrategy": object.union(every_pod, {"partition": 2})},
			set(),
		],
		"Advanced StatefulSet": [
			"apps.kruise.io/v1beta1",
			"StatefulSet",
			object.union(parallel, {"updateStrategy": {"rollingUpdate": every_pod}}),
			{[0, "error"]},
		],
		"Advanced StatefulSet, one by one": [
			"apps.kruise.io/v1beta1",
			"StatefulSet",
			{"updateStrategy": {"rollingUpdate": every_pod}},
			set(),
		],
	}
	found([updating(case[0], case[1], case[2]), testing.service]) == case[3]
}

# Of apps/v1.
test_a_statefulset[note] if {
	every_pod := {"maxUnavailable": "100%"}
	some note, case in {
		"all": [every_pod, {[0, "error"]}],
		"rounded up": [{"maxUnavailable": "67%"}, {[0, "error"]}],
		"some": [{"maxUnavailable": 2}, set()],
		"by default": [{"maxUnavailable": null}, set()],
		"a variable": [{"maxUnavailable": "${MOST}"}, set()],
		"with a partition": [object.union(every_pod, {"partition": 2}), set()],
	}
	spec := {"podManagementPolicy": "Parallel", "updateStrategy": {"rollingUpdate": case[0]}}
	found([updating("apps/v1", "StatefulSet", spec), testing.service]) == case[1]
}

test_a_statefulset_of_another_kind[note] if {
	some note, case in {
		"one pod": [{"podManagementPolicy": "Parallel", "replicas": 1}, set()],
		"in order": [{"podManagementPolicy": "OrderedReady"}, {[0, "warning"]}],
		"in order by default": [{}, {[0, "warning"]}],
	}
	spec := object.union(case[0], {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "100%"}}})
	found([updating("apps/v1", "StatefulSet", spec), testing.service]) == case[1]
}

# The floor of an autoscaler is one of many numbers of pods.
test_a_statefulset_under_an_autoscaler if {
	spec := {"podManagementPolicy": "Parallel", "updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}}
	owner := testing.set(scaler({"minReplicas": 2}), ["spec", "scaleTargetRef", "kind"], "StatefulSet")
	found([updating("apps/v1", "StatefulSet", spec), testing.service, owner]) == {[0, "warning"]}
}

test_all_pods_of_an_update_strategy[note] if {
	some note, case in {
		"nodes": ["DaemonSet", {"rollingUpdate": {"maxUnavailable": "100%"}}, "its pods on all nodes", ""],
		"number": ["CloneSet", {"maxUnavailable": "100%"}, "all 3 pods", ""],
		"versions": [
			"StatefulSet",
			{"rollingUpdate": {"maxUnavailable": "100%"}},
			"all 3 pods",
			", in Kubernetes 1.35 and from 1.37 on",
		],
	}
	version := {"CloneSet": "apps.kruise.io/v1alpha1", "DaemonSet": "apps/v1", "StatefulSet": "apps/v1"}[case[0]]
	workload := updating(version, case[0], {"updateStrategy": case[1]})
	batch := testing.batch([workload, testing.service])
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	{violation.message | some violation in got.violation} == {concat("", [
		"A rollout of ",
		case[0],
		` "web" can stop `,
		case[2],
		` before a new one is ready: "maxUnavailable: 100%" allows it`,
		case[3],
		".",
	])}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_an_update_strategy_that_nobody_is_served_by if {
	found([updating("apps/v1", "DaemonSet", {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "100%"}}})]) == set()
}

test_a_rollout[note] if {
	some note, case in {
		"canary": [{"canary": {"maxUnavailable": 1}}, {[0, "error"]}],
		"canary without numbers": [{"canary": {}}, set()],
		"canary by traffic": [{"canary": {"maxUnavailable": 1, "trafficRouting": {"istio": {}}}}, set()],
		"blue and green": [{"blueGreen": {"maxUnavailable": 1}}, set()],
	}
	found([rollout(case[0]), testing.service]) == case[1]
}

test_a_rollout_of_a_deployment[note] if {
	bare := testing.remove_at(rollout({"canary": {"maxUnavailable": 1}}), ["spec", "template"])
	deployment := web(rolling({"maxUnavailable": 1}), 0)
	some note, case in {
		"of the same place": [{"kind": "Deployment", "name": "web"}, {[0, "error"]}],
		"of another": [{"kind": "Deployment", "name": "api"}, set()],
		"a string": ["web", set()],
	}
	owner := testing.set(bare, ["spec", "workloadRef"], case[0])
	found([owner, deployment, testing.service]) == case[1]
}

test_both_pods if {
	workload := web(rolling({"maxUnavailable": "100%"}), 2)
	violations := rule.violation with input as testing.batch([workload, testing.service])
	{violation.message | some violation in violations} == {concat("", [
		`A rollout of Deployment "web" can stop both pods before a new one is ready: `,
		`"maxUnavailable: 100%" allows 2 of 2.`,
	])}
}

test_levels[note] if {
	workload := testing.document(web(rolling({"maxUnavailable": 1}), 1), "apps/web.yaml")
	some note, case in {
		"served": [[workload, testing.document(testing.service, "apps/service.yaml")], {"error"}],
		"perhaps": [[workload, testing.document(testing.service, "other/service.yaml")], {"warning"}],
		"not served": [[workload], set()],
		"a fragment": [
			[testing.fragment(workload.object, "apps/web.yaml"), testing.document(testing.service, "apps/service.yaml")],
			set(),
		],
	}
	violations := rule.violation with input as testing.batch_of(case[0])
	{violation.level | some violation in violations} == case[1]
}

test_fixed[note] if {
	some note, written in {
		"unavailable": {"maxUnavailable": "100%"},
		"surge": {"maxSurge": 0},
		"both": {"maxUnavailable": 1, "maxSurge": "0%"},
	}
	batch := testing.batch([web(rolling(written), 1), testing.service])
	fixes := rule.fix with input as batch
	violations := rule.violation with input as object.union(batch, testing.fixed_documents(batch, fixes))
	violations == set()
}
