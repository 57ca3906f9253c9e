# METADATA
# title: Immutable fields
# description: Which changes of objects the API server refuses, because a field cannot change after the creation.
# schemas:
# - input: schema.input
package gracegate.lib.immutable_fields

import data.gracegate.lib.before
import data.gracegate.lib.values

# METADATA
# title: Refused changes by document
# description: |
#   A sorted list of the fields of `spec` that differ from what they were, where the API server lets nobody change them.
#   Values with variables are not compared.
refused := {i: sort(fields) |
	some i, _ in before.same_object
	fields := {field | some field in _immutable[i]; _is_changed(i, field)} | _service_fields(i)
	count(fields) > 0
}

# Of API group apps, whose validation this is.
_immutable := {i: _fields[input.documents[i].object.kind] |
	some i, former in before.same_object
	startswith(values.string(input.documents[i].object.apiVersion), "apps/")
	is_object(former.spec)
	is_object(input.documents[i].object.spec)
}

# What `kubectl apply` does not refuse may still be changed: template, replicas and what says how to update.
_fields := {
	"DaemonSet": {"selector"},
	"Deployment": {"selector"},
	"ReplicaSet": {"selector"},
	"StatefulSet": {"podManagementPolicy", "selector", "serviceName", "volumeClaimTemplates"},
}

_is_changed(i, field) if {
	old := _normal(field, object.get(before.same_object[i].spec, field, null))
	new := _normal(field, object.get(input.documents[i].object.spec, field, null))
	old != new
	not _has_placeholder([old, new])
}

# As the API server stores it. What it fills in is the same as what is left out.
_normal("selector", value) := normal if {
	is_object(value)
	normal := {
		"labels": values.string_map(object.get(value, "matchLabels", {})),
		"expressions": values.list(object.get(value, "matchExpressions", [])),
	}
}

_normal("serviceName", value) := values.string(value)

_normal("podManagementPolicy", value) := policy if {
	policy := {"": "OrderedReady"}[values.string(value)]
} else := values.string(value)

_normal("volumeClaimTemplates", value) := [_claim(claim) | some claim in values.list(value); is_object(claim)]

_claim(claim) := {
	"metadata": object.remove(_object(claim, "metadata"), ["creationTimestamp"]),
	"spec": object.union({"volumeMode": "Filesystem"}, _object(claim, "spec")),
}

_object(value, key) := found if {
	found := object.get(value, key, null)
	is_object(found)
} else := {}

_has_placeholder(value) if {
	walk(value, [_, leaf])
	values.is_placeholder(leaf)
}

# A Service keeps the address and the class that it got first.
_service_fields(i) := {field |
	input.documents[i].object.apiVersion == "v1"
	input.documents[i].object.kind == "Service"
	some field in ["clusterIP", "loadBalancerClass"]
	_is_refused(field, before.same_object[i].spec, input.documents[i].object.spec)
}

# What is left out keeps its value, and an address may be the one that was given before.
_is_refused("clusterIP", old, new) if {
	is_object(old)
	is_object(new)
	not "ExternalName" in {object.get(old, "type", ""), object.get(new, "type", "")}
	address := values.string(object.get(new, "clusterIP", ""))
	former := values.string(object.get(old, "clusterIP", ""))
	address != former
	address != ""
	_has_address(former, address)
	not values.is_placeholder(concat("", [address, former]))
}

_is_refused("loadBalancerClass", old, new) if {
	old.type == "LoadBalancer"
	new.type == "LoadBalancer"
	classes := [values.string(object.get(spec, "loadBalancerClass", "")) | some spec in [old, new]]
	classes[0] != classes[1]
	not values.is_placeholder(concat("", classes))
}

# A Service that names no address has one, which is never "None".
_has_address(former, _) if former != ""

_has_address("", "None")
