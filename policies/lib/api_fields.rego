# METADATA
# title: API fields
# description: Fields that an object has and Kubernetes' API does not, or not in every version, and those it lacks.
# schemas:
# - input: schema.input
package gracegate.lib.api_fields

import data.gracegate.lib.api_objects
import data.gracegate.lib.api_schema
import data.gracegate.lib.text

# METADATA
# title: Unknown fields
# description: |
#   A list of `document`, `path` of the field, its `key`, and `meant`, at most one field that is plainly meant: its
#   `path`, `is_moved`, true if it has the right name at a wrong place, and `is_certain`, false if it is only likely.
unknown := [object.union(found, {"meant": _meant(found)}) |
	some found in api_objects.odd
	not api_schema.fields[_type(found)][found.key]
	not regex.match(`[$@%<>{}#]`, found.key)
]

# METADATA
# title: Meant fields
# description: |
#   A set of [document, path] of fields that are there under a wrong name or at a wrong place. A rule that misses one
#   has nothing to say beside that.
meant := {[found.document, meaning.path] | some found in unknown; some meaning in found.meant}

# METADATA
# title: Unsupported fields
# description: A list of `document`, `path` and `since`, the minor version that brought the field.
unsupported := [{"document": i, "path": array.concat(described.path, [key]), "since": since} |
	some i, objects in api_objects.by_document
	some described in objects
	some key, since in _newer[described.type]
	object.get(described.value, key, null) != null
]

# METADATA
# title: Missing fields
# description: A list of `document`, `path` to the object that lacks a required field, and its `key`, the first one.
missing := [{"document": i, "path": described.path, "key": min(keys)} |
	some i, objects in api_objects.by_document
	some described in objects
	keys := {key | some key in _required[described.type]; object.get(described.value, key, null) in {null, ""}}
	count(keys) > 0
]

_newer := {type: found |
	some type, fields in api_objects.types
	found := {key: field.since | some key, field in fields; field.since > input.cluster.min_minor}
	count(found) > 0
}

_required := {type: keys |
	some type, fields in api_objects.types
	keys := {key | some key, field in fields; field.required}
	count(keys) > 0
}

_meant(found) := [{"path": path, "is_moved": false, "is_certain": true}] if {
	path := array.concat(_parent(found.path), [_spelling(found)])
} else := [_move(found, above[count(above) - 1])] if {
	above := [described |
		some position, described in api_objects.by_document[found.document]
		_may_hold(position, found)
		_is_inside(found.path, described.path)
	]
	count(above) > 0
} else := [_move(found, nearest[0])] if {
	below := [described |
		some position, described in api_objects.by_document[found.document]
		_may_hold(position, found)
		_is_inside(described.path, _parent(found.path))
	]
	length := min([count(described.path) | some described in below])
	nearest := [described | some described in below; count(described.path) == length]
	count(nearest) == 1
} else := [_move(found, {"path": array.concat(_parent(found.path), [inner[0]]), "type": "new"})] if {
	described := api_objects.by_document[found.document][found.position]
	inner := [key |
		some key, field in api_schema.fields[described.type]
		field.type == "object"
		api_schema.fields[field.of][found.key]
		object.get(described.value, key, null) == null
	]
	count(inner) == 1
} else := []

_type(found) := api_objects.by_document[found.document][found.position].type

_parent(path) := array.slice(path, 0, count(path) - 1)

_move(found, described) := {
	"path": array.concat(described.path, [found.key]),
	"is_moved": true,
	"is_certain": _is_certain(found, described),
}

# `name` or `type` may mean anything, and so may labels that are far from their place.
default _is_certain(_, _) := false

_is_certain(found, described) if {
	count({type | some type, fields in api_schema.fields; fields[found.key]}) <= 5
	described.type != "ObjectMeta"
}

_is_inside(path, outer) if {
	count(path) > count(outer)
	array.slice(path, 0, count(outer)) == outer
}

# Is the place for such a field free in the object?
_may_hold(position, found) if {
	position != found.position
	described := api_objects.by_document[found.document][position]
	found.value_type in api_schema.accepted[api_schema.fields[described.type][found.key].type]
	object.get(described.value, found.key, null) == null
}

# The only free name that the key is another form of, else the only one from which it differs in a letter.
_spelling(found) := same[0] if {
	same := [name | some name in _free_names(found); _stem(name) == _stem(found.key)]
	count(same) == 1
} else := name if {
	count(found.key) > 3
	names := {lower(name): name | some name in _free_names(found)}
	name := names[text.nearest(lower(found.key), object.keys(names))]
}

_free_names(found) := {name |
	described := api_objects.by_document[found.document][found.position]
	some name, field in api_schema.fields[described.type]
	object.get(described.value, name, null) == null
	found.value_type in api_schema.accepted[field.type]
}

_stem(name) := trim_right(trim_suffix(trim_suffix(trim_suffix(singular, "hook"), "handler"), "probe"), "s") if {
	singular := trim_right(lower(replace(replace(name, "-", ""), "_", "")), "s")
}
