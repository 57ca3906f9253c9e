# The values of fields are tested through the rule that reports them.
package gracegate.lib.api_values_test

import data.gracegate.rules.liveness["probe-invalid"] as rule
import data.gracegate.testing

# The honest container, with these fields, each as it is given.
web(fields) := testing.batch([json.patch(testing.web, [step |
	some field, value in fields
	step := {"op": "add", "path": testing.inside([field]), "value": value}
])])

tcp := {"tcpSocket": {"port": 8080}}

liveness(fields) := web({"livenessProbe": object.union(tcp, fields)})

readiness(fields) := web({"readinessProbe": fields})

# The honest Deployment, with these fields in its spec and its pod.
shaped(kind, spec, pod) := testing.batch([object.union(testing.web, {
	"kind": kind,
	"spec": object.union(spec, {"template": {"spec": pod}}),
})])

rolling(update) := {"strategy": {"rollingUpdate": update}}

budget(spec) := testing.batch([{
	"apiVersion": "policy/v1",
	"kind": "PodDisruptionBudget",
	"metadata": {"name": "web"},
	"spec": spec,
}])

found(batch) := {violation.at.path | some violation in violations} if {
	violations := rule.violation with input as batch
}

# A value that does not fit its field, its path, and the fix: a value, "assumes" with one, or none.
misfits := {
	"a number in quotes": [shaped("Deployment", {"replicas": "3"}, {}), ["spec", "replicas"], [3]],
	"seconds with their unit": [
		liveness({"periodSeconds": "30s"}),
		testing.inside(["livenessProbe", "periodSeconds"]),
		[30],
	],
	"minutes": [shaped("Deployment", {"minReadySeconds": "2m"}, {}), ["spec", "minReadySeconds"], [120]],
	"a word for a number": [liveness({"periodSeconds": "often"}), testing.inside(["livenessProbe", "periodSeconds"]), []],
	"a fraction": [
		liveness({"failureThreshold": -0.5}),
		testing.inside(["livenessProbe", "failureThreshold"]),
		[],
	],
	"a huge number": [
		liveness({"failureThreshold": 100000000000000000000}),
		testing.inside(["livenessProbe", "failureThreshold"]),
		[],
	],
	"less than no pods": [shaped("Deployment", {"replicas": -1}, {}), ["spec", "replicas"], []],
	"a list for a port": [
		web({"readinessProbe": {"httpGet": {"port": []}}}),
		testing.inside(["readinessProbe", "httpGet", "port"]),
		[],
	],
	"a truth value in quotes": [
		shaped("Deployment", {}, {"hostNetwork": "True"}),
		["spec", "template", "spec", "hostNetwork"],
		[true],
	],
	"another case": [
		readiness({"httpGet": {"port": 80, "scheme": "https"}}),
		testing.inside(["readinessProbe", "httpGet", "scheme"]),
		["HTTPS"],
	],
	"not one of the values": [
		shaped("Deployment", {"strategy": {"type": "Other"}}, {}),
		["spec", "strategy", "type"],
		[],
	],
	"a strategy without its type": [
		shaped("Deployment", {"strategy": "Recreate"}, {}),
		["spec", "strategy"],
		[{"type": "Recreate"}],
	],
	"pods in quotes": [
		shaped("Deployment", rolling({"maxSurge": "1"}), {}),
		["spec", "strategy", "rollingUpdate", "maxSurge"],
		[1],
	],
	"pods in words": [budget({"minAvailable": "most"}), ["spec", "minAvailable"], []],
	"a list of pods": [budget({"minAvailable": [1]}), ["spec", "minAvailable"], []],
	"more than all pods": [
		shaped("Deployment", rolling({"maxUnavailable": "101%"}), {}),
		["spec", "strategy", "rollingUpdate", "maxUnavailable"],
		[],
	],
	"a number as the value of a variable": [
		web({"env": [{"name": "PORT", "value": 8080}]}),
		testing.inside(["env", 0, "value"]),
		["8080"],
	],
	"a truth value as a label": [
		shaped("Deployment", {}, {"nodeSelector": {"gpu": true}}),
		["spec", "template", "spec", "nodeSelector", "gpu"],
		["true"],
	],
	"a fraction as a word": [web({"args": ["--rate", 0.5]}), testing.inside(["args", 1]), []],
	"a number as a port": [web({"ports": [8080]}), testing.inside(["ports", 0]), []],
	"an object for a list": [
		shaped("Deployment", {}, {"initContainers": {"name": "a", "image": "b"}}),
		["spec", "template", "spec", "initContainers"],
		[],
	],
	"a quantity that is none": [
		web({"resources": {"limits": {"memory": "512MB"}}}),
		testing.inside(["resources", "limits", "memory"]),
		[],
	],
	"a quantity for a field": [
		shaped("Deployment", {}, {"volumes": [{"name": "a", "emptyDir": {"sizeLimit": "much"}}]}),
		["spec", "template", "spec", "volumes", 0, "emptyDir", "sizeLimit"],
		[],
	],
	"a spec that is a string": [
		testing.batch([object.union(testing.web, {"spec": "x"})]),
		["spec"],
		[],
	],
	"a container without a name": [
		shaped("Deployment", {}, {"containers": [{"image": "a"}]}),
		["spec", "template", "spec", "containers", 0],
		[],
	],
}

test_misfits[note] if {
	some note, case in misfits
	found(case[0]) == {case[1]}
}

test_fixes_of_misfits[note] if {
	some note, case in misfits
	fixes := rule.fix with input as case[0]
	[step.value | some fix in fixes; some step in fix.patch] == case[2]
}

test_text_that_was_a_number_may_be_another if {
	fixes := rule.fix with input as web({"env": [{"name": "PORT", "value": 8080}]})
	{fix.class | some fix in fixes} == {"assumes"}
}

test_messages_about_values if {
	in_container := rule.violation with input as readiness({"httpGet": {"port": 80, "scheme": "https"}})
	in_object := rule.violation with input as shaped("Deployment", {"replicas": "3"}, {})
	{violation.message | some violation in (in_container | in_object)} == {
		`The API server rejects container "web": readinessProbe.httpGet.scheme is "https", but may only be HTTP or HTTPS.`,
		`The API server rejects Deployment "web": spec.replicas is "3" in quotes, but has to be a number.`,
	}
}

test_values_that_fit[note] if {
	some note, batch in {
		"variables": shaped("Deployment", {"replicas": "${REPLICAS}"}, {"hostNetwork": "{{ host }}"}),
		"variables in lists": web({"ports": ["@PORTS@"], "resources": {"limits": {"cpu": "$(CPU)", "memory": "%MEMORY%"}}}),
		"variables for pods": shaped("Deployment", rolling({"maxSurge": "<surge>"}), {}),
		"a variable for a choice": shaped("Deployment", {"strategy": {"type": "${STRATEGY}"}}, {}),
		"an empty choice": shaped("Deployment", {"strategy": {"type": ""}}, {}),
		"nulls": shaped("Deployment", {"replicas": null, "strategy": null}, {"nodeSelector": {"a": null}}),
		"quantities": web({"resources": {"limits": {"cpu": 1.5, "memory": "1Gi", "disk": "1e9"}}}),
		"a custom resource": testing.batch([object.union(testing.web, {
			"apiVersion": "apps.kruise.io/v1alpha1",
			"kind": "CloneSet",
			"spec": {"replicas": "3"},
		})]),
	}
	found(batch) == set()
}

test_an_error_is_said_once if {
	found(shaped("Deployment", {}, {"ephemeralContainers": {}})) == {["spec", "template", "spec", "ephemeralContainers"]}
}
