# METADATA
# title: Startup
# description: How long containers may take to start, and how long a rollout waits for them.
# schemas:
# - input: schema.input
package gracegate.lib.startup

import data.gracegate.lib.containers
import data.gracegate.lib.liveness_budget
import data.gracegate.lib.patches
import data.gracegate.lib.probe_validation
import data.gracegate.lib.probes
import data.gracegate.lib.scaling
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Containers without a startupProbe, by document and path of the container
# description: |
#   Those with a livenessProbe, which then also limits their start: `container`, `delay`, the seconds before its first
#   try, `total`, the seconds until it fails, and `ready`, the seconds before the first try of the readinessProbe;
#   `asks_alike` says that both probes ask the same.
#   `probe` is a startupProbe that would limit the start better, and `seconds` what it allows at most. It has the
#   handler of the probe `by`: of the livenessProbe, or else of the readinessProbe, or of none if neither can be copied.
without_startup_probe := {i: found |
	some i, budgets in liveness_budget.by_workload
	found := {container.path: start |
		some liveness in budgets
		container := liveness.container
		not probes.handler(object.get(container.spec, "startupProbe", null))
		probe := container.spec.livenessProbe
		delay := probes.delay(probe)
		ready := _ready(object.get(container.spec, "readinessProbe", null))
		period := max({5, probes.timeout(probe)})
		seconds := max({150, (3 * delay) / 2, (3 * ready) / 2, delay + liveness.budget})
		threshold := ceil(seconds / period)
		handlers := probe_validation.valid_handlers(container.spec, container.ports)
		by := array.concat([by | some by in ["livenessProbe", "readinessProbe"]; handlers[by]], [""])[0]
		pace := {"failureThreshold": threshold, "periodSeconds": period}
		start := {
			"container": container,
			"delay": delay,
			"total": delay + liveness.budget,
			"ready": ready,
			"asks_alike": liveness.readiness_budget > 0,
			"probe": object.union(object.union(pace, _timeout(probe)), object.get(handlers, by, {})),
			"seconds": threshold * period,
			"by": by,
		}
	}
}

# METADATA
# title: Containers that need a startupProbe, by document and path of the container
# description: |
#   Entries of `without_startup_probe` with `why`: "killed" before the readinessProbe has its first try, "slow" by the
#   name of the image, or "delayed", because the livenessProbe has a long delay.
probe_candidates := {i: found |
	some i, starts in without_startup_probe
	found := {path: object.union(start, {"why": why}) | some path, start in starts; why := _why(start)}
}

# METADATA
# title: Progress deadlines by document of the workload
# description: |
#   Of complete Deployments and Rollouts: `seconds`, the longest start of their containers, set at `path` of the
#   document `pods` for the container `title`; `longest`, the same with the startupProbes that gracegate suggests;
#   `ready`, the minReadySeconds, and `deadline`, when the rollout is declared failed. `steps` make the deadline long
#   enough; they are the same for all rules, so that their fixes agree. Not of those whose numbers are not known.
progress_deadlines := {i: found |
	some i in workloads.complete
	workloads.kind[i] in {"Deployment", "Rollout"}
	not scaling.is_run_by_rollout[i]
	pods := object.get(scaling.deployment_of_rollout, i, i)
	[seconds, path, title] := max({[0, [], ""]} | _start_limits[pods])
	spec := input.documents[i].object.spec
	is_object(spec)
	ready := values.number(object.get(spec, "minReadySeconds", null), 0)
	longest := max({seconds} | {start.seconds | some start in probe_candidates[pods]; start.by != ""})
	deadline := 60 * (floor((((6 * longest) / 5) + ready) / 60) + 1)
	found := {
		"pods": pods,
		"path": path,
		"title": title,
		"seconds": seconds,
		"longest": longest,
		"ready": ready,
		"deadline": values.number(object.get(spec, "progressDeadlineSeconds", null), 600),
		"steps": [patches.put(object.keys(spec), ["spec", "progressDeadlineSeconds"], deadline)],
	}
}

_why(start) := "killed" if {
	start.total <= start.ready
} else := "slow" if {
	start.total < 60
	_is_slow(values.string(object.get(start.container.spec, "image", "")))
} else := "delayed" if {
	start.delay >= 60
}

# By the last part of the image's name, with its tag. What only measures or runs such a server is not one.
_is_slow(image) if {
	name := lower(regex.find_all_string_submatch_n(`[^/]*$`, image, 1)[0][0])
	regex.match(
		concat("", [
			`(^|[^a-z])(java|openjdk|jdk|jre|tomcat|spring|spring-?boot|keycloak|elasticsearch|jenkins|wildfly|sonarqube)`,
			`([^a-z]|$)`,
		]),
		name,
	)
	not regex.match(`exporter|operator|agent|curator|client|proxy|plugin`, name)
}

_ready(probe) := probes.delay(probe) if {
	probes.handler(probe)
} else := 0 if {
	not probes.handler(probe)
}

# A try may take as long as one of the livenessProbe.
_timeout(probe) := {"timeoutSeconds": probes.timeout(probe)} if {
	probes.timeout(probe) > 1
} else := {}

_start_limits := {i: found |
	some i, listed in containers.long_running
	found := {[seconds, array.concat(container.path, path), container.title] |
		some container in listed
		some [seconds, path] in _limits(container.spec)
	}
}

_limits(container) := {[seconds, ["startupProbe"]] |
	probe := container.startupProbe
	probes.handler(probe)
	seconds := probes.delay(probe) + probes.budget(probe)
} | {[seconds, [by, "initialDelaySeconds"]] |
	some by in ["livenessProbe", "readinessProbe"]
	probe := container[by]
	probes.handler(probe)
	seconds := probes.delay(probe)
}
