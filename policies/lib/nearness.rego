# METADATA
# title: Nearness
# description: Which of several documents are meant, where a name or selector fits more than one.
# schemas:
# - input: schema.input
package gracegate.lib.nearness

# METADATA
# title: The nearest of several documents
# description: |
#   Those in the same file, else those in the same directory, else all. A repository may hold the same app many times,
#   for as many clusters.
nearest(i, found) := same if {
	same := {other | some other in found; input.documents[other].path == input.documents[i].path}
	count(same) > 0
} else := same if {
	same := {other | some other in found; input.documents[other].directory == input.documents[i].directory}
	count(same) > 0
} else := found
