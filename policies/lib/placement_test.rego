package gracegate.lib.placement_test

import data.gracegate.lib.placement
import data.gracegate.testing

pod(path, value) := testing.set(testing.web, array.concat(["spec", "template", "spec"], path), value)

exclusive_node(workload) := object.get(found, 0, null) if {
	found := placement.exclusive_node with input as testing.batch([workload])
}

test_exclusive_node[note] if {
	some note, case in {
		"a port of the node": [
			testing.with_container(["ports", 0, "hostPort"], 80),
			{"path": testing.inside(["ports", 0, "hostPort"]), "port": 80},
		],
		"the network of the node": [
			pod(["hostNetwork"], true),
			{"path": testing.inside(["ports", 0, "containerPort"]), "port": 8080},
		],
		"anti-affinity": [
			pod(["affinity"], testing.anti_affinity({})),
			{
				"path": [
					"spec", "template", "spec", "affinity", "podAntiAffinity",
					"requiredDuringSchedulingIgnoredDuringExecution", 0,
				],
				"port": 0,
			},
		],
	}
	exclusive_node(case[0]) == case[1]
}

test_no_exclusive_node[note] if {
	some note, workload in {
		"nothing": testing.web,
		"no port": testing.with_container(["ports", 0, "hostPort"], 0),
		"null": testing.with_container(["ports", 0, "hostPort"], null),
		"a port that is a string": testing.with_container(["ports", 0, "hostPort"], "80"),
		"the network of the pod": pod(["hostNetwork"], false),
		"the network of the node without ports": testing.set(
			pod(["hostNetwork"], true),
			testing.inside(["ports"]), null,
		),
		"by zone": pod(["affinity"], testing.anti_affinity({"topologyKey": "topology.kubernetes.io/zone"})),
		"by version": pod(["affinity"], testing.anti_affinity({"matchLabelKeys": ["pod-template-hash"]})),
		"from others": pod(["affinity"], testing.anti_affinity({"labelSelector": {"matchLabels": {"app": "api"}}})),
		"from nobody": pod(["affinity"], testing.anti_affinity({"labelSelector": null})),
		"in another namespace": pod(["affinity"], testing.anti_affinity({"namespaces": ["bank"]})),
		"an affinity that is a string": pod(["affinity"], "exclusive"),
		"a string for a term": pod(
			["affinity"],
			{"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": ["exclusive"]}},
		),
	}
	exclusive_node(workload) == null
}

exclusive_volume(workload, modes) := object.get(found, [0, "mode"], null) if {
	found := placement.exclusive_volume with input as testing.batch([workload, testing.pvc(modes)])
}

test_exclusive_volume[note] if {
	some note, case in {
		"of one node": [{}, ["ReadWriteOnce"], "node"],
		"of one pod": [{}, ["ReadWriteOncePod"], "pod"],
		"of many": [{}, ["ReadWriteMany"], null],
		"not known": [{}, [], "unknown"],
		"on a chosen node": [{"nodeSelector": {"kubernetes.io/hostname": "a"}}, ["ReadWriteOnce"], null],
		"on a named node": [{"nodeName": "a"}, ["ReadWriteOnce"], null],
		"of one pod on a named node": [{"nodeName": "a"}, ["ReadWriteOncePod"], "pod"],
		"on nodes of a kind": [{"nodeSelector": {"disk": "ssd"}}, ["ReadWriteOnce"], "node"],
		"a node that is a number": [{"nodeName": 1}, ["ReadWriteOnce"], "node"],
	}
	workload := object.union(testing.with_volume(testing.web), {"spec": {"template": {"spec": case[0]}}})
	exclusive_volume(workload, case[1]) == case[2]
}

mode(documents) := found.mode if {
	[found] := placement.pvcs[0] with input as testing.batch_of(documents)
}

test_pvc_modes[note] if {
	workload := testing.document(testing.with_volume(testing.web), "apps/web.yaml")
	some note, case in {
		"one pod": [["ReadWriteOncePod"], "pod"],
		"one node": [["ReadWriteOnce"], "node"],
		"many": [["ReadWriteMany"], "all"],
		"many readers": [["ReadOnlyMany"], "all"],
		"the widest": [["ReadWriteOnce", "ReadWriteMany"], "all"],
		"no modes": [[], "unknown"],
		"null": [null, "unknown"],
		"a string": ["ReadWriteOnce", "unknown"],
		"a number in it": [[1], "unknown"],
	}
	mode([workload, testing.document(testing.pvc(case[0]), "apps/claim.yaml")]) == case[1]
}

test_pvc_elsewhere if {
	workload := testing.document(testing.with_volume(testing.web), "apps/web.yaml")
	mode([workload, testing.document(testing.pvc(["ReadWriteOnce"]), "far/claim.yaml")]) == "unknown"
}

test_no_pvcs[note] if {
	some note, volumes in {
		"null": null,
		"a string": "data",
		"another volume": [{"name": "tmp", "emptyDir": {}}],
		"a claim that is a string": [{"name": "data", "persistentVolumeClaim": "data"}],
		"no name": [{"name": "data", "persistentVolumeClaim": {}}],
		"a string for a volume": ["data"],
	}
	workload := testing.set(testing.web, ["spec", "template", "spec", "volumes"], volumes)
	found := placement.pvcs with input as testing.batch([workload, testing.pvc(["ReadWriteOnce"])])
	found == {0: []}
}
