# METADATA
# title: Containers
# description: The containers of a pod that run beside each other, regular ones and native sidecars, with their ports.
package gracegate.lib.containers

import data.gracegate.lib.texts
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Containers by document
# description: |
#   Regular containers first. `path` leads to the container from the document's root; `title` is its name, or its
#   place where it has none. A native sidecar is an init container that is restarted always.
running := {i: array.concat(found, _sidecars[i]) | some i, found in regular}

# METADATA
# title: Regular containers by document
# description: Without native sidecars and init containers.
regular := {i: found |
	some i, pod in workloads.pod
	found := [container |
		is_array(pod.spec.containers)
		some position, spec in pod.spec.containers
		is_object(spec)
		container := {
			"document": i,
			"path": array.concat(pod.path, ["containers", position]),
			"title": _title(spec, "containers", position),
			"spec": spec,
			"ports": ports(spec),
			"sidecar": false,
		}
	]
}

# METADATA
# title: Ports of a container
# description: As it declares them; `target` is what a Service or a probe may call the port.
ports(spec) := [described |
	some position, port in values.list(object.get(spec, "ports", []))
	is_object(port)
	name := values.text(object.get(port, "name", ""))
	number := values.whole(object.get(port, "containerPort", 0), 0)
	described := {
		"position": position,
		"name": name,
		"number": number,
		"protocol": protocol(port),
		"target": [target | some target in [name, number]; target != ""][0],
	}
]

# METADATA
# title: Protocol of a port
# description: TCP where the port names none.
protocol(port) := port.protocol if {
	is_string(port.protocol)
	port.protocol != ""
} else := "TCP"

_sidecars := {i: found |
	some i, pod in workloads.pod
	found := [container |
		is_array(pod.spec.initContainers)
		some position, spec in pod.spec.initContainers
		spec.restartPolicy == "Always"
		container := {
			"document": i,
			"path": array.concat(pod.path, ["initContainers", position]),
			"title": _title(spec, "initContainers", position),
			"spec": spec,
			"ports": ports(spec),
			"sidecar": true,
		}
	]
}

_title(spec, place, position) := spec.name if {
	is_string(spec.name)
	spec.name != ""
} else := texts.filled("{}[{}]", [place, position])
