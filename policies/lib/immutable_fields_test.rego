package gracegate.lib.immutable_fields_test

import data.gracegate.lib.immutable_fields
import data.gracegate.testing

refused(base, head) := found if {
	found := immutable_fields.refused with input as testing.change([base], [head])
}

with_spec(kind, spec) := object.union(testing.web, {"kind": kind, "spec": object.union(testing.web.spec, spec)})

stateful(spec) := with_spec("StatefulSet", spec)

claim(fields) := {"volumeClaimTemplates": [object.union(
	{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}},
	fields,
)]}

service(spec) := {
	"apiVersion": "v1",
	"kind": "Service",
	"metadata": {"name": "web"},
	"spec": object.union({"selector": {"app": "web"}}, spec),
}

selecting(labels) := {"selector": {"matchLabels": labels}}

kruise := {"apiVersion": "apps.kruise.io/v1beta1"}

changed_workloads := {
	"nothing": [testing.web, testing.with_replicas(3), []],
	"the selector of a Deployment": [
		with_spec("Deployment", selecting({"app": "a"})),
		with_spec("Deployment", selecting({"app": "b"})), ["selector"],
	],
	"of a DaemonSet": [
		with_spec("DaemonSet", selecting({"app": "a"})),
		with_spec("DaemonSet", selecting({"app": "b"})), ["selector"],
	],
	"of a ReplicaSet": [
		with_spec("ReplicaSet", selecting({"app": "a"})),
		with_spec("ReplicaSet", selecting({"app": "b"})), ["selector"],
	],
	"expressions": [
		with_spec("Deployment", {"selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}),
		with_spec("Deployment", {"selector": {"matchExpressions": []}}), ["selector"],
	],
	"empty or absent": [
		with_spec("Deployment", {"selector": {"matchLabels": {"app": "web"}, "matchExpressions": []}}),
		with_spec("Deployment", {"selector": {"matchLabels": {"app": "web"}}}), [],
	],
	"a variable": [
		with_spec("Deployment", selecting({"app": "${APP}"})),
		with_spec("Deployment", selecting({"app": "b"})), [],
	],
	"the selector of a Job": [
		object.union(with_spec("Job", selecting({"app": "a"})), {"apiVersion": "batch/v1"}),
		object.union(with_spec("Job", selecting({"app": "b"})), {"apiVersion": "batch/v1"}), [],
	],
	"of another group": [
		object.union(with_spec("StatefulSet", selecting({"app": "a"})), kruise),
		object.union(with_spec("StatefulSet", selecting({"app": "b"})), kruise), [],
	],
	"the Service": [stateful({"serviceName": "a"}), stateful({"serviceName": "b"}), ["serviceName"]],
	"no Service": [stateful({"serviceName": "a"}), stateful({}), ["serviceName"]],
	"null for a Service": [stateful({"serviceName": null}), stateful({"serviceName": ""}), []],
	"the policy": [
		stateful({"podManagementPolicy": "OrderedReady"}),
		stateful({"podManagementPolicy": "Parallel"}), ["podManagementPolicy"],
	],
	"the default policy": [stateful({"podManagementPolicy": "OrderedReady"}), stateful({}), []],
	"a larger volume": [
		stateful(claim({})),
		stateful(claim({"spec": {"resources": {"requests": {"storage": "2Gi"}}}})), ["volumeClaimTemplates"],
	],
	"a label of a volume": [
		stateful(claim({})),
		stateful(claim({"metadata": {"name": "data", "labels": {"a": "b"}}})), ["volumeClaimTemplates"],
	],
	"no volume": [stateful(claim({})), stateful({}), ["volumeClaimTemplates"]],
	"what the API server fills in": [
		stateful(claim({})),
		stateful(claim({
			"apiVersion": "v1",
			"kind": "PersistentVolumeClaim",
			"metadata": {"name": "data", "creationTimestamp": null},
			"spec": {"resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"},
			"status": {},
		})),
		[],
	],
	"a variable volume": [
		stateful(claim({})),
		stateful(claim({"spec": {"resources": {"requests": {"storage": "${SIZE}"}}}})), [],
	],
	"several": [
		stateful({"serviceName": "a"}),
		stateful({"serviceName": "b", "podManagementPolicy": "Parallel"}), ["podManagementPolicy", "serviceName"],
	],
	"wrong types": [
		stateful({"serviceName": 1, "selector": "x", "volumeClaimTemplates": {}, "podManagementPolicy": []}),
		stateful({"serviceName": [], "selector": 2, "volumeClaimTemplates": ["x", {"spec": null}]}),
		["volumeClaimTemplates"],
	],
	"no spec": [object.union(object.remove(testing.web, ["spec"]), {"spec": null}), testing.web, []],
}

test_workloads[note] if {
	some note, case in changed_workloads
	refused(case[0], case[1]) == {0: case[2] | count(case[2]) > 0}
}

test_services[note] if {
	some note, case in {
		"headless": [{}, {"clusterIP": "None"}, ["clusterIP"]],
		"no longer headless": [{"clusterIP": "None"}, {"clusterIP": "10.0.0.1"}, ["clusterIP"]],
		"another address": [{"clusterIP": "10.0.0.2"}, {"clusterIP": "10.0.0.1"}, ["clusterIP"]],
		"the address that it has": [{}, {"clusterIP": "10.0.0.1"}, []],
		"left out": [{"clusterIP": "None"}, {}, []],
		"null": [{"clusterIP": "None"}, {"clusterIP": null}, []],
		"a variable": [{"clusterIP": "None"}, {"clusterIP": "${IP}"}, []],
		"a former variable": [{"clusterIP": "${IP}"}, {"clusterIP": "10.0.0.1"}, []],
		"an ExternalName": [{"type": "ExternalName"}, {"clusterIP": "None"}, []],
		"a class": [
			{"type": "LoadBalancer"},
			{"type": "LoadBalancer", "loadBalancerClass": "example.com/nlb"}, ["loadBalancerClass"],
		],
		"a class with the type": [{}, {"type": "LoadBalancer", "loadBalancerClass": "example.com/nlb"}, []],
		"the same class": [
			{"type": "LoadBalancer", "loadBalancerClass": "a"},
			{"type": "LoadBalancer", "loadBalancerClass": "a", "ports": []}, [],
		],
		"a variable class": [
			{"type": "LoadBalancer", "loadBalancerClass": "a"},
			{"type": "LoadBalancer", "loadBalancerClass": "${CLASS}"}, [],
		],
		"wrong types": [{"clusterIP": 1, "type": [], "loadBalancerClass": {}}, {"clusterIP": {}, "type": null}, []],
	}
	refused(service(case[0]), service(case[1])) == {0: case[2] | count(case[2]) > 0}
}
