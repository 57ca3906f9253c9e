# METADATA
# title: User traffic
# description: Whether users lose requests when pods of a workload are gone.
# schemas:
# - input: schema.input
package gracegate.lib.user_traffic

import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.workloads

# METADATA
# title: Source of the pods, by document of the workload
# description: |
#   The document with the pod template: another one if an Argo Rollout runs the pods of a Deployment. Not of fragments,
#   of Deployments whose pods a Rollout runs, or of idle workloads.
pod_source := {i: source |
	some i, _ in workloads.kind
	not input.documents[i].fragment
	not scaling.is_run_by_rollout[i]
	not scaling.idle[i]
	source := object.get(scaling.deployment_of_rollout, i, i)
	workloads.rolling[source]
}

# METADATA
# title: Certainty of user requests, by document of the workload
# description: |
#   "certain", or "possible" if the Services are not known or are for metrics only. A workload that no Service selects
#   is not among them.
certainty := {i: _certainty(source) |
	some i, source in pod_source
	services.served_status[source] != "no"
}

# METADATA
# title: Workloads whose users are assumed
# description: By document, true if only a Service elsewhere, or one in an unread file, may send to the workload.
is_assumed := {i: true | some i, source in pod_source; services.served_status[source] == "unknown"}

# METADATA
# title: Workloads with peers
# description: |
#   By document, true if each Service that selects the workload selects pods of another workload too, as when two
#   versions of an app run beside each other.
has_peers := {i: true |
	some i, source in pod_source
	_fewest_pods[services.representative[source]] > scaling.replicas[i]
}

# Behind one of its Services, by representative of the workload.
_fewest_pods := {r: min(pods) |
	some r in services.representatives
	pods := {_pods[services.representative_service[s]] | some s in services.by_workload[r]}
	count(pods) > 0
}

# Behind a Service, by its representative, of those workloads whose number is known.
_pods := {r: sum(known) |
	some r in {r | some r in services.representative_service}
	known := [number | some i in services.nearest_workloads[r]; number := scaling.replicas[i]]
}

_certainty(source) := "certain" if {
	services.has_users[source]
} else := "possible"
