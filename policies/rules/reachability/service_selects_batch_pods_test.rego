package gracegate.rules.reachability["service-selects-batch-pods_test"]

import data.gracegate.rules.reachability["service-selects-batch-pods"] as rule
import data.gracegate.testing

job := {
	"apiVersion": "batch/v1",
	"kind": "Job",
	"metadata": {"name": "migrate"},
	"spec": {"template": {
		"metadata": {"labels": {"app": "web", "component": "migration"}},
		"spec": {"containers": [{"name": "migrate", "ports": [{"name": "http", "containerPort": 8080}]}]},
	}},
}

cron_job := {
	"apiVersion": "batch/v1",
	"kind": "CronJob",
	"metadata": {"name": "report"},
	"spec": {"jobTemplate": {"spec": job.spec}},
}

by_number := testing.set(testing.service, ["spec", "ports", 0, "targetPort"], 8080)

without_ports := testing.remove_at(job, array.concat(testing.container, ["ports"]))

found(batch) := {[violation.level, violation.at] | some violation in violations} if {
	violations := rule.violation with input as batch
}

labels := ["spec", "template", "metadata", "labels"]

test_a_job if {
	at := {"document": 2, "path": labels}
	got := {"violation": rule.violation, "fix": rule.fix, "related": rule.related} with input as testing.batch([
		testing.web,
		testing.service,
		job,
	])
	got == {
		"violation": {{
			"at": at,
			"level": "warning",
			"message": `Service "web" sends requests to the pods of Job "migrate" while they run: they have its labels.`,
		}},
		"fix": {{
			"at": at,
			"class": "text",
			"advice": concat(" ", [
				"Take one of these labels from the pods of the Job,",
				"or give the app's pods a label of their own and add it to the selector.",
			]),
		}},
		"related": {{"at": at, "places": [{"document": 1, "path": []}]}},
	}
}

test_a_job_without_the_port if {
	at := {"document": 2, "path": labels}
	got := rule.violation with input as testing.batch([testing.web, testing.service, without_ports])
	got == {{
		"at": at,
		"level": "info",
		"message": concat(" ", [
			`Service "web" selects the pods of Job "migrate", which have its labels:`,
			"only a port that they do not declare keeps requests from them.",
		]),
	}}
}

test_levels[note] if {
	some note, [objects, level, path] in {
		"by number": [[testing.web, by_number, without_ports], "warning", labels],
		"a CronJob": [[testing.web, testing.service, cron_job], "warning", array.concat(["spec", "jobTemplate"], labels)],
	}
	found(testing.batch(objects)) == {[level, {"document": 2, "path": path}]}
}

test_silent_on[note] if {
	some note, batch in {
		"other labels": testing.batch([testing.web, testing.service, testing.set(job, labels, {"app": "migrate"})]),
		"a Service for Jobs": testing.batch([testing.service, job]),
		"a readinessProbe": testing.batch([
			testing.web,
			testing.service,
			testing.set(job, array.concat(testing.container, ["readinessProbe"]), {"tcpSocket": {"port": "http"}}),
		]),
		"a Service for metrics": testing.batch([
			testing.web,
			testing.set(testing.service, ["spec", "ports"], [{"name": "metrics", "port": 9090}]),
			job,
		]),
		"labels of a wrong type": testing.batch([testing.web, testing.service, testing.set(job, labels, ["app"])]),
		"a fact": testing.batch_of([
			testing.document(testing.web, "apps/web.yaml"),
			testing.document(testing.service, "apps/web.yaml"),
			testing.fact(job, "apps/web.yaml"),
		]),
		"a fragment": testing.batch_of([
			testing.document(testing.web, "apps/web.yaml"),
			testing.document(testing.service, "apps/web.yaml"),
			testing.fragment(job, "apps/web.yaml"),
		]),
	}
	found(batch) == set()
}
