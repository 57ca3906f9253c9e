package gracegate.lib.meshes_test

import data.gracegate.lib.meshes
import data.gracegate.testing

label := ["spec", "template", "metadata", "labels", "sidecar.istio.io/inject"]

key := "proxy.istio.io/config"

injected := testing.set(testing.web, label, "true")

asked(workload) := object.union(
	testing.batch([workload, testing.service]),
	{"params": {"sidecar-stops-before-app": {"mesh": "classic"}}},
)

test_drain[note] if {
	some note, case in {"nothing said": [{}, 5], "said": [{key: "terminationDrainDuration: 45s"}, 45]}
	workload := testing.set(injected, ["spec", "template", "metadata", "annotations"], case[0])
	found := meshes.classic[0] with input as asked(workload)
	found.drain == case[1]
}

test_needed_counts_the_app_and_not_the_proxy if {
	annotations := {key: "terminationDrainDuration: 45s", "gracegate.dev/app-drain-seconds": "25"}
	workload := testing.set(injected, ["spec", "template", "metadata", "annotations"], annotations)
	needed := meshes.needed with input as asked(workload)
	needed == {0: 35}
}

test_not_classic[note] if {
	some note, mesh in {"native": "native", "none": "none", "null": null, "number": 1}
	question := object.union(asked(injected), {"params": {"sidecar-stops-before-app": {"mesh": mesh}}})
	classic := meshes.classic with input as question
	classic == {}
}
