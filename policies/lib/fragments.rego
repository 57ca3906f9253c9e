# METADATA
# title: Fragments
# description: Patches of workloads, by the workload that they name.
# schemas:
# - input: schema.input
package gracegate.lib.fragments

import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Fragments by kind and name
# description: Which of several workloads of that name they are meant for cannot be seen.
of := values.grouped({[[kind, workloads.name[i]], i] |
	some i, kind in workloads.kind
	input.documents[i].fragment
})
