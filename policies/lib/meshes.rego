# METADATA
# title: Meshes
# description: |
#   The pods that get a proxy of Istio's beside their containers, and how long it goes on once it has to stop.
# schemas:
# - input: schema.input
package gracegate.lib.meshes

import data.gracegate.lib.apps
import data.gracegate.lib.grace
import data.gracegate.lib.patches
import data.gracegate.lib.services
import data.gracegate.lib.workloads

# METADATA
# title: Pods whose proxy stops with them, by document
# description: |
#   Those that ask for the proxy, where the parameter `mesh` says that it is a `classic` one: it is told to stop when
#   the pod is. `path` and `text` are the annotation that configures it, `drain` the seconds that it goes on.
classic := {i: found |
	input.params["sidecar-stops-before-app"].mesh == "classic"
	some i in (workloads.rolling & workloads.whole)
	not services.served[i] == "no"
	_is_injected(i)
	text := object.get(workloads.annotations[i], _key, "")
	found := {"text": text, "path": array.concat(_metadata(i), ["annotations", _key]), "drain": _drain(text)}
}

# METADATA
# title: Seconds that a pod needs its proxy, by document
# description: The longest of its containers, hook and app. Only of pods whose hooks say something of their time.
needed := {i: max(times) |
	some i, _ in classic
	times := {seconds |
		some stop in grace.stopping[i]
		stop.wanted > 0
		others := object.remove(workloads.annotations[i], [_key])
		app := apps.seconds(others, stop.container.spec, input.cluster.app_drain_seconds)
		seconds := stop.wanted + app
	}
	count(times) > 0
}

# METADATA
# title: The steps that make the proxy last, by document
# description: Undefined where its configuration is not plain lines, and where the manifest has no place for it.
last := {i: array.concat([step], _raise(i, seconds)) |
	some i, seconds in needed
	mesh := classic[i]
	step := _annotate(i, _configured(mesh.text, seconds))
	mesh.drain < seconds
}

_key := "proxy.istio.io/config"

_is_injected(i) if workloads.pod[i].labels["sidecar.istio.io/inject"] == "true"

_is_injected(i) if {
	workloads.annotations[i]["sidecar.istio.io/inject"] == "true"
	not workloads.pod[i].labels["sidecar.istio.io/inject"]
}

_metadata(i) := array.concat(array.slice(workloads.pod[i].path, 0, count(workloads.pod[i].path) - 1), ["metadata"])

# In whole seconds; 5 where nothing is said.
_drain(text) := to_number(found[0][1]) if {
	found := regex.find_all_string_submatch_n(`terminationDrainDuration:\s*"?0*(\d{1,6})s`, text, 1)
	count(found) > 0
} else := 5

_configured(text, seconds) := replace(text, found[0][0], concat("", [found[0][1], format_int(seconds, 10), "s"])) if {
	found := regex.find_all_string_submatch_n(`(terminationDrainDuration:\s*"?)\d+m?s`, text, 1)
	count(found) > 0
} else := concat("", [_line_ended(text), "terminationDrainDuration: ", format_int(seconds, 10), "s\n"]) if {
	not contains(text, "terminationDrainDuration")
	regex.match(`^(\w[^\n]*(\n|$)|[ \t-][^\n]*(\n|$)|\n)*$`, text)
}

_line_ended("") := ""

_line_ended(text) := concat("", [trim_right(text, "\n"), "\n"]) if text != ""

_annotate(i, value) := patches.put(object.keys(annotations), classic[i].path, value) if {
	annotations := input.documents[i].object.spec.template.metadata.annotations
	is_object(annotations)
} else := patches.put(
	object.keys(metadata),
	array.slice(classic[i].path, 0, count(classic[i].path) - 1),
	{classic[i].path[count(classic[i].path) - 1]: value},
) if {
	metadata := input.documents[i].object.spec.template.metadata
	is_object(metadata)
}

# The proxy counts as an app that drains for as long as it does.
_raise(i, seconds) := [step |
	longest := max([stop.wanted | some stop in grace.stopping[i]])
	period := max({grace.needed[i], 5 * ceil(((longest + seconds) + 5) / 5)})
	period > grace.period[i]
	path := array.concat(workloads.pod[i].path, ["terminationGracePeriodSeconds"])
	step := patches.put(object.keys(workloads.pod[i].spec), path, period)
]
