package gracegate.rules.rollout["rollout-leaves-old-pods_test"]

import data.gracegate.rules.rollout["rollout-leaves-old-pods"] as rule
import data.gracegate.testing

of_kind(kind, strategy) := object.union(
	testing.set(testing.with_replicas(3), ["spec", "updateStrategy"], strategy),
	{"kind": kind},
)

behind(manifest) := testing.batch([manifest, testing.service])

partitioned(value) := behind(of_kind("StatefulSet", {"rollingUpdate": {"partition": value}}))

messages(batch) := {violation.message | some violation in violations} if {
	violations := rule.violation with input as batch
}

test_a_partition if {
	at := {"document": 0, "path": ["spec", "updateStrategy", "rollingUpdate", "partition"]}
	got := {"violation": rule.violation, "fix": rule.fix} with input as partitioned(2)
	got == {
		"violation": {{
			"at": at,
			"message": concat(" ", [
				`A rollout of StatefulSet "web" leaves 2 pods at the old version:`,
				`"partition: 2" excludes them.`,
			]),
		}},
		"fix": {{
			"at": at,
			"class": "assumes",
			"patch": [{"op": "replace", "path": at.path, "value": 0}],
			"assumption": "All pods should get the new version now.",
		}},
	}
	messages(object.union(partitioned(2), testing.fixed_documents(partitioned(2), got.fix))) == set()
}

test_on_delete if {
	at := {"document": 0, "path": ["spec", "updateStrategy", "type"]}
	batch := behind(of_kind("DaemonSet", {"type": "OnDelete"}))
	got := {"violation": rule.violation, "fix": rule.fix} with input as batch
	got == {
		"violation": {{
			"at": at,
			"message": concat(" ", [
				`DaemonSet "web" runs the old version until somebody deletes its pods:`,
				"its updateStrategy is OnDelete.",
			]),
		}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": "Use RollingUpdate, or delete the pods one by one after each change.",
		}},
	}
}

test_pods[note] if {
	some note, [partition, expected] in {
		"one": [1, `A rollout of StatefulSet "web" leaves 1 pod at the old version: "partition: 1" excludes it.`],
		"all": [3, `A rollout of StatefulSet "web" leaves every pod at the old version: "partition: 3" excludes them.`],
	}
	messages(partitioned(partition)) == {expected}
}

test_silent_on[note] if {
	some note, batch in {
		"no partition": behind(of_kind("StatefulSet", {"type": "RollingUpdate"})),
		"null": partitioned(null),
		"zero": partitioned(0),
		"a variable": partitioned("${PARTITION}"),
		"a wrong type": partitioned({}),
		"a strategy of a wrong type": behind(of_kind("StatefulSet", "OnDelete")),
		"a partition that OnDelete ignores, of a Deployment": behind(of_kind("Deployment", {"type": "OnDelete"})),
		"a DaemonSet has no partition": behind(of_kind("DaemonSet", {"rollingUpdate": {"partition": 1}})),
		"without a Service": testing.batch([of_kind("StatefulSet", {"type": "OnDelete"})]),
		"a fragment": testing.batch_of([
			testing.fragment(of_kind("StatefulSet", {"type": "OnDelete"}), "apps/web.yaml"),
			testing.document(testing.service, "apps/web.yaml"),
		]),
	}
	messages(batch) == set()
}
