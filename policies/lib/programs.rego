# METADATA
# title: Programs
# description: The preStop hooks that call a program which their image does not have.
# schemas:
# - input: schema.input
package gracegate.lib.programs

import data.gracegate.lib.containers
import data.gracegate.lib.hooks
import data.gracegate.lib.images
import data.gracegate.lib.shells

# METADATA
# title: Hooks without their program, by document and path of the container
# description: |
#   With the `program` and whether the image lacks it "surely" or "likely". Not hooks with another flaw, and not those
#   that call a program of a folder of the app's own.
lacking := {i: found |
	some i, running in containers.running
	input.documents[i].subject
	found := {container.path: {"container": container, "program": program, "certainty": certainty} |
		some container in running
		hook := container.spec.lifecycle.preStop
		is_object(hook.exec)
		not hooks.flaw(hook)
		regex.match(`^((/usr)?(/local)?/s?bin/)?[^/]+$`, hook.exec.command[0])
		program := shells.program(hook.exec.command[0])
		is_string(container.spec.image)
		certainty := images.lacks(container.spec.image, program)
	}
}
