# METADATA
# title: Fault of a dependency restarts the container
# description: |
#   A livenessProbe should fail only if a restart helps. If it asks a database, a cache or another service, one fault
#   there restarts all pods at the same time, with all requests in them, and their starts are the next load on what has
#   just failed. Spring's `/actuator/health` asks everything that the app is connected to.
# related_resources:
# - ref: https://docs.spring.io/spring-boot/reference/actuator/endpoints.html#actuator.endpoints.kubernetes-probes
#   description: Which endpoints of Spring are for probes
# - ref: https://docs.aws.amazon.com/eks/latest/best-practices/application.html
#   description: What a livenessProbe should not check
# schemas:
# - input: schema.input
# custom:
#   severity: warning
#   fix: assumes
#   example:
#   - op: add
#     path: [spec, template, spec, containers, 0, livenessProbe]
#     value: {failureThreshold: 6, httpGet: {path: /actuator/health, port: http}}
package gracegate.rules.liveness["liveness-checks-dependency"]

import data.gracegate.lib.liveness_budget
import data.gracegate.lib.shells
import data.gracegate.lib.text
import data.gracegate.lib.user_traffic
import data.gracegate.lib.values

violation contains {"at": at, "message": message, "level": found.level} if {
	some at, found in _dependent
	message := text.format(`A fault of {} {} container "{}" in all pods at the same time: its livenessProbe {}.`, [
		found.dependency,
		{true: "may restart", false: "restarts"}[found.kind == "name"],
		found.title,
		found.why,
	])
}

fix contains {"at": at, "class": "assumes", "patch": [step], "assumption": assumption} if {
	assumption := "The app is Spring Boot 2.3 or later, which has an endpoint for liveness on Kubernetes."
	some at, found in _dependent
	found.kind == "spring"
	step := {"op": "replace", "path": at.path, "value": concat("", [trim_right(found.path, "/"), "/liveness"])}
}

fix contains {"at": at, "class": "text", "advice": advice} if {
	advice := "Let the livenessProbe ask only whether the process itself works, and the readinessProbe for the rest."
	some at, found in _dependent
	found.kind != "spring"
}

possible contains at if {
	some at, found in _dependent
	found.kind == "name"
}

_dependent := {at: found |
	some i, budgets in liveness_budget.by_workload
	user_traffic.certainty[i]
	some liveness in budgets
	some asked in _asks_more(liveness.container.spec)
	found := object.union(asked, {"title": liveness.container.title})
	at := {"document": i, "path": array.concat(liveness.path, asked.at)}
}

# At most one entry.
_asks_more(container) := [object.union(found, {"path": path, "at": ["httpGet", "path"]})] if {
	path := values.string(container.livenessProbe.httpGet.path)
	values.string(object.get(container.livenessProbe.httpGet, "host", "")) == ""
	found := _meaning(path, _sharing(path, container))
} else := [{"kind": "host", "level": "warning", "dependency": dependency, "why": "asks it", "at": at}] if {
	host := _asked_host(container.livenessProbe.exec.command)
	at := ["exec", "command"]
	dependency := text.format(`host "{}"`, [host])
} else := []

_sharing(path, container) := "shared" if {
	container.readinessProbe.httpGet.path == path
} else := "own"

_meaning(path, _) := {
	"kind": "spring",
	"level": "warning",
	"dependency": "a database or another dependency",
	"why": text.format(`asks "{}", which checks everything that the app is connected to`, [path]),
} if {
	regex.match(`(^|/)actuator/health/?$`, path)
} else := {
	"kind": "name",
	"level": "warning",
	"dependency": "a dependency",
	"why": text.format(`asks "{}", which by its name checks more than the process`, [path]),
} if {
	regex.match(`(?i)/(db|database|deps?|dependency|dependencies|deep)/?$`, path)
}

# What says whether an app is ready often asks what it depends on. Both probes may ask it, the livenessProbe for longer.
_meaning(path, "own") := {
	"kind": "name",
	"level": "warning",
	"dependency": "a dependency",
	"why": text.format(`asks "{}", which by its name says whether the app is ready`, [path]),
} if {
	regex.match(`(?i)/(readyz?|readiness)/?$`, path)
}

_meaning(path, "shared") := {
	"kind": "name",
	"level": "info",
	"dependency": "a dependency",
	"why": text.format(`asks "{}" like its readinessProbe, which may check more than the process`, [path]),
} if {
	regex.match(`(?i)/(health|status)/?$`, path)
	not regex.match(`(^|/)actuator/health/?$`, path)
}

# The host that the only command of an exec probe asks. Undefined for the pod itself, and for a variable.
_asked_host(command) := host if {
	is_array(command)
	count([word | some word in command; not is_string(word)]) == 0
	host := _host_of(_words(command))
	host != ""
	not regex.match(`^(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[?::1\]?)$`, host)
	not values.is_placeholder(host)
	not contains(host, "\u0060")
}

_words(command) := words if {
	[only] := shells.commands(command[shells.script_index(command)])
	words := only.words
} else := command if not shells.script_index(command)

_host_of(words) := host if {
	_clients[shells.program(words[0])]
	some n, word in words
	word in {"-h", "--host"}
	host := words[n + 1]
} else := host if {
	_clients[shells.program(words[0])]
	some word in words
	host := regex.find_all_string_submatch_n(`^(?:--host=|-h)(.+)$`, word, 1)[0][1]
} else := host if {
	shells.program(words[0]) in {"curl", "wget"}
	some word in words
	host := regex.find_all_string_submatch_n(`^https?://(?:[^/@]*@)?(\[[^\]]*\]|[^/:?#]*)`, word, 1)[0][1]
}

# Programs that ask a server, by default on this host, and another one with -h.
_clients := {"mysql", "mysqladmin", "pg_isready", "psql", "redis-cli"}
