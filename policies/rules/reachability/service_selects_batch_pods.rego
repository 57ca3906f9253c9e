# METADATA
# title: Service sends requests to the pods of a Job
# description: |
#   A Service sends to every ready pod with the labels of its selector. A pod of a Job, such as a migration, is ready as
#   soon as its containers run, because they have no readinessProbe: while it runs, a share of the requests goes to a
#   pod that does not answer.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service
#   description: What a selector selects
# - ref: https://github.com/BerriAI/litellm/issues/19940
#   description: A migration Job that got the requests of users
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: text
#   example:
#   - op: add
#     document: 3
#     path: []
#     value: |
#       apiVersion: batch/v1
#       kind: Job
#       metadata:
#         name: migrate
#       spec:
#         template:
#           metadata:
#             labels:
#               app: web
#           spec:
#             restartPolicy: Never
#             containers:
#             - name: migrate
#               image: registry.example/web:1.4.2
#               ports:
#               - name: http
#                 containerPort: 8080
package gracegate.rules.reachability["service-selects-batch-pods"]

import data.gracegate.lib.containers
import data.gracegate.lib.probes
import data.gracegate.lib.related_places
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": "warning"} if {
	some at, s in _selecting
	_sends(s, at.document)
	message := text.format(`Service "{}" sends requests to the pods of {} "{}" while they run: they have its labels.`, [
		services.service[s].name,
		workloads.kind[at.document],
		workloads.name[at.document],
	])
}

# A port by its name has no endpoint in a pod that does not declare it.
violation contains {"at": at, "message": message, "level": "info"} if {
	some at, s in _selecting
	not _sends(s, at.document)
	message := text.format(
		concat(" ", [
			`Service "{}" selects the pods of {} "{}", which have its labels:`,
			"only a port that they do not declare keeps requests from them.",
		]),
		[services.service[s].name, workloads.kind[at.document], workloads.name[at.document]],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Take one of these labels from the pods of the Job,",
		"or give the app's pods a label of their own and add it to the selector.",
	])
	some at, _ in _selecting
}

related contains {"at": at, "places": related_places.objects({s})} if some at, s in _selecting

# The first Service that also selects an app. One for Jobs alone is meant for them.
_selecting := {at: s |
	some i, kind in workloads.kind
	kind in {"CronJob", "Job"}
	input.documents[i].subject
	not input.documents[i].fragment
	services.served_status[i] == "yes"
	not _has_readiness_probe(i)
	s := min({s |
		some s in services.first_by_workload[i]
		services.nearest_workloads[s]
		not services.metrics_only[s]
	})
	pod := workloads.pod[i].path
	at := {"document": i, "path": array.concat(array.slice(pod, 0, count(pod) - 1), ["metadata", "labels"])}
}

_has_readiness_probe(i) if {
	some container in containers.regular[i]
	probes.has_probe(container.spec, "readinessProbe")
}

_sends(s, i) if {
	some port in services.service[s].ports
	_reaches(port.target, i)
}

_reaches(target, _) if is_number(target)

_reaches(target, i) if {
	some container in containers.regular[i]
	some port in container.ports
	port.name == target
}
