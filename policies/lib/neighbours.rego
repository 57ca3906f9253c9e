# METADATA
# title: Neighbours
# description: What keeps a new pod from running while an old one of the same workload does.
package gracegate.lib.neighbours

import data.gracegate.lib.claims
import data.gracegate.lib.containers
import data.gracegate.lib.selectors
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Workloads whose pods share a volume, by document
# description: The claim that the fewest pods may use. Not where any number may.
volume := {i: tightest |
	some i, found in claims.of
	ranked := [[_order[claim.mode], claim.path, claim] | some claim in found; _parts(i, claim.mode)]
	count(ranked) > 0
	tightest := min(ranked)[2]
}

# METADATA
# title: Workloads whose pods need a node each, by document
# description: |
#   For a port of the node, or because their anti-affinity keeps them apart. `path` leads to what asks for it from the
#   document's root, `port` is 0 where it is the anti-affinity.
apart := {i: reasons[0] |
	some i, _ in workloads.pod
	reasons := array.concat(_ports(i), _terms(i))
	count(reasons) > 0
}

_order := {"pod": 1, "node": 2, "unknown": 3}

# Pods that run on one node alone share what that node has mounted.
_pinned := {i: true |
	some i, pod in workloads.pod
	node := [node |
		some path in [["nodeName"], ["nodeSelector", "kubernetes.io/hostname"]]
		node := object.get(pod.spec, path, null)
		is_string(node)
	]
	count(node) > 0
}

_parts(i, _) if not _pinned[i]

_parts(_, "pod")

# On the network of its node, what a pod declares is a port of the node.
_ports(i) := [{"path": array.concat(container.path, ["ports", position, key]), "port": number} |
	keys := array.concat(["hostPort"], ["containerPort" | workloads.pod[i].spec.hostNetwork == true])
	some container in containers.running[i]
	some position, port in values.list(object.get(container.spec, "ports", []))
	some key in keys
	number := values.whole(port[key], 0)
	number > 0
]

# A term with matchLabelKeys tells the versions of a pod from each other.
_terms(i) := [{"path": array.concat(path, [position]), "port": 0} |
	pod := workloads.pod[i]
	path := array.concat(pod.path, ["affinity", "podAntiAffinity", _required])
	some position, term in values.list(object.get(pod.spec, ["affinity", "podAntiAffinity", _required], []))
	term.topologyKey == "kubernetes.io/hostname"
	every key in ["matchLabelKeys", "mismatchLabelKeys", "namespaces", "namespaceSelector"] {
		object.get(term, key, null) in {null, [], {}}
	}
	selectors.met(selectors.requirements(term.labelSelector), pod.labels)
]

_required := "requiredDuringSchedulingIgnoredDuringExecution"
