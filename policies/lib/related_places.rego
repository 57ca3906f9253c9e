# METADATA
# title: Related places
# description: What a violation is about besides the place where it is.
package gracegate.lib.related_places

# METADATA
# title: Related objects
# description: The places of documents, at most three.
objects(documents) := [{"document": d, "path": []} | some d in array.slice(sort(documents), 0, 3)]
