# METADATA
# title: Second Services
# description: How a Service that cannot change in place gets a second one beside it, which its clients can move to.
# schemas:
# - input: schema.input
package gracegate.lib.second_services

import data.gracegate.lib.before
import data.gracegate.lib.services
import data.gracegate.lib.values

# METADATA
# title: Copy by document
# description: |
#   Of changed Services: `name`, which no other Service has, and the `copy` as steps of a rule have it. Not of a Service
#   that names an address, a node port or a DNS name, which only one can have.
copy := {s: {"name": name, "copy": {"document": s, "patch": [step]}} |
	some s, _ in before.same_object
	services.service[s]
	not _is_tied(s)
	name := concat("", [services.service[s].name, "-next"])
	count(name) <= 63
	not _names[name]
	step := {"op": "replace", "path": ["metadata", "name"], "value": name}
}

# METADATA
# title: Load balancers that stay as they are, by the pods behind them
# description: |
#   From the representatives of a Service's workloads, as a text, to the Services of type LoadBalancer with these that
#   the change neither adds nor modifies: clients may have moved to one of them before.
steady_balancers := values.groups([[pods_of[s], s] |
	some s, found in services.service
	found.type == "LoadBalancer"
	not before.modified[s]
	not before.added[s]
])

# METADATA
# title: Pods behind a Service
# description: A text by document, the same for Services of the same pods.
pods_of := {s: json.marshal(found) | some s, found in services.representatives_by_service}

_is_tied(s) if {
	some key in ["clusterIPs", "externalIPs", "healthCheckNodePort", "loadBalancerIP"]
	input.documents[s].object.spec[key]
}

_is_tied(s) if not object.get(input.documents[s].object.spec, "clusterIP", "") in {"", "None"}

_is_tied(s) if {
	some port in values.list(object.get(input.documents[s].object.spec, "ports", []))
	port.nodePort
}

_is_tied(s) if {
	some key, _ in services.service[s].annotations
	regex.match(`hostname|name$|address|eip|pip|-ip`, key)
}

_names contains found.name if some found in services.service
