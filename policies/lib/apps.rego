# METADATA
# title: Apps
# description: |
#   How long an app goes on with the requests it has, once it is told to stop, as far as its manifest says so.
package gracegate.lib.apps

import data.gracegate.lib.values

# METADATA
# title: Seconds that the app of a container takes to drain
# description: What the annotation says, else the longest that arguments and environment say, else the fallback.
seconds(annotations, spec, fallback) := to_number(stated[0][1]) if {
	stated := regex.find_all_string_submatch_n(`^0*(\d{1,6})$`, annotations["gracegate.dev/app-drain-seconds"], 1)
	count(stated) > 0
} else := max(stated) if {
	stated := _configured(spec) | _proxied(annotations)
	count(stated) > 0
} else := fallback

_configured(spec) := (_flagged(words) | _implied(words)) | _spring(spec) if words := _words(spec)

_words(spec) := concat(" ", [word |
	some word in array.concat(
		array.concat(values.list(object.get(spec, "command", [])), values.list(object.get(spec, "args", []))),
		[variable.value | some variable in _environment(spec); variable.name == "GUNICORN_CMD_ARGS"],
	)
	is_string(word)
])

_environment(spec) := [variable | some variable in values.list(object.get(spec, "env", [])); is_string(variable.value)]

# gunicorn and uvicorn
_flagged(words) := {to_number(found[1]) |
	some found in regex.find_all_string_submatch_n(
		`--(?:graceful-timeout|timeout-graceful-shutdown)[=\s]+0*(\d{1,6})`,
		words,
		-1,
	)
}

# gunicorn waits for 30 s where nothing else is said.
_implied(words) := {30 | regex.match(`(^|[\s/])gunicorn(\s|$)`, words); count(_flagged(words)) == 0}

_spring(spec) := {ceil(to_number(found[1]) * _units[found[2]]) |
	some variable in _environment(spec)
	variable.name == "SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE"
	some found in regex.find_all_string_submatch_n(`^(?:PT)?0*(\d{1,9})(|ms|s|m|h|S|M|H)$`, variable.value, 1)
}

_units := {"": 0.001, "ms": 0.001, "s": 1, "S": 1, "m": 60, "M": 60, "h": 3600, "H": 3600}

# istio's proxy takes connections for as long as this says.
_proxied(annotations) := {to_number(found[1]) |
	some found in regex.find_all_string_submatch_n(
		`terminationDrainDuration:\s*"?0*(\d{1,6})s`,
		object.get(annotations, "proxy.istio.io/config", ""),
		1,
	)
}
