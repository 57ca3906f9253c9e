# METADATA
# title: Patches
# description: The steps of a fix.
package gracegate.lib.patches

# METADATA
# title: Step that gives a key its value
# description: The path's last segment is the key; `keys` are those that its parent has.
put(keys, path, value) := {"op": "replace", "path": path, "value": value} if {
	path[count(path) - 1] in keys
} else := {"op": "add", "path": path, "value": value}

# METADATA
# title: Step with its reason
# description: |
#   Why the fix changes this too, for a field that the violation's message does not name: the end of a sentence that
#   names it.
because(step, reason) := object.union(step, {"reason": reason})
