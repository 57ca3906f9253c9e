# METADATA
# title: Images
# description: |
#   What the name of an image shows: programs that it lacks, preStop hooks that need such a program, and whether it
#   helps an app instead of being one.
# schemas:
# - input: schema.input
package gracegate.lib.images

import data.gracegate.lib.containers
import data.gracegate.lib.hooks
import data.gracegate.lib.shells

# METADATA
# title: Missing programs by document and path of the container
# description: |
#   Of containers whose preStop hook calls a program that their image lacks: `container`, the `program`, and the
#   `certainty`, "certain" or "likely". Not of hooks with a defect, or that call a program in a directory of the app.
missing_programs := {i: found |
	some i, listed in containers.long_running
	input.documents[i].subject
	found := {container.path: {"container": container, "program": program, "certainty": certainty} |
		some container in listed
		hook := container.spec.lifecycle.preStop
		is_object(hook.exec)
		not hooks.defect(hook)
		regex.match(`^((/usr)?(/local)?/s?bin/)?[^/]+$`, hook.exec.command[0])
		program := shells.program(hook.exec.command[0])
		is_string(container.spec.image)
		certainty := absence(container.spec.image, program)
	}
}

# METADATA
# scope: document
# title: Absence of a program from an image
# description: |
#   "certain" or "likely"; undefined if nothing is known. Only for programs of an operating system, and for clients that
#   the official image of a database has under another name.
absence(image, program) := "certain" if {
	_is_system_program[program]
	regex.match(`^scratch$|^gcr\.io/distroless/`, image)
	not _has_shell(image)
} else := "likely" if {
	_is_system_program[program]
	regex.match(_minimal, image)
	not _has_shell(image)
} else := "likely" if {
	program == "bash"
	regex.match(`(^|/)(alpine|busybox)([:@]|$)|:[^/@]*(alpine|busybox)`, image)
	not regex.match(`(^|/)(bash|kong|postgres|rabbitmq)[:@]`, image)
}

absence(image, program) := "likely" if {
	some pattern in _without_client[program]
	regex.match(pattern, image)
}

# METADATA
# scope: document
# title: Can a hook sleep in a container of the image?
# description: From 1.30 on, Kubernetes has a sleep of its own; before, the image must have the program sleep.
can_sleep(_, minor) if minor >= 30

can_sleep(image, minor) if {
	minor < 30
	not absence(image, "sleep")
}

# METADATA
# scope: document
# title: Is it the image of a helper?
# description: |
#   Of a log shipper, an exporter, an agent or a proxy for outgoing connections, which run beside an app and get no
#   requests of its users. Not a proxy that requests of users go through, as oauth2-proxy.
is_helper(image) if regex.match(_helpers, image)

_helpers := concat("", [
	`(^|/)(`,
	concat("|", [
		`fluent-?bit`, `fluentd`, `filebeat`, `promtail`, `telegraf`, `grafana-agent`, `grafana/alloy`,
		`vector(dotdev)?/vector`, `timberio/vector`, `opentelemetry-(collector|operator)`, `otel-?collector`,
		`adot-collector`, `cloudwatch-agent`, `aws-xray-daemon`, `datadog(hq)?/agent`, `jaeger-agent`,
		`cloud-?sql-proxy`, `gce-proxy`, `alloydb-auth-proxy`, `kube-rbac-proxy`, `vault(-agent)?`,
		`consul-template`, `git-sync`, `k8s-sidecar`, `configmap-reload`, `[a-z-]*config-reloader`, `proxyv2`,
		`pilot-agent`, `linkerd2?/proxy`,
	]),
	`)[^/]*$|exporter([:@][^/]*)?$`,
])

_is_system_program := {name: true |
	some name in [
		"ash", "bash", "cat", "chmod", "cp", "curl", "dash", "date", "echo", "env", "kill", "ksh", "ln", "ls", "mkdir", "mv",
		"rm", "sh", "sleep", "touch", "wget", "zsh",
	]
}

# mongosh took the place of mongo in MongoDB 5 and 6; MariaDB 11 dropped the names of MySQL.
_without_client := {
	"mongo": [`(^|/)mongo:([6-9]|\d\d)`],
	"mongosh": [`(^|/)mongo:[1-4](\D|$)`],
	"mysql": [_mariadb],
	"mysqladmin": [_mariadb],
}

_mariadb := `(^|/)mariadb:(1[1-9]|[2-9]\d)`

# Names of distroless images, of Chainguard's, and of images that ko and others build on them.
_minimal := `distroless|^cgr\.dev/|^ko://|:[^/@]*nonroot|:[^/@]*-static([-@]|$)`

_has_shell(image) if regex.match(`debug|:[^/@]*-dev\b|^cgr\.dev/[^:@]*/(bash|busybox|wolfi-base)([:@]|$)`, image)
