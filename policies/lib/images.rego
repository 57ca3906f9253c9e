# METADATA
# title: Images
# description: Which programs an image does not have, as far as its name says so.
package gracegate.lib.images

# METADATA
# title: Does the image lack the program?
# description: |
#   The answer is "surely" or "likely"; undefined where nothing is known. Only programs of a system are asked for, not
#   those that an app brings along.
lacks(image, program) := "surely" if {
	_of_system[program]
	regex.match(`^scratch$|^gcr\.io/distroless/`, image)
	not _has_shell(image)
} else := "likely" if {
	_of_system[program]
	regex.match(_bare, image)
	not _has_shell(image)
} else := "likely" if {
	program == "bash"
	regex.match(`(^|/)(alpine|busybox)([:@]|$)|:[^/@]*(alpine|busybox)`, image)
	not regex.match(`(^|/)(bash|kong|postgres|rabbitmq)[:@]`, image)
}

# METADATA
# scope: document
# title: Can a hook sleep in a container of the image?
# description: Kubernetes has a sleep of its own from 1.30 on; before, the image must have one.
can_sleep(_, minor) if minor >= 30

can_sleep(image, minor) if {
	minor < 30
	not lacks(image, "sleep")
}

_of_system := {"ash", "bash", "cat", "curl", "dash", "echo", "kill", "ksh", "sh", "sleep", "wget", "zsh"}

# Names of distroless images, of Chainguard's, and of what ko and others build on them.
_bare := `distroless|^cgr\.dev/|^ko://|:[^/@]*nonroot|:[^/@]*-static([-@]|$)`

_has_shell(image) if regex.match(`debug|:[^/@]*-dev\b|^cgr\.dev/[^:@]*/(bash|busybox|wolfi-base)([:@]|$)`, image)
