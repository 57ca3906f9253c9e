package gracegate.lib.commands_test

import data.gracegate.lib.commands

test_sleep_seconds[note] if {
	some note, case in {
		"sleep": [["sleep", "10"], 10],
		"of a folder": [["/usr/bin/sleep", "10s"], 10],
		"several": [["sleep", "1m", "30"], 90],
		"hours and days": [["sleep", "1h", "1d"], 90000],
		"a fraction": [["sleep", "0.2"], 1],
		"zeros before it": [["sleep", "010"], 10],
		"a script": [["sh", "-c", "sleep 10"], 10],
		"a script with more": [["/bin/bash", "-euxc", "sleep 5; nginx -s quit && sleep 10m"], 605],
		"a script with a redirection": [["sh", "-c", "nginx -s quit 2>&1; sleep 7"], 7],
	}
	commands.sleep_seconds(case[0]) == case[1]
}

test_no_sleep_seconds[note] if {
	some note, words in {
		"another command": ["nginx", "-s", "quit"],
		"no number": ["sleep", "ten"],
		"forever": ["sleep", "infinity"],
		"a script without": ["sh", "-c", "nginx -s quit"],
		"a loop": ["sh", "-c", "while busy; do sleep 1; done"],
		"a variable": ["sh", "-c", "sleep $N"],
		"in the background": ["sh", "-c", "sleep 10 & nginx -s quit"],
		"a file": ["sh", "/stop.sh", "sleep 10"],
		"-c without a script": ["sh", "-c"],
		"no strings": [1, 2],
		"no list": "sleep 10",
		"nothing": [],
	}
	not commands.sleep_seconds(words)
}

test_defects[note] if {
	some note, case in {
		"command line": [["sleep 10"], `"['sleep 10']" is one program name; write "['sleep', '10']"`],
		"no option -c": [["sh", "sleep", "10"], `the shell reads its script from a file named "sleep"`],
		"split script": [["sh", "-c", "sleep", "10"], `the shell runs "sleep" without the words after it`],
		"duration": [["sleep", "ten"], `sleep does not accept "ten" as a duration`],
		"nothing": [["sleep"], `sleep does not accept "" as a duration`],
		"no string": [["sleep", 10], "has a command whose word 2 is not a string"],
		"empty": [[], "has an empty command"],
		"no list": ["sleep 10", "has a command that is not a list"],
	}
	commands.defect(case[0]).why == case[1]
}

test_intended_seconds[note] if {
	some note, case in {
		"command line": [["sleep 10"], 10],
		"a number": [["sleep", 10], 10],
		"a whole command line": [["/bin/sh -c 'sleep 10'"], 10],
		"a unit as a word": [["sleep", "2", "minutes"], 120],
		"seconds": [["sleep", "10sec"], 10],
	}
	commands.intended_seconds(case[0]) == case[1]
}

test_no_intended_seconds[note] if {
	some note, words in {
		"more than a sleep": ["sleep 10; nginx -s quit"],
		"no number": ["sleep ten"],
		"a boolean": ["sleep", true],
		"no list": {"sleep": 10},
	}
	not commands.intended_seconds(words)
}
