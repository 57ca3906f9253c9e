# METADATA
# title: Placement
# description: What keeps a new pod from running while an old one of the same workload does.
# schemas:
# - input: schema.input
package gracegate.lib.placement

import data.gracegate.lib.containers
import data.gracegate.lib.joins
import data.gracegate.lib.selectors
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: PersistentVolumeClaims of a workload, by document
# description: |
#   A list of those that the pod mounts: `path` to the name of the claim from the document's root, its `name`, and
#   `mode`, what may mount it: "pod" (only one), "node" (pods on one), "all", or "unknown" if no manifest here has the
#   claim.
pvcs := {i: found |
	some i, pod in workloads.pod
	found := [pvc |
		some index, volume in values.list(object.get(pod.spec, "volumes", []))
		is_object(volume)
		name := values.string(object.get(volume, ["persistentVolumeClaim", "claimName"], ""))
		name != ""
		pvc := {
			"path": array.concat(pod.path, ["volumes", index, "persistentVolumeClaim", "claimName"]),
			"name": name,
			"mode": _mode({mode | some scope in joins.search_scopes[i]; some mode in _modes[[name, scope]]}),
		}
	]
}

# METADATA
# title: Exclusive volume by document
# description: |
#   The claim in `pvcs` that the fewest pods may mount. Only of workloads with a claim that not every pod may mount.
exclusive_volume := {i: tightest |
	some i, found in pvcs
	ranked := [[_rank[pvc.mode], pvc.path, pvc] | some pvc in found; _is_exclusive(i, pvc.mode)]
	count(ranked) > 0
	tightest := min(ranked)[2]
}

# METADATA
# title: Exclusive node by document
# description: |
#   Of workloads whose pods need a node each, for a port of the node or by anti-affinity: `path` to what requires it
#   from the document's root, and the `port`, 0 for anti-affinity.
exclusive_node := {i: reasons[0] |
	some i, _ in workloads.pod
	reasons := array.concat(_node_ports(i), _anti_affinity(i))
	count(reasons) > 0
}

# METADATA
# title: Scarce resource by document
# description: |
#   The name of a resource that a node may have only a few of, as nvidia.com/gpu, and `path` to where the pod asks for
#   it. Only of workloads that need one.
scarce_resource := {i: found[0] |
	some i, listed in containers.long_running
	found := [resource |
		some container in listed
		some field in ["limits", "requests"]
		some name, _ in container.spec.resources[field]
		regex.match(`/|^hugepages-`, name)
		resource := {"name": name, "path": array.concat(container.path, ["resources", field, name])}
	]
	count(found) > 0
}

# METADATA
# title: Writable host path by document
# description: The directory of a node that the pod may write to, and so share with another pod. Only of those with one.
writable_host_path := {i: min(paths) |
	some i, pod in workloads.pod
	paths := {path |
		some volume in values.list(object.get(pod.spec, "volumes", []))
		path := values.string(volume.hostPath.path)
		some container in containers.long_running[i]
		some mount in values.list(object.get(container.spec, "volumeMounts", []))
		mount.name == volume.name
		not mount.readOnly == true
	}
	count(paths) > 0
}

# A volume with several modes is bound with the widest of them.
_mode(modes) := "all" if {
	count(modes & {"ReadWriteMany", "ReadOnlyMany"}) > 0
} else := "node" if {
	modes.ReadWriteOnce
} else := "pod" if {
	modes.ReadWriteOncePod
} else := "unknown"

# Of the claims by name and scope.
_modes := values.groups([[[name, scope], mode] |
	some c, document in input.documents
	document.object.kind == "PersistentVolumeClaim"
	document.object.apiVersion == "v1"
	name := values.string(object.get(document.object, ["metadata", "name"], ""))
	some scope in joins.index_scopes[c]
	some mode in values.list(object.get(document.object, ["spec", "accessModes"], []))
])

_rank := {"pod": 1, "node": 2, "unknown": 3}

# Pods that can only run on one node share what that node has mounted.
_is_on_one_node := {i: true |
	some i, pod in workloads.pod
	nodes := [node |
		some path in [["nodeName"], ["nodeSelector", "kubernetes.io/hostname"]]
		node := object.get(pod.spec, path, null)
		is_string(node)
	]
	count(nodes) > 0
}

_is_exclusive(i, mode) if {
	mode in {"node", "unknown"}
	not _is_on_one_node[i]
}

_is_exclusive(_, "pod")

# On the network of its node, a pod's declared ports are ports of the node.
_node_ports(i) := [{"path": array.concat(container.path, ["ports", index, key]), "port": number} |
	keys := array.concat(["hostPort"], ["containerPort" | workloads.pod[i].spec.hostNetwork == true])
	some container in containers.long_running[i]
	some index, port in values.list(object.get(container.spec, "ports", []))
	some key in keys
	number := values.integer(port[key], 0)
	number > 0
]

# A term with matchLabelKeys tells the versions of a pod from each other.
_anti_affinity(i) := [{"path": array.concat(path, [index]), "port": 0} |
	pod := workloads.pod[i]
	path := array.concat(pod.path, ["affinity", "podAntiAffinity", _required])
	some index, term in values.list(object.get(pod.spec, ["affinity", "podAntiAffinity", _required], []))
	term.topologyKey == "kubernetes.io/hostname"
	every key in ["matchLabelKeys", "mismatchLabelKeys", "namespaces", "namespaceSelector"] {
		object.get(term, key, null) in {null, [], {}}
	}
	selectors.matches(selectors.requirements(term.labelSelector), pod.labels)
]

_required := "requiredDuringSchedulingIgnoredDuringExecution"
