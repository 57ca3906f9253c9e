# METADATA
# title: API objects
# description: The objects in a document whose fields Kubernetes' API describes.
# schemas:
# - input: schema.input
package gracegate.lib.api_objects

import data.gracegate.lib.api_schema
import data.gracegate.lib.text
import data.gracegate.lib.values
import data.gracegate.lib.workload_kinds
import data.gracegate.lib.workloads

# METADATA
# title: Objects by document
# description: |
#   A list of `path` from the document's root, `type`, a name in the library api_schema, and `value`. Of documents that
#   may be reported and are no patch; of custom resources only what is in the template of their pods.
by_document := {i: found |
	some i, root in _roots
	level_2 := _inner([root])
	level_3 := _inner(level_2)
	level_4 := _inner(level_3)
	level_5 := _inner(level_4)
	level_6 := _inner(level_5)
	level_7 := _inner(level_6)
	level_8 := _inner(level_7)
	level_9 := _inner(level_8)
	level_10 := _inner(level_9)
	level_11 := _inner(level_10)
	level_12 := _inner(level_11)
	outer_levels := [[root], level_2, level_3, level_4, level_5, level_6]
	inner_levels := [level_7, level_8, level_9, level_10, level_11, level_12]
	found := [described | some levels in [outer_levels, inner_levels]; some level in levels; some described in level]
}

# METADATA
# title: Types
# description: |
#   Of all such objects, by name: the type's fields. The whole table is much longer than what most manifests need of it.
types := {name: api_schema.fields[name] | some name in _type_names}

_type_names := {described.type | some found in by_document; some described in found}

# METADATA
# title: Odd entries
# description: |
#   A list of the entries of such objects that have no field of their name, or none that may have a value of their type:
#   `document`, `position` of the object in its list, `path`, `key`, and `value_type`.
odd := [entry |
	some i, objects in by_document
	some position, described in objects
	entries := {[key, type_name(value)] | some key, value in described.value}
	some [key, value_type] in (entries - _expected[described.type])
	entry := {
		"document": i,
		"position": position,
		"path": array.concat(described.path, [key]),
		"key": key,
		"value_type": value_type,
	}
]

# By name of the type, a set of the [key, type] that its entries may have. One difference of two sets for each object is
# a third of the cost of a look at each entry.
_expected := {name: {[key, type] | some key, field in fields; some type in api_schema.accepted[field.type]} |
	some name, fields in types
}

# METADATA
# title: Name of a place
# description: |
#   For a document and a path in it: `owner`, as `container "web"` or `Deployment "web"`, and `inside`, the path from
#   there as text, as `livenessProbe.httpGet`.
place(i, path) := {"owner": text.format(`container "{}"`, [name]), "inside": dotted(inside)} if {
	pod := count(workloads.pod[i].path)
	path[pod] in {"containers", "initContainers"}
	count(path) > pod + 2
	name := values.string(object.get(input.documents[i].object, array.concat(array.slice(path, 0, pod + 2), ["name"]), ""))
	name != ""
	inside := array.slice(path, pod + 2, count(path))
} else := {"owner": text.format(`{} "{}"`, [kind, name]), "inside": dotted(path)} if {
	kind := input.documents[i].object.kind
	name := values.string(object.get(input.documents[i].object, ["metadata", "name"], ""))
}

# METADATA
# title: Path as text
# description: As `spec.containers[0].name`.
dotted(path) := trim_prefix(concat("", [_segment(segment) | some segment in path]), ".")

_segment(segment) := concat("", [".", segment]) if is_string(segment)

_segment(segment) := text.format("[{}]", [segment]) if is_number(segment)

# By document, the outermost object whose fields are known: the document, or of a custom resource the template of its
# pods.
_roots := {i: root |
	some i, document in input.documents
	document.subject
	not document.fragment
	some root in array.concat(_known(i), _template(i))
}

_known(i) := [{"path": [], "type": document.object.kind, "value": document.object} |
	document := input.documents[i]
	api_schema.api_versions[document.object.kind] == document.object.apiVersion
]

_template(i) := [{"path": path, "type": "PodTemplateSpec", "value": value} |
	path := _template_path[workloads.kind[i]]
	count(_known(i)) == 0
	value := object.get(input.documents[i].object, path, null)
	is_object(value)
]

_template_path := {kind: array.slice(path, 0, count(path) - 1) | some kind, path in workload_kinds.pod_path}

# The objects inside these, one level deeper. Rego has no recursion, and walk makes a path for each number and text too.
_inner(objects) := array.concat(
	[{"path": array.concat(outer.path, [key]), "type": field.of, "value": value} |
		some outer in objects
		some key, value in outer.value
		is_object(value)
		field := api_schema.fields[outer.type][key]
		field.type == "object"
		api_schema.fields[field.of]
	],
	[{"path": array.concat(outer.path, [key, index]), "type": field.of, "value": value} |
		some outer in objects
		some key, listed in outer.value
		is_array(listed)
		field := api_schema.fields[outer.type][key]
		field.type == "list"
		api_schema.fields[field.of]
		some index, value in listed
		is_object(value)
	],
)
