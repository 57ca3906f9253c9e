# METADATA
# title: Joins
# description: Which documents belong together, so that one may be meant when another names or selects it.
# schemas:
# - input: schema.input
package gracegate.lib.joins

import data.gracegate.lib.values

# METADATA
# title: Namespace by document
# description: |
#   An array. As the kustomization sets it that renders the document, else as the document does; empty if nothing here
#   says it, because whatever applies the document decides then.
namespace := [document.namespace | some document in input.documents]

# METADATA
# title: Search scopes by document
# description: |
#   An array of sets: the scopes in which a document looks for those that join it, which have one of them in their
#   `index_scopes`: documents with the same root or that name the same namespace, unless both are in a namespace and
#   not the same one. A namespace that a kustomization sets is none to meet in from afar: another root may set it for
#   another cluster. Files of one directory have the same root, so neither file nor directory is a scope of its own.
#   Nobody has to compare the namespaces of everything in a root: the copies of one application in a thousand
#   namespaces would be a million comparisons.
search_scopes := [_search_scopes(i, namespace[i]) | some i, _ in input.documents]

# METADATA
# title: Index scopes by document
# description: An array of sets, the scopes in which a document is found by those that it joins.
index_scopes := [index_scopes_in(i, namespace[i]) | some i, _ in input.documents]

# METADATA
# scope: document
# title: Index scopes in a namespace
# description: Of something in the document whose namespace may be another one than the document's.
index_scopes_in(i, "") := {scope |
	some root in _roots[i]
	some scope in [["root", root], ["root", root, "any namespace"]]
}

index_scopes_in(i, own) := scopes | _far_scopes(i, own) if {
	own != ""
	scopes := {scope | some root in _roots[i]; some scope in [["root", root], ["root", root, own]]}
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
# title: Places of a document
# description: |
#   From the nearest to the widest: its file, its directory, everywhere. Of several that join a document, those at its
#   nearest place are meant: a repository may hold the same app many times, for as many clusters.
places(i) := [
	["file", input.documents[i].path],
	["directory", input.documents[i].directory],
	["everywhere"],
]

# METADATA
# title: Representatives of documents with the same key
# description: |
#   From an object of keys by document, the lowest document with the same key, by document. What follows from the key
#   alone is found once for each representative: where one application stands N times, and all its Services select all
#   its pods, nobody has to look at the N x N pairs.
representatives(keys) := {i: lowest |
	some members in values.groups([[key, i] | some i, key in keys])
	lowest := min(members)
	some i in members
}

_search_scopes(i, "") := {["root", root] | some root in _roots[i]}

_search_scopes(i, own) := scopes | _far_scopes(i, own) if {
	own != ""
	scopes := {["root", root, inside] | some root in _roots[i]; some inside in [own, "any namespace"]}
}

_far_scopes(i, own) := set() if {
	own == namespace[i]
	_is_moved[i]
} else := {["namespace", own]}

_roots := [{document.root, document.rendered_root} | some document in input.documents]

# The documents that a kustomization puts into another namespace than they name.
_is_moved := {i: true |
	some i, document in input.documents
	document.namespace != document.declared_namespace
}

_unread_roots := {file.root | some file in input.unread}
