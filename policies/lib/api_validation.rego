# METADATA
# title: API validation
# description: |
#   Errors of objects outside their containers for which the API server, or Argo Rollouts, rejects them.
# schemas:
# - input: schema.input
package gracegate.lib.api_validation

import data.gracegate.lib.containers
import data.gracegate.lib.patches
import data.gracegate.lib.rolling_update
import data.gracegate.lib.startup
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Errors by document
# description: |
#   A set of errors of complete workloads and of PodDisruptionBudgets; documents without one are left out. Each has a
#   `path` from the document's root, `why`, which continues a sentence that begins with the object's name, and `steps`
#   that fix it, or else `advice`.
errors := object.union(_workload_errors, _budget_errors)

_workload_errors := {i: found |
	some i in workloads.complete
	updates := (_no_progress(i) | _recreate_settings(i)) | _daemon_set_update(workloads.kind[i], i)
	found := ((updates | _deadline(i)) | _ephemeral_containers(i)) | _host_ports(i)
	count(found) > 0
}

# No pod may be added and none stopped.
_no_progress(i) := {{
	"path": array.concat(update.path, ["maxSurge"]),
	"why": "can neither add nor stop a pod, because maxSurge and maxUnavailable are both 0",
	"steps": [{"op": "replace", "path": array.concat(update.path, ["maxSurge"]), "value": 1}],
	"advice": "",
}} if {
	update := rolling_update.explicit[i]
	update.is_rejected
} else := set()

_recreate_settings(i) := {{
	"path": ["spec", "strategy", "rollingUpdate"],
	"why": "has a rollingUpdate, but its strategy is Recreate",
	"steps": [{"op": "remove", "path": ["spec", "strategy", "rollingUpdate"]}],
	"advice": "",
}} if {
	workloads.kind[i] == "Deployment"
	strategy := input.documents[i].object.spec.strategy
	strategy.type == "Recreate"
	not object.get(strategy, "rollingUpdate", null) == null
} else := set()

_deadline(i) := {{
	"path": ["spec", {true: "minReadySeconds", false: "progressDeadlineSeconds"}[deadline.ready > 0]],
	"why": text.format("is declared failed after {} s, but its pods count as available only after {} s", [
		deadline.deadline,
		deadline.ready,
	]),
	"steps": deadline.steps,
	"advice": "",
}} if {
	deadline := startup.progress_deadlines[i]
	deadline.ready >= deadline.deadline
} else := set()

# A DaemonSet replaces a pod by stopping it first, which is the default, or by adding one first.
_daemon_set_update("DaemonSet", i) := found if {
	startswith(input.documents[i].object.apiVersion, "apps/")
	strategy := input.documents[i].object.spec.updateStrategy
	is_object(strategy.rollingUpdate)
	object.get(strategy, "type", null) in {null, "", "RollingUpdate"}
	surge := _is_positive(object.get(strategy.rollingUpdate, "maxSurge", null), false)
	unavailable := _is_positive(object.get(strategy.rollingUpdate, "maxUnavailable", null), true)
	found := _daemon_set_error(surge, unavailable, _first_host_port(i), object.keys(strategy.rollingUpdate))
} else := set()

_daemon_set_update(kind, _) := set() if kind != "DaemonSet"

_update := ["spec", "updateStrategy", "rollingUpdate"]

_surge := array.concat(_update, ["maxSurge"])

_unavailable := array.concat(_update, ["maxUnavailable"])

_daemon_set_error(true, unavailable, [port], _) := {{
	"path": _surge,
	"why": text.format("has a maxSurge, but two pods on a node would both need hostPort {}", [port]),
	"steps": array.concat(
		[{"op": "remove", "path": _surge}],
		[{"op": "replace", "path": _unavailable, "value": 1} | not unavailable],
	),
	"advice": "",
}}

_daemon_set_error(true, true, [], keys) := {{
	"path": _surge,
	"why": "has both a maxSurge and a maxUnavailable above 0, but only one is allowed",
	"steps": [patches.put(keys, _unavailable, 0)],
	"advice": "",
}}

_daemon_set_error(true, false, [], _) := set()

_daemon_set_error(false, true, _, _) := set()

_daemon_set_error(false, false, _, _) := {{
	"path": _unavailable,
	"why": "can neither add nor stop a pod, because maxSurge and maxUnavailable are both 0",
	"steps": [{"op": "replace", "path": _unavailable, "value": 1}],
	"advice": "",
}}

# Is it a number of pods above 0? The fallback is the answer for null, and there is none for a variable.
_is_positive(null, fallback) := fallback

_is_positive(value, _) := false if rolling_update.is_zero(value)

_is_positive(value, _) if {
	value != null
	not rolling_update.is_zero(value)
	not values.is_placeholder(value)
}

_first_host_port(i) := [min(ports) |
	ports := {number |
		some container in containers.long_running[i]
		some port in values.list(container.spec.ports)
		number := values.integer(port.hostPort, 0)
		number > 0
	}
	count(ports) > 0
]

_ephemeral_containers(i) := {{
	"path": path,
	"why": "has ephemeral containers, which can only be added to a running pod",
	"steps": [{"op": "remove", "path": path}],
	"advice": "",
}} if {
	pod := workloads.pod[i]
	count(values.list(object.get(pod.spec, "ephemeralContainers", []))) > 0
	path := array.concat(pod.path, ["ephemeralContainers"])
} else := set()

# On the network of its node a container has the ports of the node.
_host_ports(i) := {found |
	workloads.pod[i].spec.hostNetwork == true
	some container in containers.regular[i]
	some index, port in values.list(object.get(container.spec, "ports", []))
	host_port := values.integer(port.hostPort, 0)
	container_port := values.integer(port.containerPort, 0)
	host_port > 0
	container_port > 0
	host_port != container_port
	path := array.concat(container.path, ["ports", index, "hostPort"])
	found := {
		"path": path,
		"why": text.format(
			`uses the network of its node, where containerPort {} of container "{}" cannot be hostPort {}`,
			[container_port, container.title, host_port],
		),
		"steps": [{"op": "replace", "path": path, "value": container_port}],
		"advice": "",
	}
}

_budget_errors := {i: found |
	some i, document in input.documents
	document.object.kind == "PodDisruptionBudget"
	document.subject
	is_object(document.object.spec)
	fields := {field: value |
		some field in ["maxUnavailable", "minAvailable"]
		value := document.object.spec[field]
		value != null
	}
	found := _both_fields(fields) | _out_of_range(fields)
	count(found) > 0
}

_both_fields(fields) := {{
	"path": ["spec", field],
	"why": "has both minAvailable and maxUnavailable, but only one is allowed",
	"steps": [{"op": "remove", "path": ["spec", field]}],
	"advice": "",
}} if {
	count(fields) == 2

	# With maxUnavailable 0, no node could be drained.
	field := {true: "maxUnavailable", false: "minAvailable"}[_is_positive(fields.maxUnavailable, true) == false]
} else := set()

_out_of_range(fields) := {found |
	count(fields) == 1
	some field, value in fields
	percent := to_number(regex.find_all_string_submatch_n(`^0*(\d{1,9})%$`, values.string(value), 1)[0][1])
	percent > 100
	path := ["spec", field]
	found := {
		"path": path,
		"why": text.format("has a {} of {}%, more than 100%", [field, percent]),
		"steps": [{"op": "replace", "path": path, "value": "100%"} | field == "maxUnavailable"],
		"advice": "Set how many pods have to stay.",
	}
} | {found |
	some field, value in fields
	number := values.integer(value, 0)
	number < 0
	found := {
		"path": ["spec", field],
		"why": text.format("has a {} of {}, below 0", [field, number]),
		"steps": [],
		"advice": "Set how many pods may be unavailable, as in `maxUnavailable: 1`.",
	}
}
