# METADATA
# title: Related places
# description: What a violation is about besides the place where it is.
package gracegate.lib.related_places

import data.gracegate.lib.values

# METADATA
# title: Related objects
# description: The places of documents, at most three.
objects(documents) := [{"document": d, "path": []} |
	some d in array.slice(values.sorted_documents({d | some d in documents}), 0, 3)
]
