# METADATA
# title: Shells
# description: What a shell is given to do, read without running it.
package gracegate.lib.shells

# METADATA
# title: Programs that are shells
# description: A set of names.
names := {"ash", "bash", "dash", "ksh", "sh", "zsh"}

# METADATA
# title: Name of a program
# description: Without the directory that it is in.
program(path) := regex.find_all_string_submatch_n(`[^/]*$`, path, 1)[0][0]

# METADATA
# title: Index of the script of a shell
# description: |
#   The word after the first -c of a command, counted from 0. Undefined if the command calls no shell or has no script.
script_index(words) := index + 1 if {
	names[program(words[0])]
	index := [index | some index, word in words; regex.match(`^-[a-z]*c$`, word)][0]
	count(words) > index + 1
}

# METADATA
# title: Simple commands of a script
# description: |
#   A list of those between unquoted ; & | and line ends, without comments. Each has its `words`, without quotes,
#   redirections and variables that it sets, the separators `before` and `after` it, `expands`, true if a variable or
#   the output of another command may be among its words, and `is_compound`, true if it is a part of a condition, a loop
#   or a group.
commands(script) := [command |
	tokens := _tokens(script)
	bounds := array.concat(array.concat([-1], _cuts(tokens)), [count(tokens)])
	some number, start in array.slice(bounds, 0, count(bounds) - 1)
	end := bounds[number + 1]
	text := concat("", [token | some token in array.slice(tokens, start + 1, end); not regex.match(`^\s?#.`, token)])
	raw := _raw_words(text)
	count(raw) > 0
	command := {
		"words": [_unquoted(word) | some word in _without_settings(_without_redirections(raw))],
		"before": _separator(tokens, start),
		"after": _separator(tokens, end),
		"expands": regex.match(`[$\x60]`, _without_single_quotes(text)),
		"is_compound": regex.match(_compound, concat("\n", [raw[0], raw[count(raw) - 1]])),
	}
]

# METADATA
# title: Last simple command of a script
# description: |
#   The `command`, everything `before` it, and the `separator` between them, empty if it is the only one. Undefined if
#   the script ends in something else, as in & or a comment.
last_command(script) := {"before": before, "separator": separator, "command": concat("", rest)} if {
	tokens := _tokens(trim_right(script, " \t\r\n;"))
	cut := max(array.concat([-1], _cuts(tokens)))
	rest := array.slice(tokens, cut + 1, count(tokens))
	regex.match(`\S`, concat("", rest))
	before := concat("", array.slice(tokens, 0, cut + 1))
	separator := concat("", array.slice(tokens, max([cut, 0]), cut + 1))
}

_tokens(script) := [found[0] | some found in regex.find_all_string_submatch_n(_token, script, -1)]

_cuts(tokens) := [index |
	some index, token in tokens
	regex.match(`^(&&|\|\||;;|[;&|]|\n.*)$`, token)
	not _continues(tokens, index)
]

# A line that ends in an operator goes on in the next one.
_continues(tokens, index) if {
	startswith(tokens[index], "\n")
	before := trim_space(concat("", array.slice(tokens, max([index - 2, 0]), index)))
	regex.match(`(&&|\|)$`, before)
}

# Empty at the start and the end of the script.
_separator(tokens, index) := trim_space(tokens[index]) if {
	tokens[index] != "\n"
} else := ""

_raw_words(text) := [found[0] | some found in regex.find_all_string_submatch_n(_raw_word, text, -1)]

_raw_word := `(?s)(?:\\.|'[^']*'|"(?:[^"\\]|\\.)*"|\$\([^()]*(?:\([^()]*\)[^()]*)*\)|\$\{[^}]*\}|\x60[^\x60]*\x60|[^\s'"\\])+`

_unquoted(word) := concat("", [part |
	some found in regex.find_all_string_submatch_n(`(?s)'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^'"\\]+)`, word, -1)
	some part in array.slice(found, 1, 5)
])

_without_single_quotes(text) := concat("", [found[1] |
	some found in regex.find_all_string_submatch_n(`'[^']*'|([^'])`, text, -1)
])

# An operator may stand before its file as a word of its own.
_without_redirections(raw) := [word |
	some index, word in raw
	not regex.match(`^\d*(&>|[<>])`, word)
	not regex.match(`^\d*(&>>?|>>?|<|<<|<<<)$`, array.concat([""], raw)[index])
]

_without_settings(raw) := array.slice(raw, first, count(raw)) if {
	first := min([index | some index, word in raw; not regex.match(`^[A-Za-z_]\w*=`, word)])
} else := []

# Of the first and the last word.
_compound := concat("", [
	`^(if|then|elif|else|fi|for|while|until|do|done|case|esac|select|function|test|\[\[?|!)\n`,
	`|^[({]|^\w+\(\)|\n([^$]*[^$(]\)|\)|\})$`,
])

# Each character of a script is in one of these, so that the tokens make up the script.
_token := concat("|", [
	`(?s)\\.`,
	`'[^']*'`,
	`"(?:[^"\\]|\\.)*"`,
	`\$\([^()]*(?:\([^()]*\)[^()]*)*\)`,
	`\$\{[^}]*\}`,
	`\x60[^\x60]*\x60`,
	`[<>]&[0-9-]*|&>>?`,
	`(?:^|[ \t\n])#[^\n]*`,
	`&&|\|\||;;|[;&|\n]`,
	`[^\\'"$\x60<>&;|\n \t#]+`,
	`.`,
])
