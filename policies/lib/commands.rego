# METADATA
# title: Commands
# description: What the command of an exec handler does, and its defects.
package gracegate.lib.commands

import data.gracegate.lib.shells
import data.gracegate.lib.text
import data.gracegate.lib.values

# METADATA
# scope: document
# title: Sleep of a command
# description: |
#   Seconds. Undefined if they cannot be read from it, as from a script with loops, conditions or variables. What else a
#   script does is taken to be quick.
sleep_seconds(words) := total if {
	_are_strings(words)
	shells.program(words[0]) == "sleep"
	total := _total(_tail(words, 1))
}

sleep_seconds(words) := ceil(sum(sleeps)) if {
	_are_strings(words)
	script := words[shells.script_index(words)]
	not regex.match(`[$\x60]|(^|[^&>])&\s*($|[^&>\s])|\b(while|until|for|if|case)\b`, script)
	sleeps := [_duration(found[2]) |
		some found in regex.find_all_string_submatch_n(`(^|[;&|\s/(])sleep\s+([\d.]+[smhd]?)`, script, -1)
	]
	count(sleeps) > 0
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

_word(entry) := format_int(number, 10) if {
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

_invalid_duration(words) := concat(" ", _tail(words, 1)) if {
	shells.program(words[0]) == "sleep"
	not _total(_tail(words, 1))
	not regex.match(`^inf(inity)?$`, concat(" ", _tail(words, 1)))
	not values.is_placeholder(concat(" ", _tail(words, 1)))
}

_invalid_duration(words) := invalid[0] if {
	script := words[shells.script_index(words)]
	invalid := [found[1] |
		some found in regex.find_all_string_submatch_n(_sleep_in_script, script, -1)
		not _duration(found[1])
		not regex.match(`[$"'\\\x60]|^inf(inity)?$`, found[1])
	]
}

_sleep_in_script := concat("", [
	`(?:^|[;&|(]|\b(?:do|then|exec)\b)\s*`,
	`(?:/(?:usr/)?bin/)?sleep(?:[ \t]+([^\s;&|)]+))?\s*(?:$|[\s;&|)])`,
])
