# METADATA
# title: Refusals
# description: |
#   What is wrong with objects outside their containers for which the API server, or Argo Rollouts, refuses them. Each
#   has a `path` from the document's root, `why`, which goes on after the object's name, and `steps` that mend it, or
#   `advice` where there are none.
# schemas:
# - input: schema.input
package gracegate.lib.refusals

import data.gracegate.lib.containers
import data.gracegate.lib.fenceposts
import data.gracegate.lib.patches
import data.gracegate.lib.starts
import data.gracegate.lib.texts
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Refusals by document
# description: Documents without one are not in it.
of := object.union(_of_workloads, _of_budgets)

_of_workloads := {i: found |
	some i in workloads.whole
	found := (((_standing(i) | _recreated(i)) | (_late(i) | _spread(workloads.kind[i], i))) | _debugged(i)) | _hosted(i)
	count(found) > 0
}

# No pod may be added and none taken away.
_standing(i) := {{
	"path": array.concat(update.path, ["maxSurge"]),
	"why": "may neither add a pod nor take one away, as maxSurge and maxUnavailable are both 0",
	"steps": [{"op": "replace", "path": array.concat(update.path, ["maxSurge"]), "value": 1}],
	"advice": "",
}} if {
	update := fenceposts.of[i]
	update.refused
} else := set()

_recreated(i) := {{
	"path": ["spec", "strategy", "rollingUpdate"],
	"why": "has a rollingUpdate, although its strategy is Recreate",
	"steps": [{"op": "remove", "path": ["spec", "strategy", "rollingUpdate"]}],
	"advice": "",
}} if {
	workloads.kind[i] == "Deployment"
	strategy := input.documents[i].object.spec.strategy
	strategy.type == "Recreate"
	not object.get(strategy, "rollingUpdate", null) == null
} else := set()

_late(i) := {{
	"path": ["spec", {true: "minReadySeconds", false: "progressDeadlineSeconds"}[waiting.ready > 0]],
	"why": texts.filled("is declared failed after {} s, and its pods count as available after {} s", [
		waiting.deadline,
		waiting.ready,
	]),
	"steps": waiting.steps,
	"advice": "",
}} if {
	waiting := starts.of[i]
	waiting.ready >= waiting.deadline
} else := set()

# A DaemonSet replaces a pod by taking it away first, or by adding one first. The default takes one away.
_spread("DaemonSet", i) := found if {
	startswith(input.documents[i].object.apiVersion, "apps/")
	strategy := input.documents[i].object.spec.updateStrategy
	is_object(strategy.rollingUpdate)
	object.get(strategy, "type", null) in {null, "", "RollingUpdate"}
	surges := _is_some(object.get(strategy.rollingUpdate, "maxSurge", null), false)
	takes := _is_some(object.get(strategy.rollingUpdate, "maxUnavailable", null), true)
	found := _replaced(surges, takes, _host_port(i), object.keys(strategy.rollingUpdate))
} else := set()

_spread(kind, _) := set() if kind != "DaemonSet"

_update := ["spec", "updateStrategy", "rollingUpdate"]

_surge := array.concat(_update, ["maxSurge"])

_unavailable := array.concat(_update, ["maxUnavailable"])

_replaced(true, takes, [port], _) := {{
	"path": _surge,
	"why": texts.filled("may run two pods on a node, as it has a maxSurge, and both would need hostPort {}", [port]),
	"steps": array.concat(
		[{"op": "remove", "path": _surge}],
		[{"op": "replace", "path": _unavailable, "value": 1} | not takes],
	),
	"advice": "",
}}

_replaced(true, true, [], keys) := {{
	"path": _surge,
	"why": "may both add pods and take some away, as maxSurge is given and maxUnavailable is not 0",
	"steps": [patches.put(keys, _unavailable, 0)],
	"advice": "",
}}

_replaced(true, false, [], _) := set()

_replaced(false, true, _, _) := set()

_replaced(false, false, _, _) := {{
	"path": _unavailable,
	"why": "may neither add a pod nor take one away, as maxSurge and maxUnavailable are both 0",
	"steps": [{"op": "replace", "path": _unavailable, "value": 1}],
	"advice": "",
}}

# Is it a number of pods that is not none? What is said of null stands for what is not a number.
_is_some(null, fallback) := fallback

_is_some(value, _) := false if fenceposts.is_none(value)

_is_some(value, _) if {
	value != null
	not fenceposts.is_none(value)
}

_host_port(i) := [min(ports) |
	ports := {number |
		some container in containers.running[i]
		some port in values.list(container.spec.ports)
		number := values.whole(port.hostPort, 0)
		number > 0
	}
	count(ports) > 0
]

_debugged(i) := {{
	"path": path,
	"why": "has ephemeral containers, which can only be added to a pod that runs",
	"steps": [{"op": "remove", "path": path}],
	"advice": "",
}} if {
	pod := workloads.pod[i]
	count(values.list(object.get(pod.spec, "ephemeralContainers", []))) > 0
	path := array.concat(pod.path, ["ephemeralContainers"])
} else := set()

# On the network of its node a container has the ports of the node.
_hosted(i) := {found |
	workloads.pod[i].spec.hostNetwork == true
	some container in containers.regular[i]
	some position, port in values.list(object.get(container.spec, "ports", []))
	outer := values.whole(port.hostPort, 0)
	inner := values.whole(port.containerPort, 0)
	outer > 0
	inner > 0
	outer != inner
	path := array.concat(container.path, ["ports", position, "hostPort"])
	found := {
		"path": path,
		"why": texts.filled(`uses the network of its node, where containerPort {} of container "{}" cannot be hostPort {}`, [
			inner,
			container.title,
			outer,
		]),
		"steps": [{"op": "replace", "path": path, "value": inner}],
		"advice": "",
	}
}

_of_budgets := {i: found |
	some i, document in input.documents
	document.object.kind == "PodDisruptionBudget"
	document.subject
	is_object(document.object.spec)
	fields := {field: value |
		some field in ["maxUnavailable", "minAvailable"]
		value := document.object.spec[field]
		value != null
	}
	found := _twofold(fields) | _beyond(fields)
	count(found) > 0
}

_twofold(fields) := {{
	"path": ["spec", field],
	"why": "has both minAvailable and maxUnavailable, and one is allowed",
	"steps": [{"op": "remove", "path": ["spec", field]}],
	"advice": "",
}} if {
	count(fields) == 2

	# Without any pod to spare, no node could be drained.
	field := {true: "maxUnavailable", false: "minAvailable"}[_is_some(fields.maxUnavailable, true) == false]
} else := set()

_beyond(fields) := {found |
	count(fields) == 1
	some field, value in fields
	percent := to_number(regex.find_all_string_submatch_n(`^0*(\d{1,9})%$`, values.text(value), 1)[0][1])
	percent > 100
	path := ["spec", field]
	found := {
		"path": path,
		"why": texts.filled("has a {} of {} %, and there are no more than 100 %", [field, percent]),
		"steps": [{"op": "replace", "path": path, "value": "100%"} | field == "maxUnavailable"],
		"advice": "Say how many pods have to stay.",
	}
} | {found |
	some field, value in fields
	number := values.whole(value, 0)
	number < 0
	found := {
		"path": ["spec", field],
		"why": texts.filled("has a {} of {}, below 0", [field, number]),
		"steps": [],
		"advice": "Say how many pods may be away, as in `maxUnavailable: 1`.",
	}
}
