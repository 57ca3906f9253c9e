# METADATA
# title: API values
# description: Values that the API server does not accept for their fields.
package gracegate.lib.api_values

import data.gracegate.lib.api_objects
import data.gracegate.lib.api_schema
import data.gracegate.lib.text
import data.gracegate.lib.values

# METADATA
# title: Misfits
# description: |
#   A list of values that do not fit their fields: `document`, `path`, and `why`, which continues a sentence that begins
#   with the name of the field. `fix` has at most one `value`, which was plainly meant, and its `class`.
misfits := array.concat(_of_wrong_type, _of_wrong_value)

_of_wrong_type := [found |
	some odd in api_objects.odd
	described := api_objects.by_document[odd.document][odd.position]
	field := api_schema.fields[described.type][odd.key]
	not _is_reported_elsewhere[[described.type, odd.key]]
	value := described.value[odd.key]
	not values.is_placeholder(value)
	found := {
		"document": odd.document,
		"path": odd.path,
		"why": text.format("is {}, but has to be {}", [_shown(value), _wanted[field.type]]),
		"fix": _converted(field, odd.key, value),
	}
]

_of_wrong_value := [found |
	some i, objects in api_objects.by_document
	some described in objects
	some key, field in _restricted[described.type]
	value := described.value[key]
	some wrong in _wrong_values(field, value)
	found := {
		"document": i,
		"path": array.concat(array.concat(described.path, [key]), wrong.path),
		"why": wrong.why,
		"fix": wrong.fix,
	}
]

_wanted := {
	"amount": "a number of pods or a percentage",
	"boolean": "true or false",
	"integer": "a number",
	"integer or string": "a number or text",
	"list": "a list",
	"map": "an object",
	"object": "an object",
	"quantity": "a quantity, as 500m or 2Gi",
	"string": "text",
}

# Rules that know better what was meant report these.
_is_reported_elsewhere := {
	["Container", "livenessProbe"]: true,
	["Container", "readinessProbe"]: true,
	["Container", "startupProbe"]: true,
	["ExecAction", "command"]: true,
	["GRPCAction", "port"]: true,
	["Lifecycle", "postStart"]: true,
	["Lifecycle", "preStop"]: true,
	["LifecycleHandler", "exec"]: true,
	["LifecycleHandler", "httpGet"]: true,
	["LifecycleHandler", "sleep"]: true,
	["LifecycleHandler", "tcpSocket"]: true,
	["Probe", "exec"]: true,
	["Probe", "grpc"]: true,
	["Probe", "httpGet"]: true,
	["Probe", "tcpSocket"]: true,
	["SleepAction", "seconds"]: true,
}

# The fields whose values are looked at, not only their types.
_restricted := {type: found |
	some type, fields in api_objects.types
	found := {key: field |
		some key, field in fields
		_is_restricted(field)
		not _is_reported_elsewhere[[type, key]]
	}
	count(found) > 0
}

_is_restricted(field) if field.type in {"amount", "quantity"}

_is_restricted(field) if field.enum

_is_restricted(field) if field.maximum

# Of other lists and maps nothing is known but that they are lists and maps.
_is_restricted(field) if field.of in {"quantity", "string"}

_is_restricted(field) if {
	field.type == "list"
	api_schema.fields[field.of]
}

_shown(value) := text.format(`"{}" in quotes`, [value]) if {
	regex.match(`^([\d.]+|true|false)$`, values.string(value))
} else := text.format(`"{}"`, [value]) if {
	is_string(value)
} else := {"array": "a list", "null": "empty", "object": "an object"}[type_name(value)] if {
	type_name(value) in {"array", "null", "object"}
} else := json.marshal(value)

# Numbers and truth values in quotes, seconds with a unit, text without quotes, and a strategy without `type`.
_converted(field, key, value) := [{"class": "safe", "value": to_number(digits[0][1])}] if {
	field.type == "integer"
	digits := regex.find_all_string_submatch_n(`^0*(\d{1,9})$`, values.string(value), 1)
	count(digits) > 0
} else := [{"class": "safe", "value": to_number(parts[0][1]) * {"s": 1, "m": 60}[parts[0][2]]}] if {
	field.type == "integer"
	endswith(key, "Seconds")
	parts := regex.find_all_string_submatch_n(`^0*(\d{1,6})([sm])$`, values.string(value), 1)
	count(parts) > 0
} else := [{"class": "safe", "value": lower(value) == "true"}] if {
	field.type == "boolean"
	lower(values.string(value)) in {"false", "true"}
} else := [{"class": "assumes", "value": json.marshal(value)}] if {
	field.type == "string"
	_is_plain(value)
} else := [{"class": "safe", "value": {"type": value}}] if {
	value in api_schema.fields[field.of].type.enum
} else := []

# YAML also reads 0755 and 1_000 as numbers and yes as a truth value, so that the text may be another one.
_is_plain(value) if is_boolean(value)

_is_plain(value) if values.integer(value, -1) >= 0

_wrong_values(field, value) := [{"path": [], "why": why, "fix": []}] if {
	field.type in {"integer", "integer or string"}
	is_number(value)
	why := _numeric_reason(field, value)
}

_wrong_values(field, value) := [{"path": [], "why": why, "fix": fix}] if {
	is_string(value)
	value != ""
	not value in field.enum
	not values.is_placeholder(value)
	why := text.format(`is "{}", but may only be {}`, [value, concat(" or ", field.enum)])
	fix := [{"class": "safe", "value": allowed} | some allowed in field.enum; lower(allowed) == lower(value)]
}

_wrong_values(field, value) := [{"path": [], "why": why, "fix": fix}] if {
	field.type == "amount"
	type_name(value) in {"number", "string"}
	not _is_amount(value)
	why := text.format("is {}, but has to be {}", [_shown(value), _wanted.amount])
	fix := _converted({"type": "integer"}, "", value)
}

_wrong_values(field, value) := [{"path": [], "why": why, "fix": []}] if {
	field.type == "quantity"
	not _is_quantity(value)
	why := text.format("is {}, but has to be {}", [_shown(value), _wanted.quantity])
}

_wrong_values(field, value) := [{"path": [key], "why": why, "fix": _converted({"type": "string"}, "", entry)} |
	some key, entry in value
	not type_name(entry) in api_schema.accepted.string
	why := text.format("is {}, but has to be text", [_shown(entry)])
] if {
	field.of == "string"
	type_name(value) == {"list": "array", "map": "object"}[field.type]
}

_wrong_values(field, value) := [{"path": [key], "why": why, "fix": []} |
	some key, entry in value
	not _is_quantity(entry)
	why := text.format("is {}, but has to be {}", [_shown(entry), _wanted.quantity])
] if {
	field.of == "quantity"
	is_object(value)
}

_wrong_values(field, value) := [{"path": [index], "why": why, "fix": []} |
	some index, entry in value
	not type_name(entry) in api_schema.accepted.object
	not values.is_placeholder(entry)
	why := text.format("is {}, but has to be an object", [_shown(entry)])
] if {
	api_schema.fields[field.of]
	is_array(value)
}

_wrong_values(field, value) := [{"path": [], "why": text.format("is {}, more than 100%", [value]), "fix": []}] if {
	field.type == "amount"
	percent := regex.find_all_string_submatch_n(`^0*(\d{1,9})%$`, values.string(value), 1)
	to_number(percent[0][1]) > field.maximum
}

# Which numbers are whole is not the same in both engines where they are huge.
_numeric_reason(field, value) := text.format("is {}, but has to be at least {}", [_shown(value), field.minimum]) if {
	value < field.minimum
} else := text.format("is {}, but has to be at most {}", [_shown(value), field.maximum]) if {
	value > field.maximum
} else := text.format("is {}, but has to be a whole number", [_shown(value)]) if {
	floor(value) != value
}

_is_amount(value) if {
	value >= 0
	value <= 2147483647
	floor(value) == value
}

_is_amount(value) if regex.match(`^\d+%$`, values.string(value))

_is_amount(value) if values.is_placeholder(value)

# resource.Quantity of k8s.io/apimachinery.
_is_quantity(value) if not is_string(value)

_is_quantity(value) if regex.match(`^[+-]?(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$`, value)

_is_quantity(value) if values.is_placeholder(value)
