package gracegate.lib.shells_test

import data.gracegate.lib.shells

test_script_index[note] if {
	some note, case in {
		"sh": [["sh", "-c", "x"], 2],
		"options": [["/bin/bash", "-o", "pipefail", "-ec", "x"], 4],
	}
	shells.script_index(case[0]) == case[1]
}

test_no_script[note] if {
	some note, words in {
		"a file": ["sh", "/start.sh"],
		"nothing after -c": ["sh", "-c"],
		"no shell": ["python", "-c", "x"],
		"nothing": [],
	}
	not shells.script_index(words)
}

words(script) := [command.words | some command in shells.commands(script)]

test_words[note] if {
	some note, case in {
		"one": ["sleep  10", [["sleep", "10"]]],
		"separators": ["a;b && c || d | e & f\ng", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"]]],
		"quotes": [`echo "a;b" 'c&d' e\;f g'h'"i"; j`, [["echo", "a;b", "c&d", "e;f", "ghi"], ["j"]]],
		"redirections": ["a > x 2>&1 b; c &> y < z", [["a", "b"], ["c"]]],
		"substitutions": ["a $(b; c $(d; e)) `f;g` ${h}; i", [["a", "$(b; c $(d; e))", "`f;g`", "${h}"], ["i"]]],
		"settings": ["A=b C='d e' f g=h; I=j", [["f", "g=h"], []]],
		"comments": ["# a; b\nc # d; e\n  # f\n g#h $#", [["c"], ["g#h", "$#"]]],
		"blank": [" ; \n", []],
		"an open quote": [`a "b; c`, [["a", "b"], ["c"]]],
	}
	words(case[0]) == case[1]
}

test_separators[note] if {
	some note, case in {
		"one": ["a", [["", ""]]],
		"several": ["a; b && c\nd &", [["", ";"], [";", "&&"], ["&&", ""], ["", "&"]]],
		"an operator at the end of a line": ["a ||\n  b |\nc", [["", "||"], ["||", "|"], ["|", ""]]],
	}
	[[command.before, command.after] | some command in shells.commands(case[0])] == case[1]
}

test_expands if {
	script := "a $b; c `d`; 'e $f'; g \"$h\"; i"
	[command.expands | some command in shells.commands(script)] == [true, true, false, true, false]
}

test_is_compound if {
	script := "a; if b; then c; fi; (d); f() { g; }; { h; }; [ i ]; ! j; k $(l); while m; do n; done"
	plain := [command.words | some command in shells.commands(script); not command.is_compound]
	plain == [["a"], ["k", "$(l)"]]
}

test_last_command[note] if {
	some note, case in {
		"one": ["app", {"before": "", "separator": "", "command": "app"}],
		"of three": ["cd /x; a && app -v ;\n", {"before": "cd /x; a &&", "separator": "&&", "command": " app -v"}],
		"of a pipeline": ["app | tee log", {"before": "app |", "separator": "|", "command": " tee log"}],
		"of lines": ["set -e\napp\n", {"before": "set -e\n", "separator": "\n", "command": "app"}],
		"after a separator at once": [";app", {"before": ";", "separator": ";", "command": "app"}],
	}
	shells.last_command(case[0]) == case[1]
}

test_no_last_command[note] if {
	some note, script in {"background": "app &", "comment": "app\n# done", "nothing": " "}
	not shells.last_command(script)
}
