# METADATA
# title: Facts of rollouts
# description: What decides which requests a rolling update loses, for its simulation. No rule reads it.
# schemas:
# - input: schema.input
package gracegate.lib.rollout_facts

import data.gracegate.lib.commands
import data.gracegate.lib.containers
import data.gracegate.lib.drains
import data.gracegate.lib.exposures
import data.gracegate.lib.grace
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.probes
import data.gracegate.lib.rolling_update
import data.gracegate.lib.scaling
import data.gracegate.lib.services
import data.gracegate.lib.shutdown_times
import data.gracegate.lib.target_containers
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Facts by document
# description: |
#   Of complete workloads whose pods an update replaces: `facts`, as in RolloutFacts of gracegate's model, or `unknown`,
#   why there are none, as in NoSimulation. With facts there is `shutdown`, which has the `services` that send to the
#   container, each with `document` and `seconds`, and numbers with `name`, `seconds` and `path`: `steps`, which the
#   container takes to stop, and `grace`. A number that is assumed has the path of the container.
by_workload := {i: found |
	some i in workloads.complete
	workloads.rolling[i]
	found := _found(i)
}

_found(i) := {"unknown": reason} if {
	reason := _reason(i)
} else := {"unknown": reason} if {
	reason := _target_reason(i, _targets(i)[0])
} else := {"facts": facts, "shutdown": shutdown} if {
	target := _targets(i)[0]
	facts := object.union(_facts_of_pods(i), _facts_of_target(i, target))
	every name in ["replicas", "surge", "unavailable", "min_ready", "prestop", "grace", "drain"] {
		facts[name] >= 0
	}
	shutdown := _shutdown(i, target)
} else := {"unknown": "unknown_number"}

_reason(i) := "other_kind" if {
	not workloads.kind[i] == "Deployment"
} else := "other_kind" if {
	scaling.is_run_by_rollout[i]
} else := "idle" if {
	scaling.replicas[i] == 0
} else := "unserved" if {
	services.served_status[i] == "no"
} else := "unknown_service" if {
	services.served_status[i] == "unknown"
} else := "unserved" if {
	count(_targets(i)) == 0
	count(target_containers.by_workload[i]) > 0
} else := "several_containers" if {
	count(_targets(i)) != 1
}

_targets(i) := [target |
	some target in target_containers.by_workload[i]
	target.level == "error"
]

_target_reason(i, target) := "several_containers" if {
	target.container.sidecar
} else := "unknown_service" if {
	count(target.services - exposures.is_certain) > 0
} else := "headless" if {
	count(_senders(target)) == 0
} else := "app_drains" if {
	workloads.annotations[i]["gracegate.dev/drain"] == "app"
} else := "early_stop" if {
	drains.early_stops[i][target.container.path]
} else := "unknown_hook" if {
	not _has_known_prestop(target.container)
} else := "readiness_of_sidecar" if {
	not probes.has_probe(target.container.spec, "readinessProbe")
	some container in containers.long_running[i]
	probes.has_probe(container.spec, "readinessProbe")
} else := "never_ready" if {
	some container in containers.long_running[i]
	_is_never_ready(container)
}

_is_never_ready(container) if {
	by := probes.with_undefined_port(container.spec, container.ports)
	count(by & {"readinessProbe", "startupProbe"}) > 0
}

_is_never_ready(container) if {
	some by in ["readinessProbe", "startupProbe"]
	commands.defect(container.spec[by].exec.command)
}

_senders(target) := {s | some s in target.services; not services.service[s].headless}

_has_known_prestop(container) if _prestop(container) >= 0

# A hook that fails takes no time.
_prestop(container) := 0 if {
	not hooks.has_prestop(container.spec)
} else := 0 if {
	hooks.defect(container.spec.lifecycle.preStop)
} else := 0 if {
	images.missing_programs[container.document][container.path]
} else := hooks.seconds(container.spec.lifecycle.preStop)

_facts_of_pods(i) := object.union(_numbers(i), {
	"min_ready": values.number(object.get(input.documents[i].object, ["spec", "minReadySeconds"], null), 0),
	"grace": grace.period[i],
})

_numbers(i) := {"replicas": scaling.replicas[i], "surge": 0, "unavailable": 0, "recreates": true} if {
	input.documents[i].object.spec.strategy.type == "Recreate"
} else := _rolling_numbers(rolling_update.explicit[i]) if {
	not rolling_update.explicit[i].is_rejected
} else := _rolling_numbers(rolling_update.implicit[i])

_rolling_numbers(found) := {
	"replicas": found.replicas,
	"surge": found.surge,
	"unavailable": found.unavailable,
	"recreates": false,
}

_facts_of_target(i, target) := {
	"container": target.container.title,
	"readiness": _probe(target.container.spec, "readinessProbe"),
	"startup": _probe(target.container.spec, "startupProbe"),
	"start": _start(target.container.spec),
	"prestop": _prestop(target.container),
	"exposure": exposure,
	"drain": seconds,
	"publishes_unready": count([true | drains.is_sent_to_until_gone(target)]) > 0,
	"gated": count([true | _is_gated(i, exposure)]) > 0,
} if {
	[seconds, exposure] := max([[input.cluster.drain_seconds[exposure], exposure] |
		some s in _senders(target)
		some exposure in exposures.by_service[s]
	])
}

# GKE sets the gate of its NEGs by itself.
_is_gated(_, "neg")

_is_gated(i, exposure) if {
	exposure != "neg"
	exposures.is_gated(i)
}

_probe(spec, field) := null if {
	not probes.has_probe(spec, field)
} else := {
	"initial_delay": probes.delay(spec[field]),
	"period": probes.period(spec[field]),
	"success_threshold": probes.success_threshold(spec[field]),
	"connects": object.keys(probes.handler(spec[field])) == {"tcpSocket"},
}

_start(spec) := max(delays) if {
	delays := {delay |
		some field in ["livenessProbe", "readinessProbe", "startupProbe"]
		probes.handler(spec[field])
		delay := probes.delay(spec[field])
		delay > 0
	}
	count(delays) > 0
} else := null

_shutdown(i, target) := {
	"services": [{"document": s, "seconds": exposures.seconds[s]} | some s in sort(_senders(target))],
	"steps": array.concat(_hook_steps(target.container), _app_steps(i, target.container)),
	"grace": {
		"name": "grace period",
		"seconds": grace.period[i],
		"path": array.concat(workloads.pod[i].path, ["terminationGracePeriodSeconds"]),
	},
}

_hook_steps(container) := [step |
	hooks.has_prestop(container.spec)
	path := array.concat(container.path, ["lifecycle", "preStop"])
	step := {"name": "preStop", "seconds": _prestop(container), "path": path}
]

_app_steps(i, container) := steps if {
	not grace.is_annotated(workloads.annotations[i])
	steps := [step |
		some stated in shutdown_times.stated(container.spec)
		path := array.concat(container.path, stated.path)
		step := {"name": stated.name, "seconds": stated.seconds, "path": path}
	]
	count(steps) > 0
} else := [{"name": "shutdown of the app", "seconds": seconds, "path": container.path}] if {
	seconds := grace.app_seconds(workloads.annotations[i], container.spec, input.cluster.app_drain_seconds)
}
