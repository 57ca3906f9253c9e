# METADATA
# title: Flaws
# description: What is wrong with a hook, at a `path` inside it; `why` goes on after "its preStop hook".
package gracegate.lib.flaws

# METADATA
# title: A flaw for which the API server refuses the object
refused(path, why) := {"path": path, "refused": true, "why": why}

# METADATA
# title: A flaw that shows when the hook is run
failing(path, why) := {"path": path, "refused": false, "why": why}
