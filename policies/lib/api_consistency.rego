# METADATA
# title: API consistency
# description: |
#   Fields of one object that contradict each other, for which the API server rejects it: selectors, restart policies,
#   names that stand twice or are missing, and limits the wrong way round.
# schemas:
# - input: schema.input
package gracegate.lib.api_consistency

import data.gracegate.lib.containers
import data.gracegate.lib.ports
import data.gracegate.lib.selectors
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Errors by document
# description: As in the library api_validation. Of complete workloads, Services and autoscalers.
errors := object.union(object.union(_workload_errors, _service_errors), _autoscaler_errors)

_workload_errors := {i: found |
	some i in workloads.complete
	of_pods := _restart_policy(i) | _same_names(i)
	found := (_selector(i) | of_pods) | _port_names(i)
	count(found) > 0
}

_selector(i) := {{
	"path": ["spec", "selector"],
	"why": "selects labels that its own pods do not have",
	"steps": [],
	"advice": "Give the selector labels of the template. That of an object that exists cannot be changed.",
}} if {
	workloads.kind[i] in {"CloneSet", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"}
	requirements := selectors.requirements(input.documents[i].object.spec.selector)
	labels := workloads.pod[i].labels
	not _selects(requirements, labels)
	not values.is_placeholder(json.marshal([requirements, [[key, value] | some key, value in labels]]))
} else := set()

# The API server takes no empty selector here.
_selects(requirements, labels) if {
	count(requirements) > 0
	selectors.matches(requirements, labels)
}

_restart_policy(i) := {{
	"path": array.concat(workloads.pod[i].path, ["restartPolicy"]),
	"why": text.format("has restartPolicy {}, but its pods have to restart Always", [policy]),
	"steps": [{"op": "replace", "path": array.concat(workloads.pod[i].path, ["restartPolicy"]), "value": "Always"}],
	"advice": "",
}} if {
	workloads.rolling[i]
	policy := workloads.pod[i].spec.restartPolicy
	policy in {"Never", "OnFailure"}
} else := {{
	"path": array.concat(workloads.pod[i].path, ["restartPolicy" | workloads.pod[i].spec.restartPolicy]),
	"why": "has no restartPolicy that lets its pods end",
	"steps": [],
	"advice": "Set `restartPolicy: Never`, or `OnFailure` to restart the container in the same pod.",
}} if {
	workloads.kind[i] in {"CronJob", "Job"}
	object.get(workloads.pod[i].spec, "restartPolicy", null) in {null, "", "Always"}
} else := set()

_same_names(i) := {found |
	listed := [[list, index, name] |
		some list in ["containers", "initContainers"]
		some index, container in values.list(object.get(workloads.pod[i].spec, list, []))
		name := values.string(container.name)
		name != ""
	]
	some position, [list, index, name] in listed
	some earlier in array.slice(listed, 0, position)
	earlier[2] == name
	found := {
		"path": array.concat(workloads.pod[i].path, [list, index, "name"]),
		"why": text.format(`has two containers called "{}"`, [name]),
		"steps": [],
		"advice": "Give each container a name of its own.",
	}
}

_port_names(i) := {found |
	some container in containers.long_running[i]
	some position, port in container.ports
	port.name != ""
	why := _port_name_reason(container, position)
	found := {
		"path": array.concat(container.path, ["ports", port.position, "name"]),
		"why": why,
		"steps": [],
		"advice": "Give the port another name, both where it is declared and where it is used.",
	}
}

_port_name_reason(container, position) := text.format(
	`has a port called "{}", but a name has at most 15 of a to z, 0 to 9 and single dashes, and needs a letter`,
	[name],
) if {
	name := container.ports[position].name
	not ports.is_valid_name(name)
	not values.is_placeholder(name)
} else := text.format(`has two ports called "{}" in container "{}"`, [name, container.title]) if {
	name := container.ports[position].name
	name in {port.name | some port in array.slice(container.ports, 0, position)}
}

_service_errors := {i: found |
	some i, document in input.documents
	document.object.kind == "Service"
	document.object.apiVersion == "v1"
	document.subject
	not document.fragment
	is_object(document.object.spec)
	found := _service_ports(document.object.spec) | _service_port_names(document.object.spec)
	count(found) > 0
}

_service_ports(spec) := {{
	"path": ["spec"],
	"why": "has no ports",
	"steps": [],
	"advice": "Set the `ports` that it listens on.",
}} if {
	object.get(spec, "ports", null) in {null, []}
	not spec.type == "ExternalName"
	not spec.clusterIP == "None"
} else := set()

_service_port_names(spec) := {found |
	listed := [[index, values.string(object.get(port, "name", ""))] |
		some index, port in values.list(object.get(spec, "ports", []))
		is_object(port)
	]
	count(listed) > 1
	some position, [index, name] in listed
	why := _service_port_reason(name, {earlier[1] | some earlier in array.slice(listed, 0, position)})
	found := {
		"path": array.concat(["spec", "ports", index], ["name" | name != ""]),
		"why": why,
		"steps": [],
		"advice": "Give each port a `name` of its own.",
	}
}

_service_port_reason("", _) := "has several ports, and one of them has no name"

_service_port_reason(name, earlier) := text.format(`has two ports called "{}"`, [name]) if {
	name != ""
	name in earlier
}

_autoscaler_errors := {i: {found} |
	some i, document in input.documents
	document.object.kind == "HorizontalPodAutoscaler"
	document.subject
	not document.fragment
	least := values.integer(document.object.spec.minReplicas, 1)
	most := values.integer(document.object.spec.maxReplicas, least)
	most >= 0
	most < least
	found := {
		"path": ["spec", "maxReplicas"],
		"why": text.format("has maxReplicas {}, less than minReplicas {}", [most, least]),
		"steps": [],
		"advice": "Set maxReplicas to at least minReplicas.",
	}
}
