package gracegate.lib.services_test

import data.gracegate.lib.services
import data.gracegate.testing

web := testing.document(testing.web, "apps/web.yaml")

named(namespace, manifest) := testing.set(manifest, ["metadata", "namespace"], namespace)

served_status(batch) := answer if {
	answer := services.served_status[0] with input as batch
}

test_is_served[note] if {
	shop := testing.document(named("shop", testing.web), "apps/web.yaml")
	some note, case in {
		"same directory": [web, testing.document(testing.service, "apps/service.yaml"), "yes"],
		"same root, deeper": [web, in_root(testing.service, "apps/base/service.yaml", "apps"), "yes"],
		"one names its namespace": [shop, testing.document(testing.service, "apps/service.yaml"), "yes"],
		"same namespace, far away": [shop, testing.document(named("shop", testing.service), "far/service.yaml"), "yes"],
		"far away": [web, testing.document(testing.service, "far/service.yaml"), "unknown"],
		"far away in some namespace": [web, testing.document(named("shop", testing.service), "far/x.yaml"), "unknown"],
		"far away in no namespace": [shop, testing.document(testing.service, "far/service.yaml"), "unknown"],
		"another namespace": [shop, testing.document(named("bank", testing.service), "apps/service.yaml"), "no"],
		"another selector": [
			web,
			testing.document(testing.set(testing.service, ["spec", "selector"], {"app": "api"}), "apps/x.yaml"),
			"no",
		],
		"a selector that is no object": [
			web,
			testing.document(testing.set(testing.service, ["spec", "selector"], "app=web"), "apps/x.yaml"),
			"no",
		],
	}
	served_status(testing.batch_of([case[0], case[1]])) == case[2]
}

test_unread[note] if {
	some note, case in {
		"same root": ["apps", "unknown"],
		"another root": ["other", "no"],
	}
	unread := [{"path": "x/y.yaml", "directory": "x", "root": case[0]}]
	served_status(object.union(testing.batch_of([web]), {"unread": unread})) == case[1]
}

# The pair that all Services share must not decide which of them is selected, nor may one replace another.
test_many_services_with_a_common_label if {
	objects := [manifest |
		some name in ["web", "api", "db"]
		manifest := object.union(testing.service, {
			"metadata": {"name": name},
			"spec": {"selector": {"app": name, "part-of": "shop"}},
		})
	]
	workload := testing.set(testing.web, ["spec", "template", "metadata", "labels", "part-of"], "shop")
	found := services.by_workload[0] with input as testing.batch(array.concat([workload], objects))
	found == {1}
}

test_metrics_only[note] if {
	some note, case in {
		"by name": [[{"name": "http-metrics", "port": 80}], {0}],
		"by target": [[{"port": 80, "targetPort": "metrics"}], {0}],
		"of an exporter": [[{"name": "exporter", "port": 9419}], {0}],
		"with profiling": [[{"name": "metrics", "port": 80}, {"name": "profiling", "port": 81}], {0}],
		"one of two": [[{"name": "metrics", "port": 80}, {"name": "http", "port": 81}], set()],
		"none": [[], set()],
		"no list": ["metrics", set()],
	}
	manifest := testing.set(testing.service, ["spec", "ports"], case[0])
	metrics_only := services.metrics_only with input as testing.batch([manifest])
	metrics_only == case[1]
}

in_root(manifest, path, root) := object.union(testing.document(manifest, path), {"root": root})
