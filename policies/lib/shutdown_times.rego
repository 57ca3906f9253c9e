# METADATA
# title: Shutdown times
# description: How long an app itself says that it needs to stop, in the arguments and the environment of its container.
package gracegate.lib.shutdown_times

import data.gracegate.lib.values

# METADATA
# title: Times that a container states
# description: |
#   At most two: the longest wait before the app begins to stop, and then the longest time that it gives the requests
#   that it still has. Each has the `name` of the flag, the variable or the server, its `seconds`, its `path` from the
#   container, and `is_documented`, false if only the name says what it means.
stated(spec) := array.concat(_longest(found, "wait"), _longest(found, "limit")) if {
	words := array.concat(_words(spec), _arguments_in_variables(spec))
	found := array.concat(_settings(array.concat(_flags(words), _variables(spec))), _defaults(words))
}

# METADATA
# title: Sum of times
# description: Seconds.
total(times) := sum([setting.seconds | some setting in times])

_longest(settings, role) := [object.remove(longest[2], ["role"])] if {
	longest := max([[setting.seconds, setting.path, setting] | some setting in settings; setting.role == role])
} else := []

_settings(entries) := [setting |
	some [name, value, path] in entries
	meaning := _meaning(replace(replace(lower(name), "-", "_"), ".", "_"))
	seconds := _seconds(value, meaning.unit)
	setting := object.union(object.remove(meaning, ["unit"]), {"name": name, "seconds": seconds, "path": path})
]

# Without the flag, gunicorn waits 30 s: https://docs.gunicorn.org/en/stable/settings.html#graceful-timeout
_defaults(words) := [setting |
	some [word, path] in words
	regex.match(`(^|[\s/])gunicorn(\s|$)`, word)
	count([flag | some flag in _flags(words); flag[0] == "--graceful-timeout"]) == 0
	setting := {"name": "gunicorn", "seconds": 30, "path": path, "role": "limit", "is_documented": true}
]

# As [name, value, path from the container].
_flags(words) := [[found[1], found[2], path] |
	some [word, path] in words
	regex.match(_topic, word)
	some found in regex.find_all_string_submatch_n(_flag, word, -1)
	regex.match(_topic, found[1])
]

_variables(spec) := [[variable.name, variable.value, ["env", index, "value"]] |
	some index, variable in values.list(object.get(spec, "env", []))
	is_string(variable.value)
	regex.match(_topic, values.string(variable.name))
]

# As [text, path from the container]. A flag is taken together with the word after it, which may be its value.
_words(spec) := [[word, [key, index]] |
	some key in ["command", "args"]
	listed := values.list(object.get(spec, key, []))
	some index, text in listed
	is_string(text)
	word := concat(" ", [part |
		some part in array.slice(listed, index, index + 2)
		is_string(part)
		part in {text, _value_of(text, part)}
	])
]

_value_of(flag, word) := word if {
	regex.match(`^-[\w.-]+$`, flag)
} else := flag

_arguments_in_variables(spec) := [[variable.value, ["env", index, "value"]] |
	some index, variable in values.list(object.get(spec, "env", []))
	is_string(variable.value)
	_argument_variables[variable.name]
]

_argument_variables := {
	"CATALINA_OPTS": true,
	"GUNICORN_CMD_ARGS": true,
	"JAVA_OPTS": true,
	"JAVA_TOOL_OPTIONS": true,
	"JDK_JAVA_OPTIONS": true,
}

_topic := `(?i)shutdown|drain|grace|terminat|lame_?duck`

_flag := `(?:^|[\s"';])(-{0,2}[A-Za-z][\w.-]*)(?:=|\s+)["']?(PT[\dHMS.]+|\d[\dA-Za-z.]*)`

# What a setting is about, by its name in lower case with underscores; undefined if it is about something else.
_meaning(name) := {"role": meaning[0], "unit": meaning[1], "is_documented": true} if {
	meaning := _documented[name]
} else := {"role": _role(name), "unit": _unit(name), "is_documented": false} if {
	regex.match(_own_shutdown, name)
	not regex.match(_of_something_else, name)
}

# https://docs.gunicorn.org/en/stable/settings.html#graceful-timeout, and the same of hypercorn
# https://kubernetes.github.io/ingress-nginx/user-guide/cli-arguments/
# https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout
# https://www.uvicorn.org/settings/#timeouts
# https://docs.vllm.ai/en/latest/cli/serve/
# https://docs.spring.io/spring-boot/reference/web/graceful-shutdown.html, where a number without a unit is milliseconds
# https://quarkus.io/guides/lifecycle#graceful-shutdown
_documented := {
	"__graceful_timeout": ["limit", "s"],
	"__shutdown_grace_period": ["wait", "s"],
	"__shutdown_timeout": ["limit", "s"],
	"__spring_lifecycle_timeout_per_shutdown_phase": ["limit", "ms"],
	"__timeout_graceful_shutdown": ["limit", "s"],
	"_dquarkus_shutdown_timeout": ["limit", "s"],
	"_dspring_lifecycle_timeout_per_shutdown_phase": ["limit", "ms"],
	"quarkus_shutdown_timeout": ["limit", "s"],
	"spring_lifecycle_timeout_per_shutdown_phase": ["limit", "ms"],
	"uvicorn_timeout_graceful_shutdown": ["limit", "s"],
	"worker_shutdown_timeout": ["limit", "s"],
}

_own_shutdown := `shutdown|drain|graceful|gracetimeout|terminat|lame_?duck`

# The grace period itself, times of nodes and of other pods, and times until something idle is shut down.
_of_something_else := concat("|", [
	`termination_?grace_?period|(^|_)(nodes?|pods?|instances?|machines?|vms?|kube|agents?|runners?|jobs?|tls)(_|$)`,
	`idle|inactiv|unused|interval|retention|evict|auto_?(stop|shutdown)`,
])

_role(name) := "wait" if {
	regex.match(`delay|sleep|lame_?duck|requestaccept`, name)
} else := "limit" if {
	regex.match(`time_?out|wait|grace(_|period|$)|period|duration|deadline|seconds|_secs?(_|$)|_ms$|millis`, name)
}

_unit(name) := "ms" if {
	regex.match(`_ms$|timeoutms$|millis`, name)
} else := "s" if {
	regex.match(`_s$|_secs?$|seconds`, name)
} else := "min" if {
	regex.match(`_mins?$|minutes`, name)
} else := "unknown"

_seconds(value, unit) := ceil(sum(times)) if {
	regex.match(`(?i)^\s*(PT)?(\d{1,6}(\.\d{1,3})?(ms|s|sec|m|min|h))+\s*$`, value)
	times := [seconds |
		some found in regex.find_all_string_submatch_n(`(\d{1,6}(?:\.\d{1,3})?)([A-Za-z]+)`, value, -1)
		seconds := to_number(found[1]) * _units[lower(found[2])]
	]
} else := ceil(number * _units[unit]) if {
	number := to_number(regex.find_all_string_submatch_n(`^\s*0*(\d{1,9})\s*$`, value, 1)[0][1])
	_units[unit]
} else := ceil(number * _likely_unit(number)) if {
	number := to_number(regex.find_all_string_submatch_n(`^\s*0*(\d{1,9})\s*$`, value, 1)[0][1])
}

_units := {"h": 3600, "m": 60, "min": 60, "ms": 0.001, "s": 1, "sec": 1}

# Nobody gives an app less than a fifth of a second, or more than two hours, to shut down.
_likely_unit(number) := 1 if {
	number <= 120
} else := 0.001 if {
	number >= 10000
}
