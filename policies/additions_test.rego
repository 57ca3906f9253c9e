# What rules say beside their violations: related places, and how certain they are.
package gracegate.additions_test

import data.gracegate.main
import data.gracegate.testing

# By rule, of each violation: its document, the documents of the related places, and its confidence.
said(id, documents) := {[found.at.document, related(found), object.get(found, "confidence", "certain")] |
	batch := object.union(testing.batch_of(documents), {"rules": [id]})
	report := main.report with input as batch with data.gracegate_release as {"digest": "d"}
	some found in report.violations
}

related(found) := [place.document | some place in object.get(found, "related", [])]

here(manifest) := testing.document(manifest, "apps/web.yaml")

far(manifest) := testing.document(manifest, "other/far.yaml")

served(manifest) := [here(manifest), here(testing.service)]

perhaps_served(manifest) := [here(manifest), far(testing.service)]

without(field) := testing.remove_at(testing.web, testing.inside([field]))

# Two containers, of which none declares a port.
two_without(field) := testing.replace_at(testing.web, ["spec", "template", "spec", "containers"], [container |
	some name in ["a", "b"]
	whole := testing.web.spec.template.spec.containers[0]
	container := object.union(object.remove(whole, [field, "ports"]), {"name": name})
])

to_number_8080 := testing.replace_at(testing.service, ["spec", "ports"], [{"port": 80, "targetPort": 8080}])

with_hook(action) := testing.with_container(["lifecycle", "preStop"], action)

exec(words) := {"exec": {"command": words}}

of_image(manifest, image) := testing.replace_at(manifest, testing.inside(["image"]), image)

named(manifest, name) := testing.replace_at(manifest, ["metadata", "name"], name)

in_shop(manifest) := testing.set(manifest, ["metadata", "namespace"], "shop")

selecting(value) := testing.replace_at(testing.service, ["spec", "selector", "app"], value)

dropping := testing.set(testing.with_replicas(1), ["spec", "strategy"], {
	"type": "RollingUpdate",
	"rollingUpdate": {"maxUnavailable": 1},
})

recreated := testing.set(testing.with_replicas(3), ["spec", "strategy"], {"type": "Recreate"})

lowest := object.union(testing.autoscaler, {"spec": {"minReplicas": 1}})

blocking := object.union(testing.budget, {"spec": {"maxUnavailable": 0}})

pids := testing.set(with_hook(exec(["sh", "-c", "nginx -s quit"])), testing.inside(["image"]), "nginx:1")

cases["readiness-probe-missing"] := {
	"served": [served(without("readinessProbe")), {[0, [1], "certain"]}],
	"perhaps": [perhaps_served(without("readinessProbe")), {[0, [1], "possible"]}],
	"one of two": [[here(two_without("readinessProbe")), here(to_number_8080)], {[0, [1], "possible"]}],
}

cases["prestop-drain-missing"] := {
	"served": [served(without("lifecycle")), {[0, [1], "certain"]}],
	"perhaps": [perhaps_served(without("lifecycle")), {[0, [1], "possible"]}],
	"one of two": [[here(two_without("lifecycle")), here(to_number_8080)], {[0, [1], "possible"]}],
	"a quick hook": [served(with_hook(exec(["true"]))), {[0, [1], "certain"]}],
}

cases["prestop-drain-too-short"] := {
	"served": [served(with_hook({"sleep": {"seconds": 1}})), {[0, [1], "certain"]}],
	"perhaps": [perhaps_served(with_hook({"sleep": {"seconds": 1}})), {[0, [1], "possible"]}],
}

cases["prestop-stops-app-first"] := {
	"served": [served(pids), {[0, [1], "certain"]}],
	"perhaps": [perhaps_served(pids), {[0, [1], "possible"]}],
}

cases["prestop-command-not-in-image"] := {
	"certainly": [
		served(of_image(with_hook(exec(["sh", "-c", "sleep 9"])), "gcr.io/distroless/base")),
		{[0, [], "certain"]},
	],
	"likely": [
		served(of_image(with_hook(exec(["bash", "-c", "sleep 9"])), "nginx:alpine")),
		{[0, [], "possible"]},
	],
}

cases["probe-command-fails"] := {
	"certainly": [served(testing.with_container(["livenessProbe"], exec(["cat /x"]))), {[0, [], "certain"]}],
	"likely": [
		served(of_image(testing.with_container(["livenessProbe"], exec(["sh", "-c", "cat /x"])), "a.org/web:1-nonroot")),
		{[0, [], "possible"]},
	],
}

cases["entrypoint-swallows-sigterm"] := {
	"certainly": [served(testing.with_container(["command"], ["dash", "-c", "a; node app.js"])), {[0, [], "certain"]}],
	"maybe": [served(testing.with_container(["command"], ["sh", "-c", "a; node app.js"])), {[0, [], "possible"]}],
}

cases["single-replica"] := {
	"served": [served(testing.with_replicas(1)), {[0, [1], "certain"]}],
	"perhaps": [perhaps_served(testing.with_replicas(1)), {[0, [1], "possible"]}],
}

cases["strategy-recreate"] := {
	"served": [served(recreated), {[0, [1], "certain"]}],
	"perhaps": [perhaps_served(recreated), {[0, [1], "possible"]}],
}

cases["pdb-missing"] := {
	"served": [served(testing.with_replicas(3)), {[0, [1], "certain"]}],
	"perhaps": [perhaps_served(testing.with_replicas(3)), {[0, [1], "possible"]}],
}

cases["rollout-drops-all-replicas"] := {
	"served": [served(dropping), {[0, [1], "certain"]}],
	"perhaps": [perhaps_served(dropping), {[0, [1], "possible"]}],
}

cases["hpa-min-replicas-one"] := {
	"served": [array.concat(served(testing.web), [here(lowest)]), {[2, [0], "certain"]}],
	"perhaps": [array.concat(perhaps_served(testing.web), [here(lowest)]), {[2, [0], "possible"]}],
}

cases["hpa-replicas-conflict"] := {
	"served": [array.concat(served(testing.with_replicas(2)), [here(testing.autoscaler)]), {[0, [2], "certain"]}],
	"perhaps": [
		array.concat(perhaps_served(testing.with_replicas(2)), [here(testing.autoscaler)]),
		{[0, [2], "possible"]},
	],
}

cases["pdb-blocks-drain"] := {
	"selects": [[here(testing.with_replicas(3)), here(blocking)], {[1, [0], "certain"]}],
	"selects what is not here": [[here(blocking)], {[0, [], "possible"]}],
}

cases["pdb-overlap"] := {
	"beside": [
		[here(testing.with_replicas(3)), here(named(testing.budget, "a")), here(named(testing.budget, "b"))],
		{[2, [0, 1], "certain"]},
	],
	"perhaps in its namespace": [
		[
			here(in_shop(testing.with_replicas(3))),
			far(in_shop(named(testing.budget, "a"))),
			here(named(testing.budget, "b")),
		],
		{[2, [0, 1], "possible"]},
	],
}

cases["service-target-port-undefined"] := {"served": [
	[here(testing.web), here(testing.replace_at(testing.service, ["spec", "ports"], [{"port": 80, "targetPort": "x"}]))],
	{[1, [0], "certain"]},
]}

cases["service-selector-mismatch"] := {
	"a near miss": [[here(testing.web), here(selecting("wbe"))], {[1, [0], "certain"]}],
	"nothing like it": [[here(testing.web), here(named(selecting("x"), "y"))], {[1, [], "possible"]}],
}

cases["readiness-ignored-by-service"] := {"served": [
	[here(testing.web), here(testing.set(testing.service, ["spec", "publishNotReadyAddresses"], true))],
	{[1, [0], "certain"]},
]}

test_additions[id][note] if {
	some id, by_note in cases
	some note, case in by_note
	said(id, case[0]) == case[1]
}
