# METADATA
# title: Selected
# description: Which workloads a Service sends to.
# schemas:
# - input: schema.input
package gracegate.lib.selected

import data.gracegate.lib.nearness
import data.gracegate.lib.services
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Nearest workloads that a Service sends to, by document of the Service
# description: Without batch kinds, whose pods are selected by accident, and without fragments.
near := {s: nearness.nearest(s, found) | some s, found in _all}

# METADATA
# title: Workloads that some Service sends to
sent := {i | some found in near; some i in found}

_all := values.grouped({[s, i] |
	some i, found in services.serving
	not workloads.kind[i] in {"CronJob", "Job"}
	not input.documents[i].fragment
	some s in found
})
