package gracegate.lib.second_services_test

import data.gracegate.lib.second_services
import data.gracegate.testing

balancer(spec) := object.union(testing.service, {"spec": object.union(testing.service.spec, spec)})

annotated(annotations) := testing.set(testing.service, ["metadata", "annotations"], annotations)

named(manifest, name) := testing.replace_at(manifest, ["metadata", "name"], name)

names(base, head) := found if {
	found := [one.name | some one in second_services.copy] with input as testing.change(base, head)
}

test_names[note] if {
	some note, case in {
		"changed": [[annotated({"a": "b"})], ["web-next"]],
		"the same": [[testing.service], []],
		"a name that is taken": [[annotated({"a": "b"}), named(testing.service, "web-next")], []],
		"an address": [[balancer({"clusterIP": "10.0.0.1"})], []],
		"no address": [[balancer({"clusterIP": "None"})], ["web-next"]],
		"an address of a load balancer": [[balancer({"loadBalancerIP": "192.0.2.1"})], []],
		"a node port": [[balancer({"ports": [{"port": 80, "nodePort": 30080}]})], []],
		"a host name": [[annotated({"external-dns.alpha.kubernetes.io/hostname": "web.example"})], []],
	}
	names([testing.service], case[0]) == case[1]
}

test_no_name_that_is_too_long if {
	long := "a-name-that-is-so-long-that-a-suffix-would-make-it-too-long-for-k8s"
	names([named(testing.service, long)], [named(annotated({"a": "b"}), long)]) == []
}

test_steady_balancers if {
	steady := balancer({"type": "LoadBalancer"})
	batch := testing.change(
		[testing.web, steady, named(testing.service, "b")],
		[testing.web, steady, named(steady, "b"), named(steady, "c"), named(testing.service, "d")],
	)
	got := [members | some members in second_services.steady_balancers] with input as batch
	got == [{1}]
}
