# METADATA
# title: Joins
# description: Which documents belong together, so that one may be meant when another names or selects it.
# schemas:
# - input: schema.input
package gracegate.lib.joins

import data.gracegate.lib.values

# METADATA
# title: Namespace by document
# description: An array. As the document sets it; empty if it sets none, because whatever applies it decides then.
namespace := [values.string(object.get(document.object, ["metadata", "namespace"], "")) |
	some document in input.documents
]

# METADATA
# title: Scopes by document
# description: |
#   An array of sets. Two documents that share a scope, and whose namespaces agree, belong together. Files of one
#   directory have the same root, so neither file nor directory is a scope of its own.
scopes := [scopes_of |
	some i, document in input.documents
	scopes_of := {["root", document.root]} | {["namespace", namespace[i]] | namespace[i] != ""}
]

# METADATA
# title: Search scopes by document
# description: |
#   An array of sets: the scopes in which a document looks for those that join it. A document with one of them in its
#   `index_scopes` has a namespace that agrees, so that nobody has to compare the namespaces of everything in a root:
#   the copies of one application in a thousand namespaces would be a million comparisons.
search_scopes := [_search_scopes(document.root, namespace[i]) | some i, document in input.documents]

# METADATA
# title: Index scopes by document
# description: An array of sets, the scopes in which a document is found by those that it joins.
index_scopes := [_index_scopes(document.root, namespace[i]) | some i, document in input.documents]

# METADATA
# scope: document
# title: Do two namespaces agree?
# description: If one of them is not set, both may be the same.
namespaces_agree("", _)

namespaces_agree(first, "") if first != ""

namespaces_agree(first, second) if {
	first != ""
	first == second
}

# METADATA
# title: Documents near unread files
# description: |
#   Documents under a root with files that could not be read: one may hold a Service, Ingress or autoscaler for them.
near_unread_files contains i if {
	some i, document in input.documents
	_unread_roots[document.root]
}

# METADATA
# title: Nearest of several documents
# description: |
#   Of the set of documents found, those in the same file as document i, else those in the same directory, else all. A
#   repository may hold the same app many times, for as many clusters.
nearest(i, found) := same if {
	same := {other | some other in found; input.documents[other].path == input.documents[i].path}
	count(same) > 0
} else := same if {
	same := {other | some other in found; input.documents[other].directory == input.documents[i].directory}
	count(same) > 0
} else := found

_search_scopes(root, "") := {["root", root]}

_search_scopes(root, own) := {["root", root, "any namespace"], ["namespace", own]} if own != ""

_index_scopes(root, "") := {["root", root], ["root", root, "any namespace"]}

_index_scopes(root, own) := {["root", root], ["namespace", own]} if own != ""

_unread_roots := {file.root | some file in input.unread}
