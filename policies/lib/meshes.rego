# METADATA
# title: Meshes
# description: |
#   The pods that get a proxy of Istio's or Linkerd's beside their containers, and how long it continues after a pod
#   began to stop.
# schemas:
# - input: schema.input
package gracegate.lib.meshes

import data.gracegate.lib.patches
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Annotations that configure a proxy
# description: By the name of the mesh.
annotation := {
	"istio": "proxy.istio.io/config",
	"linkerd": "config.alpha.linkerd.io/proxy-wait-before-exit-seconds",
}

# METADATA
# title: Injected proxies by document
# description: |
#   Of complete rolling workloads that may be served: the `mesh`, `path` to its annotation from the document's root, its
#   `configuration`, and `drain`, the seconds for which the proxy continues.
proxies := {i: found |
	some i in (workloads.rolling & workloads.complete)
	not services.served_status[i] == "no"
	mesh := _mesh(i)
	configuration := object.get(workloads.annotations[i], annotation[mesh], "")
	found := {
		"mesh": mesh,
		"configuration": configuration,
		"path": array.concat(_metadata_path(i), ["annotations", annotation[mesh]]),
		"drain": _drain(mesh, configuration),
	}
}

# METADATA
# title: Step that sets the drain of a proxy
# description: |
#   For the proxy of document i. Undefined if its configuration is not plain lines, or the manifest has no place for it.
drain_step(i, seconds) := patches.put(object.keys(annotations), proxies[i].path, value) if {
	annotations := input.documents[i].object.spec.template.metadata.annotations
	is_object(annotations)
	value := _configuration(proxies[i].mesh, proxies[i].configuration, seconds)
} else := patches.put(object.keys(metadata), parent, {annotation[proxies[i].mesh]: value}) if {
	metadata := input.documents[i].object.spec.template.metadata
	is_object(metadata)
	value := _configuration(proxies[i].mesh, proxies[i].configuration, seconds)
	parent := array.slice(proxies[i].path, 0, count(proxies[i].path) - 1)
}

_mesh(i) := "istio" if {
	_is_injected(i)
} else := "linkerd" if {
	annotations := values.string_map(input.documents[i].object.spec.template.metadata.annotations)
	annotations["linkerd.io/inject"] in {"enabled", "ingress"}
	not annotations["config.beta.linkerd.io/proxy-enable-native-sidecar"] == "true"
}

_is_injected(i) if workloads.pod[i].labels["sidecar.istio.io/inject"] == "true"

_is_injected(i) if {
	workloads.annotations[i]["sidecar.istio.io/inject"] == "true"
	not workloads.pod[i].labels["sidecar.istio.io/inject"]
}

_metadata_path(i) := array.concat(array.slice(workloads.pod[i].path, 0, count(workloads.pod[i].path) - 1), ["metadata"])

# In whole seconds; by default 5 in Istio and none in Linkerd.
_drain("istio", configuration) := to_number(found[0][1]) if {
	found := regex.find_all_string_submatch_n(`terminationDrainDuration:\s*"?0*(\d{1,6})s`, configuration, 1)
	count(found) > 0
} else := 5

_drain("linkerd", configuration) := to_number(found[0][1]) if {
	found := regex.find_all_string_submatch_n(`^0*(\d{1,6})$`, configuration, 1)
	count(found) > 0
} else := 0

_configuration("linkerd", _, seconds) := text.number(seconds)

_configuration("istio", lines, seconds) := replace(lines, found[0][0], setting) if {
	found := regex.find_all_string_submatch_n(`(terminationDrainDuration:\s*"?)\d+m?s`, lines, 1)
	setting := concat("", [found[0][1], text.number(seconds), "s"])
} else := concat("", [_terminated(lines), "terminationDrainDuration: ", text.number(seconds), "s\n"]) if {
	not contains(lines, "terminationDrainDuration")
	regex.match(`^(\w[^\n]*(\n|$)|[ \t-][^\n]*(\n|$)|\n)*$`, lines)
}

_terminated("") := ""

_terminated(lines) := concat("", [trim_right(lines, "\n"), "\n"]) if lines != ""
