package gracegate.lib.programs_test

import data.gracegate.lib.programs
import data.gracegate.testing

web(image, command) := testing.set(
	testing.with_container(["lifecycle", "preStop"], {"exec": {"command": command}}),
	testing.inside(["image"]),
	image,
)

test_lacking[note] if {
	some note, case in {
		"surely": ["scratch", ["/bin/sh", "-c", "x"], [["sh", "surely"]]],
		"likely": ["x:alpine", ["bash", "-c", "x"], [["bash", "likely"]]],
		"of a folder": ["scratch", ["/usr/local/bin/bash", "-c", "x"], [["bash", "surely"]]],
		"of the app": ["scratch", ["/busybox/sh", "-c", "x"], []],
		"not": ["x:1", ["bash", "-c", "x"], []],
		"with another flaw": ["scratch", ["sleep 5"], []],
	}
	found := programs.lacking[0] with input as testing.batch([web(case[0], case[1])])
	[[lack.program, lack.certainty] | some lack in found] == case[2]
}
