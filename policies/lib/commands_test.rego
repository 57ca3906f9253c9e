package gracegate.lib.commands_test

import data.gracegate.lib.commands

sh(script) := ["sh", "-c", script]

test_seconds[note] if {
	some note, case in {
		"sleep": [["sleep", "10"], 10],
		"of a folder": [["/usr/bin/sleep", "10s"], 10],
		"several": [["sleep", "1m", "30"], 90],
		"hours and days": [["sleep", "1h", "1d"], 90000],
		"a fraction": [["sleep", "0.2"], 1],
		"zeros before it": [["sleep", "010"], 10],
		"env": [["/usr/bin/env", "A=b", "sleep", "3"], 3],
		"nice": [["nice", "-n", "5", "sleep", "3"], 3],
		"a time-out that ends it": [["timeout", "-s", "KILL", "4", "sleep", "60"], 4],
		"a time-out that does not": [["timeout", "60", "sleep", "4"], 4],
		"quick programs": [["rm", "-f", "/tmp/ready"], 0],
		"a script": [sh("sleep 10"), 10],
		"a script with more": [["/bin/bash", "-euxc", "sleep 5; nginx -s quit && sleep 10m"], 605],
		"a script with a program that takes time": [sh("/app/drain; sleep 7"), 7],
		"redirections": [sh("nginx -s quit 2>&1 > /dev/null; sleep 7 </dev/null"), 7],
		"lines": [sh("# first\nsleep 5\n\n/app/stop || true &&\nsleep 5 # then\n"), 10],
		"quotes": [sh(`sleep "5"; echo 'a; sleep 9'`), 5],
		"variables of others": [sh(`echo "$HOSTNAME stops"; sleep 5`), 5],
		"a setting": [sh("TZ=UTC sleep 5"), 5],
		"exec": [sh("exec sleep 5"), 5],
		"never after exec": [sh("exec /app/stop; sleep 5"), null],
		"never after exit": [sh("exit 0; sleep 20"), 0],
		"never in the background": [sh("sleep 20 & true"), 0],
		"never after what succeeds": [sh("true || sleep 20"), 0],
		"not a word of echo": [sh("echo will sleep 20 seconds"), 0],
		"not a comment": [sh("true # sleep 20"), 0],
		"not with more words": [sh("sleep 20 nginx"), null],
		"if another fails": [sh("/app/stop || sleep 20"), null],
		"a pipe": [sh("sleep 10 | cat"), null],
		"another command": [["nginx-drain"], null],
		"no number": [["sleep", "ten"], null],
		"forever": [["sleep", "infinity"], null],
		"a variable": [["sleep", "${DRAIN}"], null],
		"a variable of the shell": [sh("sleep $N"), null],
		"a variable as the program": [sh("$STOP"), null],
		"an output that sleeps": [sh("echo $(sleep 5)"), null],
		"a wait": [sh("sleep 10 & wait"), null],
		"a loop": [sh("while busy; do sleep 1; done"), null],
		"a condition": [sh("if [ -f x ]; then sleep 10; fi"), null],
		"a test": [sh("[ -f x ] && sleep 10"), null],
		"a group": [sh("(sleep 10)"), null],
		"the end of a group": [sh("a b)"), null],
		"a function": [sh("f() { sleep 1; }; f"), null],
		"a file": [["sh", "/stop.sh", "sleep 10"], null],
		"-c without a script": [["sh", "-c"], null],
		"only settings": [sh("A=1"), 0],
		"no strings": [[1, 2], null],
		"no list": ["sleep 10", null],
		"nothing": [[], null],
	}
	[seconds | seconds := commands.seconds(case[0])] == [case[1] | case[1] != null]
}

test_is_sleep if {
	yes := [["sleep", "10"], ["env", "sleep", "10"], sh("exec sleep 10 ; ")]
	no := [sh("sleep 10; date"), ["date"], ["sleep", "ten"], sh("sleep 1 &"), sh("sleep 1 | cat"), ["sleep", "$X"], []]
	[words | some words in array.concat(yes, no); commands.is_sleep(words)] == yes
}

test_is_quick if {
	yes := [["touch", "/x"], sh("sleep 10; nginx -s quit; /bin/date")]
	no := [["/app/drain"], sh("sleep 10; /app/drain"), sh("while true; do sleep 1; done")]
	[words | some words in array.concat(yes, no); commands.is_quick(words)] == yes
}

test_early_stop[note] if {
	some note, case in {
		"nginx": [["/usr/sbin/nginx", "-s", "quit"], "nginx -s quit"],
		"kill": [sh("kill -TERM 1; sleep 15"), "kill -TERM 1"],
		"kill without a signal": [sh(`kill "$(cat /run/app.pid)" && sleep 5`), "kill $(cat /run/app.pid)"],
		"kill by a signal's name": [sh("pkill -s SIGQUIT app"), "pkill -s SIGQUIT app"],
		"pkill of a command line": [sh("pkill -f app; sleep 5"), "pkill -f app"],
		"after quick programs": [sh("date; echo stop\napachectl -k graceful-stop; sleep 5"), "apachectl -k graceful-stop"],
		"before a loop": [sh("nginx -s quit; while pgrep nginx; do sleep 1; done"), "nginx -s quit"],
		"a supervisor": [["supervisorctl", "stop", "all"], "supervisorctl stop all"],
		"a request": [sh("curl -X POST localhost:15020/quitquitquit"), "curl -X POST localhost:15020/quitquitquit"],
		"after the sleep": [sh("sleep 10; nginx -s quit"), ""],
		"in a condition": [sh("if true; then nginx -s quit; fi; sleep 5"), ""],
		"after a failure": [sh("/app/drain || kill 1"), ""],
		"after the end": [sh("exit 0; kill 1"), ""],
		"a reload": [["nginx", "-s", "reload"], ""],
		"a signal that does not stop": [["kill", "-HUP", "1"], ""],
		"signal 0": [["kill", "-0", "1"], ""],
		"a service that starts": [["service", "nginx", "start"], ""],
		"nothing": [[], ""],
	}
	[concat(" ", words) | words := commands.early_stop(case[0])] == [case[1] | case[1] != ""]
}

test_programs if {
	commands.programs(sh("a; /bin/b | env c")) == {"sh", "a", "b", "c"}
	commands.programs(["/bin/mongosh", "--eval", "1"]) == {"mongosh"}
}

test_defects[note] if {
	some note, case in {
		"command line": [["sleep 10"], `"['sleep 10']" is one program name; write "['sleep', '10']"`],
		"no option -c": [["sh", "sleep", "10"], `the shell reads its script from a file named "sleep"`],
		"split script": [["sh", "-c", "sleep", "10"], `the shell runs "sleep" without the words after it`],
		"duration": [["sleep", "ten"], `sleep does not accept "ten" as a duration`],
		"a command in place of a duration": [
			sh("sleep 20 /usr/sbin/nginx -s quit"),
			`sleep does not accept "20 /usr/sbin/nginx -s quit" as a duration`,
		],
		"in a loop": [sh("while true; do sleep 1x; done"), `sleep does not accept "1x" as a duration`],
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
