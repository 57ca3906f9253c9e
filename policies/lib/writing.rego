# METADATA
# title: Writing
# description: Manifests in YAML, as lines of advice.
package gracegate.lib.writing

import data.gracegate.lib.values

# METADATA
# title: A scalar
# description: Quoted where it would not be read as the text that it is.
scalar(value) := value if {
	regex.match(`^[A-Za-z][A-Za-z0-9._/-]*$`, value)
	not regex.match(`^(?i:true|false|yes|no|on|off|y|n|null)$`, value)
} else := json.marshal(value)

# METADATA
# title: A map of texts
# description: One line for each key, in order.
texts(indent, value) := [line |
	some key in sort([key | some key, _ in values.texts(value)])
	line := concat("", [indent, scalar(key), ": ", scalar(value[key])])
]
