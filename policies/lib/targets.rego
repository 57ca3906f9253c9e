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
#   Each with `from`, the Services that send to it (none where an unread file may hold one), `ports`, as it declares
#   them or as the Service calls them, and `level`, the most that its being sent to can weigh: error, warning where
#   that is not certain, info where it is for metrics only.
of := {i: found |
	some i in workloads.whole
	hits := (_declared(i) | _assumed(i)) | _suspected(i)
	found := [target |
		some container in containers.running[i]
		mine := {hit | some hit in hits; hit.path == container.path}
		count(mine) > 0
		from := {hit.service | some hit in mine; not hit.service == null}
		target := {
			"container": container,
			"from": from,
			"ports": {hit.port | some hit in mine; not hit.port.target == 0},
			"level": _level(services.served[i], from),
		}
	]
}

_level(served, from) := "info" if {
	count(from) > 0
	count(from - services.scraped) == 0
} else := {"yes": "error", "unknown": "warning"}[served]

_senders(i) := services.serving[i] | services.perhaps[i]

# Ports that containers declare, by name or by number.
_declared(i) := {hit |
	some s in _senders(i)
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
}

# Declaring a port is optional, so a lone container is the one that is meant.
_assumed(i) := {hit |
	count(containers.regular[i]) == 1
	found := {[hit.service, hit.wanted] | some hit in _declared(i)}
	some s in _senders(i)
	some wanted in _wanted(s)
	not [s, wanted] in found
	hit := {
		"path": containers.regular[i][0].path,
		"service": s,
		"wanted": wanted,
		"port": {"target": wanted.target, "protocol": wanted.protocol},
	}
}

# Nothing is known of a Service in an unread file; it is taken to send to the one container that listens.
_suspected(i) := {hit |
	services.served[i] == "unknown"
	count(_senders(i)) == 0
	[listener] := [container | some container in containers.regular[i]; _listens(container.ports)]
	some port in listener.ports
	port.protocol == "TCP"
	hit := {
		"path": listener.path,
		"service": null,
		"port": {"target": port.target, "protocol": "TCP"},
	}
}

_listens(ports) if "TCP" in {port.protocol | some port in ports}

# A headless Service may name no port at all.
_wanted(s) := {port | some port in services.service[s].ports} if {
	count(services.service[s].ports) > 0
} else := {{"name": "", "protocol": "TCP", "target": 0}}
