# METADATA
# title: Commands
# description: What the argument list of an exec hook does, and what is wrong with one that cannot do what it says.
package gracegate.lib.commands

import data.gracegate.lib.flaws
import data.gracegate.lib.shells
import data.gracegate.lib.texts
import data.gracegate.lib.values

# METADATA
# scope: document
# title: Seconds that a command sleeps
# description: |
#   Undefined where that cannot be read off it, as from a script with loops, conditions or variables. What else a script
#   does is taken to be quick.
seconds(words) := total if {
	_are_texts(words)
	shells.program(words[0]) == "sleep"
	total := _total(_after(words, 1))
}

seconds(words) := ceil(sum(sleeps)) if {
	_are_texts(words)
	script := words[shells.script_place(words)]
	not regex.match(`[$\x60]|(^|[^&>])&\s*($|[^&>\s])|\b(while|until|for|if|case)\b`, script)
	sleeps := [_duration(found[2]) |
		some found in regex.find_all_string_submatch_n(`(^|[;&|\s/(])sleep\s+([\d.]+[smhd]?)`, script, -1)
	]
	count(sleeps) > 0
}

# METADATA
# title: What is wrong with a command
# description: A flaw, with a path inside the command. Undefined where nothing is known to be wrong.
flaw(words) := flaws.refused([], "has a command that is no list") if {
	not is_array(words)
} else := flaws.refused([], "has an empty command") if {
	count(words) == 0
} else := flaws.refused([place], texts.filled("has a command whose word {} is no string", [place + 1])) if {
	place := _foreign(words)[0]
} else := flaws.failing([0], texts.filled(`runs a program that would have to be named "{}"`, words)) if {
	_is_sentence(words)
} else := flaws.failing([1], texts.filled(`has the shell read a script from a file named "{}"`, [words[1]])) if {
	_is_no_script(words)
} else := flaws.failing([place], texts.filled(`runs "{}" without the words after it`, [words[place]])) if {
	place := _cut_off(words)
} else := flaws.failing([], texts.filled(`calls sleep with "{}", which is no duration`, [wrong])) if {
	wrong := _wrong_duration(words)
}

# METADATA
# title: Seconds that a flawed command means to sleep
# description: Undefined where it means something else too.
meant(words) := ceil(to_number(found[0][1]) * _units[found[0][2]]) if {
	is_array(words)
	texts := [_text(word) | some word in words]
	count(texts) == count(words)
	text := concat(" ", texts)
	found := regex.find_all_string_submatch_n(_meaning, replace(replace(text, "'", ""), "\"", ""), 1)
}

# METADATA
# scope: document
# title: A flawed command as it was meant
# description: |
#   Undefined where that is not plain to see. Only words that mean the same to a shell and without one are moved.
mended(words) := [word | some word in split(words[0], " "); word != ""] if {
	_are_texts(words)
	_is_sentence(words)
	_is_plain(words)
}

mended(words) := array.concat(array.slice(words, 0, place), [concat(" ", _after(words, place))]) if {
	_are_texts(words)
	_is_plain(words)
	place := _cut_off(words)
}

_meaning := concat("", [
	`^(?:(?:\S*/)?(?:ba|da|a|z|k)?sh\s+(?:-[a-z]*c\s+)?)?`,
	`(?:\S*/)?sleep\s+0*(\d{1,6})\s*([smhd]?)(?:ecs?|econds?|ins?|inutes?)?$`,
])

_units := {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

_are_texts(words) if {
	is_array(words)
	count(_foreign(words)) == 0
}

_text(word) := word if is_string(word)

_text(word) := format_int(number, 10) if {
	number := values.whole(word, -1)
	number >= 0
}

_after(words, place) := array.slice(words, place, count(words))

# In whole seconds, as the sleep command adds its arguments up.
_total(words) := ceil(sum(parts)) if {
	parts := [_duration(word) | some word in words]
	count(parts) == count(words)
	count(parts) > 0
}

_duration(word) := to_number(found[0][1]) * _units[found[0][2]] if {
	found := regex.find_all_string_submatch_n(`^0*(\d{1,9}(?:\.\d{1,9})?)([smhd]?)$`, word, 1)
}

_foreign(words) := [place | some place, word in words; not is_string(word)]

_is_sentence(words) if {
	count(words) == 1
	regex.match(`^(/(usr/)?(local/)?s?bin/\S+|[^/\s]+)\s+\S`, words[0])
}

# A word that is a common command, or has spaces, is no file of a script.
_is_no_script(words) if {
	shells.program(words[0]) in shells.names
	regex.match(`\s|^(sleep|nginx|kill|echo|curl|wget|exec)$`, words[1])
}

_cut_off(words) := place if {
	place := shells.script_place(words)
	regex.match(`^[\w./-]+$`, words[place])
	count(words) > place + 1
}

_is_plain(words) if regex.match(`^[\w./:=,@%+ -]+$`, concat(" ", words))

_wrong_duration(words) := concat(" ", _after(words, 1)) if {
	shells.program(words[0]) == "sleep"
	not _total(_after(words, 1))
	not regex.match(`^inf(inity)?$`, concat(" ", _after(words, 1)))
}

_wrong_duration(words) := wrong[0] if {
	script := words[shells.script_place(words)]
	wrong := [found[1] |
		some found in regex.find_all_string_submatch_n(_sleep_in_script, script, -1)
		not _duration(found[1])
		not regex.match(`[$"'\\\x60]|^inf(inity)?$`, found[1])
	]
}

_sleep_in_script := concat("", [
	`(?:^|[;&|(]|\b(?:do|then|exec)\b)\s*`,
	`(?:/(?:usr/)?bin/)?sleep(?:[ \t]+([^\s;&|)]+))?\s*(?:$|[\s;&|)])`,
])
