# METADATA
# title: Service sends to pods that are not ready
# description: |
#   With publishNotReadyAddresses a Service ignores readiness. On every rollout it sends requests to pods that are still
#   starting, that report that they cannot serve, and that are about to stop: however long a preStop hook waits, they
#   get requests until they are gone.
# related_resources:
# - ref: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/
#   description: What publishNotReadyAddresses is meant for
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes
#   description: What a readinessProbe decides
# custom:
#   severity: warning
#   fix: safe
#   example:
#   - {op: add, document: 1, path: [spec, publishNotReadyAddresses], value: true}
package gracegate.rules.readiness["readiness-ignored-by-service"]

import data.gracegate.lib.containers
import data.gracegate.lib.probes
import data.gracegate.lib.related_places
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.workloads

violation contains {"at": at, "message": message, "level": found.level} if {
	some at, found in _ignoring
	message := text.format(
		`Service "{}" sends requests to pods of {} "{}" that are not ready or stopping: it sets publishNotReadyAddresses.`,
		[found.name, workloads.kind[found.workload], workloads.name[found.workload]],
	)
}

fix contains {"at": at, "patch": [{"op": "remove", "path": at.path}]} if {
	some at, found in _ignoring
	found.level == "warning"
	count(found.unprobed) == 0
}

# Nothing else keeps requests from them, so a readinessProbe has to come first.
fix contains {"at": at, "class": "text", "advice": advice} if {
	some at, found in _ignoring
	found.level == "warning"
	title := min(found.unprobed)
	advice := text.format(
		`Give container "{}" a readinessProbe, then remove publishNotReadyAddresses.`,
		[title],
	)
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := concat(" ", [
		"Peers that have to find each other before they are ready need that.",
		"Send users' requests through another Service.",
	])
	some at, found in _ignoring
	found.level == "info"
}

related contains {"at": at, "places": related_places.objects({found.workload})} if some at, found in _ignoring

_ignoring := {at: object.union(found, {"name": service.name}) |
	some s, listed in services.representatives_by_service
	service := services.service[s]
	service.publishes_unready
	found := _selected[[listed, service.headless]]
	at := {"document": s, "path": ["spec", "publishNotReadyAddresses"]}
}

# By the representatives of the workloads, and whether the Service is headless.
_selected := {[listed, is_headless]: found |
	some [listed, is_headless] in _publishing
	selected := {i | some r in listed; some i in services.workloads_by_representative[r]; workloads.rolling[i]}
	count(selected) > 0
	others := {i | some i in selected; not _are_peers(workloads.kind[i], is_headless)}
	found := {
		"workload": min([members | some members in [others, selected]; count(members) > 0][0]),
		"level": {true: "warning", false: "info"}[count(others) > 0],
		"unprobed": {container.title |
			some i in others
			some container in containers.regular[i]
			not probes.has_probe(container.spec, "readinessProbe")
		},
	}
}

_publishing := {[listed, services.service[s].headless] |
	some s, listed in services.representatives_by_service
	services.service[s].publishes_unready
}

_are_peers("StatefulSet", _)

_are_peers(kind, true) if kind != "StatefulSet"
