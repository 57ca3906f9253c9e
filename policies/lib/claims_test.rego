package gracegate.lib.claims_test

import data.gracegate.lib.claims
import data.gracegate.testing

mode(documents) := found.mode if {
	[found] := claims.of[0] with input as testing.questions(documents)
}

test_modes[note] if {
	workload := testing.placed(testing.mounting(testing.web), "apps/web.yaml")
	some note, case in {
		"one pod": [["ReadWriteOncePod"], "pod"],
		"one node": [["ReadWriteOnce"], "node"],
		"many": [["ReadWriteMany"], "all"],
		"many readers": [["ReadOnlyMany"], "all"],
		"the widest": [["ReadWriteOnce", "ReadWriteMany"], "all"],
		"none said": [[], "unknown"],
		"null": [null, "unknown"],
		"a text": ["ReadWriteOnce", "unknown"],
		"a number in it": [[1], "unknown"],
	}
	mode([workload, testing.placed(testing.claim(case[0]), "apps/claim.yaml")]) == case[1]
}

test_elsewhere if {
	workload := testing.placed(testing.mounting(testing.web), "apps/web.yaml")
	mode([workload, testing.placed(testing.claim(["ReadWriteOnce"]), "far/claim.yaml")]) == "unknown"
}

test_no_claims[note] if {
	some note, volumes in {
		"null": null,
		"a text": "data",
		"another volume": [{"name": "tmp", "emptyDir": {}}],
		"a claim that is a text": [{"name": "data", "persistentVolumeClaim": "data"}],
		"no name": [{"name": "data", "persistentVolumeClaim": {}}],
		"a text for a volume": ["data"],
	}
	workload := testing.set(testing.web, ["spec", "template", "spec", "volumes"], volumes)
	found := claims.of with input as testing.batch([workload, testing.claim(["ReadWriteOnce"])])
	found == {0: []}
}
