package gracegate.lib.neighbours_test

import data.gracegate.lib.neighbours
import data.gracegate.testing

pod(path, value) := testing.set(testing.web, array.concat(["spec", "template", "spec"], path), value)

apart(workload) := object.get(found, 0, null) if {
	found := neighbours.apart with input as testing.batch([workload])
}

test_apart[note] if {
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
	apart(case[0]) == case[1]
}

test_not_apart[note] if {
	some note, workload in {
		"nothing": testing.web,
		"no port": testing.with_container(["ports", 0, "hostPort"], 0),
		"null": testing.with_container(["ports", 0, "hostPort"], null),
		"a port that is a text": testing.with_container(["ports", 0, "hostPort"], "80"),
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
		"an affinity that is a text": pod(["affinity"], "apart"),
		"a text for a term": pod(
			["affinity"],
			{"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": ["apart"]}},
		),
	}
	apart(workload) == null
}

volume(workload, modes) := object.get(found, [0, "mode"], null) if {
	found := neighbours.volume with input as testing.batch([workload, testing.claim(modes)])
}

test_volume[note] if {
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
	workload := object.union(testing.mounting(testing.web), {"spec": {"template": {"spec": case[0]}}})
	volume(workload, case[1]) == case[2]
}
