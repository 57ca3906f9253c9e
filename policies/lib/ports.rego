# METADATA
# title: Ports
# description: The ports that containers and Services declare, and what the API server accepts as a port.
package gracegate.lib.ports

import data.gracegate.lib.text
import data.gracegate.lib.values

# METADATA
# title: Ports of a container
# description: |
#   In the order of the manifest, each with `position` in its list (from 0), `name` (or empty), `number` (or 0),
#   `protocol`, and `target`, the name or number by which a Service or a probe refers to it.
declared_by(spec) := [described |
	some position, port in values.list(object.get(spec, "ports", []))
	is_object(port)
	name := values.string(object.get(port, "name", ""))
	number := values.integer(object.get(port, "containerPort", 0), 0)
	described := {
		"position": position,
		"name": name,
		"number": number,
		"protocol": protocol(port),
		"target": [target | some target in [name, number]; target != ""][0],
	}
]

# METADATA
# title: Protocol of a port
# description: Of a container's port or a Service's; TCP if the port has none.
protocol(port) := port.protocol if {
	is_string(port.protocol)
	port.protocol != ""
} else := "TCP"

# METADATA
# title: Is the number a port?
is_valid_number(number) if {
	number >= 1
	number <= 65535
}

# METADATA
# title: Is the string a name for a port?
is_valid_name(name) if {
	regex.match(`^[a-z0-9](-?[a-z0-9])*$`, name)
	regex.match(`[a-z]`, name)
	count(name) <= 15
}

# METADATA
# title: Name that was meant
# description: |
#   The nearest of the names, see the library text, that is for the same protocol: https is no misspelt http, nor is
#   http2. Undefined if there is none.
meant_name(word, names) := text.nearest(word, {name | some name in names; _stem(name) != _stem(word)})

# Without the letter for TLS and the numbers at the end of each part.
_stem(name) := [trim_suffix(trim_right(part, "0123456789"), "s") | some part in split(name, "-")]

# METADATA
# scope: document
# title: Is it a port for TLS?
# description: By the name or the number of a container's port.
is_for_tls(port) if regex.match(`https|tls|ssl`, port.name)

is_for_tls(port) if port.number in {443, 8443}

# METADATA
# title: Number in a string
# description: Of a string that is a number of at most five digits after leading zeros. Undefined for any other value.
number_in(value) := to_number(regex.find_all_string_submatch_n(`^0*(\d{1,5})$`, values.string(value), 1)[0][1])
