# METADATA
# title: Starts
# description: How long containers may take to start, and how long a rollout waits for them.
# schemas:
# - input: schema.input
package gracegate.lib.starts

import data.gracegate.lib.checks
import data.gracegate.lib.containers
import data.gracegate.lib.patches
import data.gracegate.lib.patience
import data.gracegate.lib.probes
import data.gracegate.lib.scaling
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Containers whose start only the livenessProbe bounds, by document and path of the container
# description: |
#   Watched ones without a startupProbe. `delay` is what the livenessProbe waits before its first try, `total` is when
#   it gives up, `ready` is when the readinessProbe first asks. `startup` is the startupProbe that would bound the start
#   better, and takes `seconds` at most. It asks what the livenessProbe asks; `blind` says that nothing can ask that.
unbounded := {i: found |
	some i, watches in patience.of
	found := {container.path: start |
		some watched in watches
		container := watched.container
		not probes.handler(object.get(container.spec, "startupProbe", null))
		probe := container.spec.livenessProbe
		delay := probes.delay(probe)
		ready := _ready(object.get(container.spec, "readinessProbe", null))
		period := max({5, probes.timeout(probe)})
		seconds := max({150, (3 * delay) / 2, (3 * ready) / 2, delay + watched.budget})
		threshold := ceil(seconds / period)
		askable := object.get(checks.askable(container.spec, container.ports), "livenessProbe", {})
		pace := {"failureThreshold": threshold, "periodSeconds": period}
		start := {
			"container": container,
			"delay": delay,
			"total": delay + watched.budget,
			"ready": ready,
			"startup": object.union(object.union(pace, _timeout(probe)), askable),
			"seconds": threshold * period,
			"blind": askable == {},
		}
	}
}

# METADATA
# title: Starts that need a startupProbe, by document and path of the container
# description: |
#   Unbounded ones with `why`: killed before anything asks whether the container is ready, slow by its image, or waited
#   for with a delay.
guessed := {i: found |
	some i, starts in unbounded
	found := {path: object.union(start, {"why": why}) | some path, start in starts; why := _why(start)}
}

# METADATA
# title: Rollouts that wait for a start, by document
# description: |
#   Deployments and Rollouts. `seconds` is the longest start of their containers, at `path` of the document `pods`,
#   `ready` is what they count as available after, `deadline` is when the rollout is declared failed. `steps` make it
#   long enough, also for the starts that get a startupProbe; they are the same for all rules, so that their fixes
#   agree.
of := {i: found |
	some i in workloads.whole
	workloads.kind[i] in {"Deployment", "Rollout"}
	not scaling.lent[i]
	pods := object.get(scaling.template, i, i)
	[seconds, path, title] := max({[0, [], ""]} | _starts[pods])
	spec := input.documents[i].object.spec
	is_object(spec)
	ready := values.whole(object.get(spec, "minReadySeconds", 0), 0)
	longest := max({seconds} | {start.seconds | some start in guessed[pods]; not start.blind})
	enough := 60 * (floor((((6 * longest) / 5) + ready) / 60) + 1)
	found := {
		"pods": pods,
		"path": path,
		"title": title,
		"seconds": seconds,
		"longest": longest,
		"ready": ready,
		"deadline": values.whole(object.get(spec, "progressDeadlineSeconds", 600), 600),
		"steps": [patches.put(object.keys(spec), ["spec", "progressDeadlineSeconds"], enough)],
	}
}

_why(start) := "killed" if {
	start.total <= start.ready
} else := "slow" if {
	start.total < 60
	_is_slow(values.text(object.get(start.container.spec, "image", "")))
} else := "delayed" if {
	start.delay >= 60
}

# By the last part of its name, with the tag; what only measures or runs such a server is no such server.
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
} else := 0

# A try takes as long as it may for the livenessProbe.
_timeout(probe) := {"timeoutSeconds": probes.timeout(probe)} if {
	probes.timeout(probe) > 1
} else := {}

_starts := {i: found |
	some i, running in containers.running
	found := {[seconds, array.concat(container.path, path), container.title] |
		some container in running
		some [seconds, path] in _waits(container.spec)
	}
}

_waits(container) := {[seconds, ["startupProbe"]] |
	probe := container.startupProbe
	probes.handler(probe)
	seconds := probes.delay(probe) + probes.budget(probe)
} | {[seconds, [by, "initialDelaySeconds"]] |
	some by in ["livenessProbe", "readinessProbe"]
	probe := container[by]
	probes.handler(probe)
	seconds := probes.delay(probe)
}
