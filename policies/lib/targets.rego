# METADATA
# title: Targets
# description: The containers that a Service sends to.
package gracegate.lib.targets

import data.gracegate.lib.containers
import data.gracegate.lib.services
import data.gracegate.lib.workloads

# METADATA
# title: Containers that are sent to, by document
# description: |
#   Each with `from`, the Services that send to it (none where an unread file may hold one), `ports`, what they call
#   its ports, and `level`, the most that its being sent to can weigh: error, warning where that is not certain, info
#   where it is for metrics only.
of[i] := [target |
	some container in containers.running[i]
	hits := {hit | some hit in ((_declared[i] | _assumed[i]) | _suspected[i]); hit.path == container.path}
	count(hits) > 0
	target := {
		"container": container,
		"from": {hit.service | some hit in hits; hit.service >= 0},
		"ports": {port | port := hits[_].port; port.target != 0},
		"level": _level(services.served[i], {hit.service | some hit in hits} - services.scraped),
	}
] if {
	some i in workloads.whole
}

_level("yes", unscraped) := "error" if count(unscraped) > 0

_level("unknown", unscraped) := "warning" if count(unscraped) > 0

_level(_, unscraped) := "info" if count(unscraped) == 0

# A port that containers declare, by name or by number.
_declared[i] := {hit |
	some s in _senders[i]
	some wanted in services.service[s].ports
	some container in containers.running[i]
	some port in container.ports
	port.protocol == wanted.protocol
	wanted.target in {port.name, port.number}
	hit := {
		"path": container.path,
		"service": s,
		"wanted": wanted,
		"port": {"target": port.target, "protocol": port.protocol},
	}
} if {
	some i in workloads.whole
}

# Declaring a port is optional, so a lone container is the one that is meant.
_assumed[i] := {hit |
	count(containers.regular[i]) == 1
	some container in containers.regular[i]
	some s in _senders[i]
	some wanted in _wanted[s]
	not [s, wanted] in {[hit.service, hit.wanted] | some hit in _declared[i]}
	hit := {
		"path": container.path,
		"service": s,
		"wanted": wanted,
		"port": {"target": wanted.target, "protocol": wanted.protocol},
	}
} if {
	some i in workloads.whole
}

# Nothing is known of a Service in an unread file; it is taken to send to the one container that listens.
_suspected[i] := {hit |
	services.served[i] == "unknown"
	count(_senders[i]) == 0
	listening := [container | some container in containers.regular[i]; "TCP" in {port.protocol | some port in container.ports}]
	count(listening) == 1
	container := listening[0]
	some port in container.ports
	port.protocol == "TCP"
	hit := {
		"path": container.path,
		"service": -1,
		"port": {"target": port.target, "protocol": "TCP"},
	}
} if {
	some i in workloads.whole
}

_senders[i] := services.serving[i] | services.perhaps[i] if some i in workloads.whole

# A headless Service may name no port at all.
_wanted[s] := {port | some port in found.ports} if {
	some s, found in services.service
	count(found.ports) > 0
}

_wanted[s] := {{"name": "", "protocol": "TCP", "target": 0}} if {
	some s, found in services.service
	count(found.ports) == 0
}
