# METADATA
# title: Namespaces
# description: What the manifests of namespaces say of all that is in them.
# schemas:
# - input: schema.input
package gracegate.lib.namespaces

import data.gracegate.lib.values

# METADATA
# title: Labels by name of the namespace
# description: Those that all its manifests agree on, as it may be there once for each cluster.
labels := {name: common |
	some name, maps in _maps
	first := min(maps)
	common := {key: value |
		some key, value in first
		every map in maps {
			map[key] == value
		}
	}
}

_maps := values.groups([[name, map] |
	some document in input.documents
	document.object.kind == "Namespace"
	name := values.string(object.get(document.object, ["metadata", "name"], ""))
	name != ""
	map := values.string_map(object.get(document.object, ["metadata", "labels"], {}))
])
