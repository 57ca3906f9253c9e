# METADATA
# title: Hooks
# description: What a container's preStop hook does and how long it takes.
package gracegate.lib.hooks

import data.gracegate.lib.values

# METADATA
# title: Does the container have a preStop hook?
# description: Anything but null counts, as what is written there was meant to be one.
present(spec) if spec.lifecycle.preStop != null

# METADATA
# title: Seconds that a preStop hook takes
# description: Undefined where they cannot be read off it.
seconds(hook) := values.whole(hook.sleep.seconds, 0) if {
	is_object(hook.sleep)
	is_number(hook.sleep.seconds)
}

seconds(hook) := total if {
	not is_object(hook.sleep)
	total := _slept(hook.exec.command)
}

# METADATA
# title: Seconds of a list of sleep durations
# description: As the sleep command adds them up, rounded up to whole seconds. Undefined where one is no duration.
duration(words) := ceil(sum(parts)) if {
	count(words) > 0
	parts := [part | some word in words; part := _duration(word)]
	count(parts) == count(words)
}

# METADATA
# title: Name of a command
# description: Without its folder.
command(path) := regex.find_all_string_submatch_n(`[^/]*$`, path, 1)[0][0]

_units := {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

_duration(word) := to_number(found[0][1]) * _units[found[0][2]] if {
	is_string(word)
	found := regex.find_all_string_submatch_n(`^0*(\d{1,9}(?:\.\d{1,3})?)([smhd]?)$`, word, 1)
}

_slept(words) := duration(array.slice(words, 1, count(words))) if command(words[0]) == "sleep"

# What else a script does takes time that nobody can read off it: at least its sleeps are known, unless they depend on something.
_slept(words) := ceil(sum([_duration(found[2]) | some found in sleeps])) if {
	command(words[0]) in shells
	script := scripted(words)
	not regex.match(`[$\x60]|&\s*($|[^&])|\b(while|until|for|if|case)\b`, script)
	sleeps := regex.find_all_string_submatch_n(`(^|[;&|\s/(])sleep\s+([\d.]+[smhd]?)`, script, -1)
	count(sleeps) > 0
}

# METADATA
# title: Script of a shell's command line
# description: Undefined where it runs none, as in [sh, stop.sh].
scripted(words) := [words[position + 1] | some position, word in words; regex.match(`^-[a-z]*c$`, word)][0] if {
	command(words[0]) in shells
	every word in words {
		is_string(word)
	}
}

# METADATA
# title: A hook that sleeps
# description: Kubernetes has a sleep of its own from 1.30 on; before, the image must have one.
sleeping(seconds, minor) := {"sleep": {"seconds": seconds}} if {
	minor >= 30
} else := {"exec": {"command": ["sleep", sprintf("%d", [seconds])]}}

# METADATA
# title: Shells
shells := {"ash", "bash", "dash", "ksh", "sh", "zsh"}
