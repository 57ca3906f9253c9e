# METADATA
# title: Traffic
# description: Whether users lose something when pods of a workload are gone.
# schemas:
# - input: schema.input
package gracegate.lib.traffic

import data.gracegate.lib.scaling
import data.gracegate.lib.selected
import data.gracegate.lib.services
import data.gracegate.lib.workloads

# METADATA
# title: Where the pods of a workload stand, by document
# description: |
#   Elsewhere where an Argo Rollout runs the pods of a Deployment. Not of a Deployment whose pods a Rollout runs, nor of
#   one that is idle.
pods := {i: source |
	some i, _ in workloads.kind
	not input.documents[i].fragment
	not scaling.lent[i]
	not scaling.idle[i]
	source := object.get(scaling.template, i, i)
	workloads.rolling[source]
}

# METADATA
# title: Workloads that are sent requests, by document
# description: |
#   `sure`, or `perhaps` where that cannot be seen or all that is sent is for metrics. One that no Service sends to is
#   not among them.
sent := {i: weight |
	some i, source in pods
	served := services.served[source]
	served != "no"
	weight := _weight(served, services.serving[source])
}

# METADATA
# title: Workloads that are not alone, by document
# description: |
#   Each Service that sends to them has pods of another workload too, as where two versions of an app run beside each
#   other.
joined := {i: true |
	some i, source in pods
	count(services.serving[source]) > 0
	every s in services.serving[source] {
		_behind[s] > scaling.replicas[i]
	}
}

_behind := {s: pods_of |
	some s, found in selected.near
	pods_of := sum([scaling.replicas[i] | some i in found])
}

_weight("yes", serving) := "sure" if {
	count(serving - services.scraped) > 0
} else := "perhaps"

_weight("unknown", _) := "perhaps"
