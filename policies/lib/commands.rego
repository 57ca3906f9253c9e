# METADATA
# title: Commands
# description: What the command of an exec handler does, and its defects.
package gracegate.lib.commands

import data.gracegate.lib.shells
import data.gracegate.lib.text
import data.gracegate.lib.values

# METADATA
# scope: document
# title: Seconds that a command takes
# description: |
#   The sum of its sleeps. What else it calls is taken to be quick if it sleeps too; without a sleep, 0 if all that it
#   calls is quick. Undefined if the seconds cannot be read from it, as from a script with loops, conditions or
#   variables, and from a program that may take its time.
seconds(words) := ceil(sum(times)) if {
	steps := _steps(words)
	times := [taken | some step in steps; taken := _time(step)]
	count(times) == count(steps)
	_is_timed(steps)
}

# METADATA
# title: Is a command quick but for its sleeps?
# description: True if nothing else that it calls takes time.
is_quick(words) if {
	every step in _steps(words) {
		_quick_programs[step.program]
	}
}

# METADATA
# title: Does a command sleep and do nothing else?
# description: Undefined for a sleep whose end is not known.
is_sleep(words) if {
	[step] := _steps(words)
	step.program == "sleep"
	_time(step)
	step.before == ""
	step.after in {"", ";"}
}

# METADATA
# title: Stop before the sleep of a command
# description: |
#   The first words that stop a server before the command sleeps, as ["nginx", "-s", "quit"], so that it refuses
#   connections while traffic still arrives. Undefined if there are none, or if it is not certain that they run first.
early_stop(words) := array.concat([stop.program], stop.arguments) if {
	all_steps := _all_steps(words)
	first := min([index | some index, step in all_steps; _stops(step.program, concat(" ", step.arguments))])
	every step in array.slice(all_steps, 0, first + 1) {
		not step.is_compound
		step.runs == "yes"
		step.program != "sleep"
		not _ends[step.program]
	}
	stop := all_steps[first]
}

# METADATA
# title: Programs that a command calls
# description: A set of their names, as far as they can be read from it. The shell of a script is one of them.
programs(words) := {shells.program(words[0])} | {step.program | some step in _all_steps(words)} if {
	_are_strings(words)
	count(words) > 0
}

# METADATA
# title: Defect of a command
# description: |
#   Why it cannot do what it was written for: a `path` inside the command, and `is_rejected`, true if the API server
#   rejects the object, false if the command fails when it runs. `why` continues "its preStop hook" if it is rejected,
#   else "its preStop hook always fails, because". Undefined if no defect is known.
defect(words) := rejected_defect([], "has a command that is not a list") if {
	not is_array(words)
	not values.is_placeholder(words)
} else := rejected_defect([], "has an empty command") if {
	count(words) == 0
} else := rejected_defect([index], text.format("has a command whose word {} is not a string", [index + 1])) if {
	index := _non_strings(words)[0]
} else := runtime_defect([0], _one_program_name(words)) if {
	_is_command_line(words)
} else := runtime_defect([1], text.format(`the shell reads its script from a file named "{}"`, [words[1]])) if {
	_lacks_option_c(words)
} else := runtime_defect([index], text.format(`the shell runs "{}" without the words after it`, [words[index]])) if {
	index := _split_script(words)
} else := runtime_defect([], text.format(`sleep does not accept "{}" as a duration`, [duration])) if {
	duration := _invalid_duration(words)
}

# METADATA
# title: Defect for which the API server rejects the object
# description: As in `defect`.
rejected_defect(path, why) := {"path": path, "is_rejected": true, "why": why}

# METADATA
# title: Defect that shows when the hook runs
# description: As in `defect`.
runtime_defect(path, why) := {"path": path, "is_rejected": false, "why": why}

# METADATA
# title: Intended sleep of a command with a defect
# description: Seconds. Undefined if the command was meant to do anything else.
intended_seconds(words) := ceil(to_number(found[0][1]) * _units[found[0][2]]) if {
	is_array(words)
	strings_of_words := [_word(entry) | some entry in words]
	count(strings_of_words) == count(words)
	line := replace(replace(concat(" ", strings_of_words), "'", ""), "\"", "")
	found := regex.find_all_string_submatch_n(_intended_sleep, line, 1)
}

# METADATA
# scope: document
# title: Correction of a command with a defect
# description: |
#   The command as it was meant. Undefined if that is not obvious. Only words that mean the same with and without a
#   shell are moved.
correction(words) := [word | some word in split(words[0], " "); word != ""] if {
	_are_strings(words)
	_is_command_line(words)
	_is_plain(words)
}

correction(words) := array.concat(array.slice(words, 0, index), [concat(" ", _tail(words, index))]) if {
	_are_strings(words)
	_is_plain(words)
	index := _split_script(words)
}

_one_program_name(words) := text.format(`"{}" is one program name; write "{}"`, [_shown(words), _shown(fixed)]) if {
	fixed := correction(words)
} else := text.format(`"{}" is one program name`, [_shown(words)])

# As a YAML list in single quotes: messages show names in double quotes.
_shown(words) := text.format("['{}']", [concat("', '", words)])

_intended_sleep := concat("", [
	`^(?:(?:\S*/)?(?:ba|da|a|z|k)?sh\s+(?:-[a-z]*c\s+)?)?`,
	`(?:\S*/)?sleep\s+0*(\d{1,6})\s*([smhd]?)(?:ecs?|econds?|ins?|inutes?)?$`,
])

_units := {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

_are_strings(words) if {
	is_array(words)
	count(_non_strings(words)) == 0
}

_word(entry) := entry if is_string(entry)

_word(entry) := text.number(number) if {
	number := values.integer(entry, -1)
	number >= 0
}

_tail(words, index) := array.slice(words, index, count(words))

# In whole seconds, as the sleep command adds its arguments up.
_total(words) := ceil(sum(parts)) if {
	parts := [_duration(word) | some word in words]
	count(parts) == count(words)
	count(parts) > 0
}

_duration(word) := to_number(found[0][1]) * _units[found[0][2]] if {
	found := regex.find_all_string_submatch_n(`^0*(\d{1,9}(?:\.\d{1,9})?)([smhd]?)$`, word, 1)
}

_non_strings(words) := [index | some index, word in words; not is_string(word)]

_is_command_line(words) if {
	count(words) == 1
	regex.match(`^(/(usr/)?(local/)?s?bin/\S+|[^/\s]+)\s+\S`, words[0])
}

# A word that is a common command, or has spaces, is not the file of a script: the option -c is missing.
_lacks_option_c(words) if {
	shells.program(words[0]) in shells.names
	regex.match(`\s|^(sleep|nginx|kill|echo|curl|wget|exec)$`, words[1])
}

# The index of a script that is one word, with more words after it, which the shell does not run.
_split_script(words) := index if {
	index := shells.script_index(words)
	regex.match(`^[\w./-]+$`, words[index])
	count(words) > index + 1
}

_is_plain(words) if regex.match(`^[\w./:=,@%+ -]+$`, concat(" ", words))

_invalid_duration(words) := invalid[0] if {
	_are_strings(words)
	invalid := [text_of |
		some step in _all_steps(words)
		step.program == "sleep"
		not step.expands
		text_of := concat(" ", step.arguments)
		not _total(step.arguments)
		not regex.match(`^inf(inity)?$`, text_of)
		not values.is_placeholder(text_of)
	]
}

# What runs, in its order, to the end or an exit. Undefined if that is not known.
_steps(words) := array.slice(all_steps, 0, end) if {
	all_steps := _all_steps(words)
	ends := [number | some index, step in all_steps; _ends_the_script(step); number := index + 1]
	end := min(array.concat(ends, [count(all_steps)]))
	every step in array.slice(all_steps, 0, end) {
		not step.is_compound
		step.runs != "unknown"
	}
}

_ends_the_script(step) if _ends[step.program]

_ends_the_script(step) if step.is_last

_ends := {"exit": true}

# The commands of a script, or the one that is called without a shell.
_all_steps(words) := [object.union(step, {"runs": _runs(read, index)}) | some index, step in read] if {
	script := words[shells.script_index(words)]
	read := [_step(command) | some command in shells.commands(script); count(command.words) > 0]
} else := [object.union(step, {"runs": "yes"})] if {
	_are_strings(words)
	count(words) > 0
	not shells.names[shells.program(words[0])]
	step := _step({
		"words": words,
		"before": "",
		"after": "",
		"expands": count([word | some word in words; values.is_placeholder(word)]) > 0,
		"is_compound": false,
	})
}

# The program, its arguments, and `limits`, the seconds that `timeout` gives it. Programs that call another one, their
# options and what they set are passed over.
_step(command) := object.union(command, described) if {
	called := min(array.concat(_called(command.words), [count(command.words) - 1]))
	rest := _tail(command.words, called)
	described := {
		"program": shells.program(rest[0]),
		"arguments": _tail(rest, 1),
		"limits": [limit | some word in array.slice(command.words, 0, called); limit := _duration(word)],
		"is_last": command.words[0] == "exec",
	}
}

_called(words) := [index |
	options := array.concat([""], words)
	some index, word in words
	not _callers[shells.program(word)]
	not regex.match(`^(-.*|\w+=.*|[\d.]+[smhd]?)$`, word)
	not _takes_value[options[index]]
]

_takes_value := {"--kill-after": true, "--signal": true, "-k": true, "-s": true}

_callers := {
	"busybox": true,
	"command": true,
	"do": true,
	"else": true,
	"env": true,
	"exec": true,
	"nice": true,
	"nohup": true,
	"then": true,
	"time": true,
	"timeout": true,
}

# After ||, a command runs only if the one before it fails.
_runs(read, index) := "yes" if {
	read[index].before != "||"
} else := "no" if {
	_always_succeed[read[index - 1].program]
} else := "yes" if {
	_quick_programs[read[index].program]
	read[index].program != "sleep"
	not _ends[read[index].program]
	not _stops(read[index].program, concat(" ", read[index].arguments))
} else := "unknown"

_always_succeed := {":": true, "echo": true, "true": true}

# Undefined if it is not known.
_time(step) := 0 if {
	step.program != "sleep"
	step.program != "wait"
	not regex.match(`sleep`, concat(" ", [argument | step.expands; some argument in step.arguments]))
} else := 0 if {
	step.runs == "no"
} else := 0 if {
	step.after == "&"
} else := min(array.concat(step.limits, [_total(step.arguments)])) if {
	not step.expands
	not "|" in {step.before, step.after}
}

_is_timed(steps) if {
	some step in steps
	step.program == "sleep"
}

_is_timed(steps) if {
	every step in steps {
		_quick_programs[step.program]
		not step.expands
	}
}

_quick_programs := {
	":": true,
	"apache2ctl": true,
	"apachectl": true,
	"cat": true,
	"cd": true,
	"chmod": true,
	"cp": true,
	"date": true,
	"echo": true,
	"exit": true,
	"export": true,
	"false": true,
	"httpd": true,
	"kill": true,
	"killall": true,
	"ln": true,
	"logger": true,
	"mkdir": true,
	"mv": true,
	"nginx": true,
	"pkill": true,
	"printf": true,
	"rm": true,
	"set": true,
	"sleep": true,
	"sync": true,
	"touch": true,
	"trap": true,
	"true": true,
	"umask": true,
	"unset": true,
}

_stops("nginx", arguments) if regex.match(`(^| )-s ?(quit|stop)( |$)`, arguments)

_stops(program, arguments) if {
	program in {"kill", "killall", "pkill"}
	regex.match(`^[^-]|^-(s |-signal[ =])?(SIG)?(TERM|QUIT|INT|KILL|15|3|2|9)( |$)|^-[^-0-9A-Z]`, arguments)
}

_stops(program, arguments) if {
	program in {"apache2ctl", "apachectl", "httpd"}
	regex.match(`(^| )(graceful-)?stop( |$)`, arguments)
}

_stops(program, arguments) if {
	program in {"pm2", "service", "supervisorctl", "systemctl"}
	regex.match(`(^| )(delete|kill|shutdown|stop)( |$)`, arguments)
}

_stops(program, arguments) if {
	program in {"curl", "wget"}
	regex.match(`/(quitquitquit|shutdown)(["'? ]|$)`, arguments)
}
