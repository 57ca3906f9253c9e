package gracegate.rules.rollout["gitops-recreates_test"]

import data.gracegate.rules.rollout["gitops-recreates"] as rule
import data.gracegate.testing

sync := "argocd.argoproj.io/sync-options"

flux := "kustomize.toolkit.fluxcd.io/force"

web(annotations) := testing.set(testing.web, ["metadata", "annotations"], annotations)

levels(objects) := [violation.level | some violation in violations] if {
	violations := rule.violation with input as testing.batch(objects)
}

test_force_and_replace if {
	at := {"document": 0, "path": ["metadata", "annotations", sync]}
	batch := testing.batch([web({sync: "Force=true,Replace=true"}), testing.service])
	got := {
		"violation": rule.violation,
		"fix": rule.fix,
		"related": rule.related,
		"possible": rule.possible,
	} with input as batch
	got == {
		"violation": {{
			"at": at,
			"level": "error",
			"message": concat(" ", [
				`Argo CD deletes Deployment "web" and creates it again at each sync, with no pod left between:`,
				`"argocd.argoproj.io/sync-options: Force=true,Replace=true" says so.`,
			]),
		}},
		"fix": {{
			"at": at,
			"assumption": "No change needs the object to be created anew, as one of an immutable field does.",
			"patch": [{"op": "remove", "path": at.path}],
		}},
		"related": {{"at": at, "places": [{"document": 1, "path": []}]}},
		"possible": set(),
	}
	fixed := rule.violation with input as object.union(batch, testing.fixed_documents(batch, got.fix))
	fixed == set()
}

test_silent_on[note] if {
	some note, annotations in {
		"none": {},
		"null": null,
		"a string": "Replace=true",
		"a value that is no string": {sync: true},
		"other options": {sync: "ServerSideApply=true, Prune=false"},
		"force alone, which deletes nothing that can be applied": {sync: "Force=true"},
		"options that are off": {sync: "Force=false,Replace=false"},
		"Flux as usual": {flux: "disabled"},
		"a hook of the first installation": {"helm.sh/hook": "post-install"},
		"a hook that stays": {"helm.sh/hook": "pre-upgrade", "helm.sh/hook-delete-policy": "hook-succeeded"},
		"what Argo CD skips": {"argocd.argoproj.io/hook": "Skip"},
		"a variable": {sync: "${OPTIONS}"},
	}
	levels([web(annotations), testing.service]) == []
}

test_found[note] if {
	some note, case in {
		"replace": [{sync: "Replace=true"}, "info", "Argo CD sets"],
		"Flux": [{flux: "Enabled"}, "warning", "Flux deletes"],
		"a hook of Helm": [{"helm.sh/hook": "pre-install, pre-upgrade"}, "warning", "Each upgrade deletes"],
		"a hook of Helm that is deleted first": [
			{"helm.sh/hook": "post-upgrade", "helm.sh/hook-delete-policy": "hook-succeeded,before-hook-creation"},
			"warning",
			"Each upgrade deletes",
		],
		"a hook of Argo CD": [{"argocd.argoproj.io/hook": "Sync"}, "warning", "Each upgrade deletes"],
	}
	violations := rule.violation with input as testing.batch([web(case[0]), testing.service])
	[violation.level | some violation in violations] == [case[1]]
	every violation in violations {
		startswith(violation.message, case[2])
	}
}

test_replicas_of_an_autoscaler if {
	levels([web({sync: "Replace=true"}), testing.service, testing.autoscaler]) == ["warning"]
}

test_levels[note] if {
	workload := testing.document(web({sync: "Force=true,Replace=true"}), "apps/web.yaml")
	elsewhere := testing.document(testing.service, "other/web.yaml")
	metrics := testing.set(testing.service, ["spec", "ports"], [{"name": "metrics", "port": 80, "targetPort": 9090}])
	some note, case in {
		"nobody sends to it": [[workload], [[], set()]],
		"perhaps": [
			[workload, elsewhere],
			[["warning"], {{"document": 0, "path": ["metadata", "annotations", sync]}}],
		],
		"only metrics": [[workload, testing.document(metrics, "apps/web.yaml")], [["warning"], set()]],
		"a Job": [
			[
				testing.document(object.union(workload.object, {"apiVersion": "batch/v1", "kind": "Job"}), "apps/web.yaml"),
				testing.document(testing.service, "apps/web.yaml"),
			],
			[[], set()],
		],
		"a fragment": [
			[
				testing.fragment(workload.object, "apps/web.yaml"),
				testing.document(testing.service, "apps/web.yaml"),
			],
			[[], set()],
		],
	}
	got := {"violation": rule.violation, "possible": rule.possible} with input as testing.batch_of(case[0])
	[[violation.level | some violation in got.violation], got.possible] == case[1]
}

test_fixes[note] if {
	some note, case in {
		"other options stay": [
			{sync: "ServerSideApply=true,Replace=true"},
			[{"op": "replace", "path": ["metadata", "annotations", sync], "value": "ServerSideApply=true"}],
		],
		"Flux": [{flux: "enabled"}, [{"op": "remove", "path": ["metadata", "annotations", flux]}]],
	}
	fixes := rule.fix with input as testing.batch([web(case[0]), testing.service])
	[step | some fix in fixes; some step in fix.patch] == case[1]
}

test_advice_for_a_hook if {
	fixes := rule.fix with input as testing.batch([web({"helm.sh/hook": "pre-upgrade"}), testing.service])
	{fix.class | some fix in fixes} == {"text"}
}
