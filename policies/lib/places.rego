# METADATA
# title: Places
# description: Which documents stand near each other, so that one may be meant where another names or selects it.
# schemas:
# - input: schema.input
package gracegate.lib.places

import data.gracegate.lib.values

# METADATA
# title: Namespace by document
# description: What the document itself says; empty where it says nothing, as what applies it decides then.
namespace := [values.text(object.get(document.object, ["metadata", "namespace"], "")) |
	some document in input.documents
]

# METADATA
# title: Scopes by document
# description: |
#   Two documents that share a scope, and whose namespaces agree, are meant for each other. Files of one directory
#   have the same root, so neither file nor directory is a scope of its own.
scopes := [scopes_of |
	some i, document in input.documents
	scopes_of := {["root", document.root]} | {["namespace", namespace[i]] | namespace[i] != ""}
]

# METADATA
# title: Where a document looks for those that join it, by document
# description: |
#   What stands under one of these in `offered` agrees with it, so that nobody has to compare the namespaces of all
#   that a root holds: the copies of one application in a thousand namespaces would be a million comparisons.
sought := [_sought(document.root, namespace[i]) | some i, document in input.documents]

_sought(root, "") := {["root", root]}

_sought(root, own) := {["root", root, "any namespace"], ["namespace", own]} if own != ""

# METADATA
# title: Where a document is found by those that it joins, by document
offered := [_offered(document.root, namespace[i]) | some i, document in input.documents]

_offered(root, "") := {["root", root], ["root", root, "any namespace"]}

_offered(root, own) := {["root", root], ["namespace", own]} if own != ""

# METADATA
# scope: document
# title: Do two namespaces agree?
# description: Where one is not said, both may be the same.
agree("", _)

agree(first, "") if first != ""

agree(first, second) if {
	first != ""
	first == second
}

# METADATA
# title: Documents under a root that holds unread files
# description: An unread file may hold a Service, an Ingress or an autoscaler for them.
doubtful contains i if {
	some i, document in input.documents
	_unread_roots[document.root]
}

_unread_roots := {file.root | some file in input.unread}
