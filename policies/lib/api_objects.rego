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
	found := [{"path": path, "type": type, "value": value} |
		walk(input.documents[i].object, [path, value])
		is_object(value)
		type := _type(root, concat("/", [name | some name in path; is_string(name)]))
	]
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

# By document, the kind whose fields are known, and the path of the template of its pods; each may be empty.
_roots := {i: root |
	some i, document in input.documents
	document.subject
	not document.fragment
	root := {
		"kind": concat("", [kind |
			some kind, version in api_schema.api_versions
			document.object.kind == kind
			document.object.apiVersion == version
		]),
		"template": concat("", [path | path := _template[workloads.kind[i]]]),
	}
	root != {"kind": "", "template": ""}
}

_template := {kind: concat("/", array.slice(path, 0, count(path) - 1)) | some kind, path in workload_kinds.pod_path}

_type(root, path) := type if {
	type := api_schema.types_by_path[root.kind][path]
} else := api_schema.types_by_path.PodTemplateSpec[substring(path, count(root.template) + 1, -1)] if {
	root.template != ""
	startswith(path, root.template)
	substring(path, count(root.template), 1) in {"", "/"}
}
