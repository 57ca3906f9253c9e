# METADATA
# title: Containers
# description: The containers of a pod that run beside each other, regular ones and native sidecars, with their ports.
package gracegate.lib.containers

import data.gracegate.lib.ports
import data.gracegate.lib.text
import data.gracegate.lib.workloads

# METADATA
# title: Long-running containers by document
# description: |
#   Regular containers first, then native sidecars, which are init containers with restartPolicy Always. Each has
#   `document`, `path` from the document's root, `title`, which is its name or else its list and index, `spec`, `ports`
#   (see the library ports) and `sidecar`, true for a native one.
long_running := {i: array.concat(found, _sidecars[i]) | some i, found in regular}

# METADATA
# title: Regular containers by document
# description: As in `long_running`, without native sidecars.
regular := {i: found |
	some i, pod in workloads.pod
	found := [container |
		is_array(pod.spec.containers)
		some index, spec in pod.spec.containers
		is_object(spec)
		container := {
			"document": i,
			"path": array.concat(pod.path, ["containers", index]),
			"title": _title(spec, "containers", index),
			"spec": spec,
			"ports": ports.declared_by(spec),
			"sidecar": false,
		}
	]
}

_sidecars := {i: found |
	some i, pod in workloads.pod
	found := [container |
		is_array(pod.spec.initContainers)
		some index, spec in pod.spec.initContainers
		spec.restartPolicy == "Always"
		container := {
			"document": i,
			"path": array.concat(pod.path, ["initContainers", index]),
			"title": _title(spec, "initContainers", index),
			"spec": spec,
			"ports": ports.declared_by(spec),
			"sidecar": true,
		}
	]
}

_title(spec, list, index) := spec.name if {
	is_string(spec.name)
	spec.name != ""
} else := text.format("{}[{}]", [list, index])
