# METADATA
# title: Meshes
# description: |
#   The pods that get a proxy of Istio's beside their containers, and how long it continues after a pod began to stop.
# schemas:
# - input: schema.input
package gracegate.lib.meshes

import data.gracegate.lib.patches
import data.gracegate.lib.services
import data.gracegate.lib.text
import data.gracegate.lib.workloads

# METADATA
# title: Annotation that configures the proxy
annotation := "proxy.istio.io/config"

# METADATA
# title: Injected proxies by document
# description: |
#   Of complete rolling workloads that may be served: `path` to the annotation from the document's root, its
#   `configuration`, and `drain`, the seconds for which the proxy continues.
proxies := {i: found |
	some i in (workloads.rolling & workloads.complete)
	not services.served_status[i] == "no"
	_is_injected(i)
	configuration := object.get(workloads.annotations[i], annotation, "")
	path := array.concat(_metadata_path(i), ["annotations", annotation])
	found := {"configuration": configuration, "path": path, "drain": _drain(configuration)}
}

# METADATA
# title: Step that sets the drain of a proxy
# description: |
#   For the proxy of document i. Undefined if its configuration is not plain lines, or the manifest has no place for it.
drain_step(i, seconds) := patches.put(object.keys(annotations), proxies[i].path, value) if {
	annotations := input.documents[i].object.spec.template.metadata.annotations
	is_object(annotations)
	value := _configuration(proxies[i].configuration, seconds)
} else := patches.put(object.keys(metadata), parent, {annotation: value}) if {
	metadata := input.documents[i].object.spec.template.metadata
	is_object(metadata)
	value := _configuration(proxies[i].configuration, seconds)
	parent := array.slice(proxies[i].path, 0, count(proxies[i].path) - 1)
}

_is_injected(i) if workloads.pod[i].labels["sidecar.istio.io/inject"] == "true"

_is_injected(i) if {
	workloads.annotations[i]["sidecar.istio.io/inject"] == "true"
	not workloads.pod[i].labels["sidecar.istio.io/inject"]
}

_metadata_path(i) := array.concat(array.slice(workloads.pod[i].path, 0, count(workloads.pod[i].path) - 1), ["metadata"])

# In whole seconds; 5 by default.
_drain(lines) := to_number(found[0][1]) if {
	found := regex.find_all_string_submatch_n(`terminationDrainDuration:\s*"?0*(\d{1,6})s`, lines, 1)
	count(found) > 0
} else := 5

_configuration(lines, seconds) := replace(lines, found[0][0], setting) if {
	found := regex.find_all_string_submatch_n(`(terminationDrainDuration:\s*"?)\d+m?s`, lines, 1)
	setting := concat("", [found[0][1], text.number(seconds), "s"])
} else := concat("", [_terminated(lines), "terminationDrainDuration: ", text.number(seconds), "s\n"]) if {
	not contains(lines, "terminationDrainDuration")
	regex.match(`^(\w[^\n]*(\n|$)|[ \t-][^\n]*(\n|$)|\n)*$`, lines)
}

_terminated("") := ""

_terminated(lines) := concat("", [trim_right(lines, "\n"), "\n"]) if lines != ""
