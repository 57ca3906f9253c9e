# METADATA
# title: Draining of load balancers
# description: How long a load balancer lets requests finish on a pod to which it sends no new ones.
# schemas:
# - input: schema.input
package gracegate.lib.load_balancer_draining

import data.gracegate.lib.joins
import data.gracegate.lib.routes
import data.gracegate.lib.services
import data.gracegate.lib.values

# METADATA
# title: Longest draining by representative of the workload
# description: |
#   As [seconds, document of the Service], of those of its Services for which a manifest sets it: by a BackendConfig or
#   a GCPBackendPolicy of GKE, or by the attributes of a target group of AWS, on the Service or an Ingress.
by_representative := {r: max(found) |
	some r in services.representatives
	found := {[seconds, s] |
		some s in services.by_workload[r]
		some seconds in object.get(_by_service, s, set())
	}
	count(found) > 0
}

_by_service := values.groups(array.concat(
	[[s, seconds] |
		some s, service in services.service
		some seconds in (_attributes(service.annotations) | _configured(s, service))
	],
	[[s, seconds] |
		some s, service in services.service
		some scope in joins.search_scopes[s]
		some seconds in object.get(_of_routes, [[service.name, scope]], set())
	],
))

# By name and scope of the Service.
_of_routes := values.groups([[[backend.name, scope], seconds] |
	some backend in routes.backends
	some seconds in _attributes(routes.annotations[backend.document])
	some scope in joins.index_scopes_in(backend.document, backend.namespace)
])

_attributes(annotations) := {to_number(found[1]) |
	some key in [
		"alb.ingress.kubernetes.io/target-group-attributes",
		"service.beta.kubernetes.io/aws-load-balancer-target-group-attributes",
	]
	some found in regex.find_all_string_submatch_n(
		`(?:^|[,\s])deregistration_delay\.timeout_seconds=0*(\d{1,4})(?:$|[,\s])`,
		object.get(annotations, key, ""),
		1,
	)
}

# The annotation is JSON, with names of BackendConfigs as values.
_configured(s, service) := {seconds |
	some key in ["beta.cloud.google.com/backend-config", "cloud.google.com/backend-config"]
	some found in regex.find_all_string_submatch_n(`"([a-z0-9.-]+)"\s*[,}]`, object.get(service.annotations, key, ""), 20)
	some scope in joins.search_scopes[s]
	some seconds in object.get(_of_gke, [["BackendConfig", found[1], scope]], set())
} | {seconds |
	some scope in joins.search_scopes[s]
	some seconds in object.get(_of_gke, [["GCPBackendPolicy", service.name, scope]], set())
}

# By kind, name of the BackendConfig or of the policy's Service, and scope.
_of_gke := values.groups([[[document.object.kind, name, scope], seconds] |
	some d, document in input.documents
	[name, timeout] := _draining(document.object.kind, document.object)
	seconds := values.integer(timeout, 0)
	seconds > 0
	some scope in joins.index_scopes[d]
])

_draining("BackendConfig", manifest) := [
	values.string(manifest.metadata.name),
	manifest.spec.connectionDraining.drainingTimeoutSec,
]

_draining("GCPBackendPolicy", manifest) := [
	values.string(manifest.spec.targetRef.name),
	manifest.spec["default"].connectionDraining.drainingTimeoutSec,
]
