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
# description: A list of those between unquoted ; & | and line ends, without surrounding spaces and without comments.
commands(script) := [command |
	tokens := _tokens(script)
	bounds := array.concat(array.concat([-1], _cuts(tokens)), [count(tokens)])
	some number, start in array.slice(bounds, 0, count(bounds) - 1)
	part := array.slice(tokens, start + 1, bounds[number + 1])
	command := trim_space(concat("", [token | some token in part; not regex.match(`^\s?#.`, token)]))
	command != ""
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

_cuts(tokens) := [index | some index, token in tokens; regex.match(`^(&&|\|\||;;|[;&|]|\n.*)$`, token)]

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
