# METADATA
# title: Claims
# description: How many pods may use the volumes of a pod at a time.
# schemas:
# - input: schema.input
package gracegate.lib.claims

import data.gracegate.lib.places
import data.gracegate.lib.values
import data.gracegate.lib.workloads

# METADATA
# title: Claims by document of the pod
# description: |
#   `path` leads to the name of the claim from the document's root, `mode` is who may mount it: `pod`, `node`, `all`, or
#   `unknown` where the claim is not in the repository.
of := {i: found |
	some i, pod in workloads.pod
	found := [claim |
		some position, volume in values.list(object.get(pod.spec, "volumes", []))
		is_object(volume)
		name := values.text(object.get(volume, ["persistentVolumeClaim", "claimName"], ""))
		name != ""
		claim := {
			"path": array.concat(pod.path, ["volumes", position, "persistentVolumeClaim", "claimName"]),
			"name": name,
			"mode": _mode({mode | some c in _near(i, name); some mode in _modes[c]}),
		}
	]
}

_near(i, name) := {c |
	some scope in places.scopes[i]
	some c in _located[[name, scope]]
	places.agree(places.namespace[i], places.namespace[c])
}

# A volume with several modes is bound with the widest that its claim asks for.
_mode(modes) := "all" if {
	count(modes & {"ReadWriteMany", "ReadOnlyMany"}) > 0
} else := "node" if {
	modes.ReadWriteOnce
} else := "pod" if {
	modes.ReadWriteOncePod
} else := "unknown"

_modes := {c: modes |
	some c, document in input.documents
	document.object.kind == "PersistentVolumeClaim"
	document.object.apiVersion == "v1"
	modes := {mode | some mode in values.list(object.get(document.object, ["spec", "accessModes"], []))}
}

_located := values.grouped({[[name, scope], c] |
	some c, _ in _modes
	name := values.text(object.get(input.documents[c].object, ["metadata", "name"], ""))
	some scope in places.scopes[c]
})
