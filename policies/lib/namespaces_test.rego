package gracegate.lib.namespaces_test

import data.gracegate.lib.namespaces
import data.gracegate.testing

named(name, labels) := {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}

test_labels[note] if {
	some note, case in {
		"none": [[], {}],
		"one": [[named("shop", {"a": "1"})], {"shop": {"a": "1"}}],
		"no labels": [[named("shop", null)], {"shop": {}}],
		"wrong types": [[named("shop", {"a": 1}), named(7, {}), {"kind": "Namespace", "metadata": "x"}], {"shop": {}}],
		"another kind": [[testing.service], {}],
		"several that agree on some": [
			[named("shop", {"a": "1", "b": "1"}), named("shop", {"a": "1", "b": "2"})],
			{"shop": {"a": "1"}},
		],
	}
	labels := namespaces.labels with input as testing.batch(case[0])
	labels == case[1]
}
