package gracegate.rules.demo["named-badly"]

violation contains {"at": {"document": i, "path": ["metadata", "name"]}, "message": message} if {
	some i, document in input.documents
	document.subject
	message := sprintf("%q is no name for %s (%d, %v%%)", [
		document.object.metadata.name,
		document.object.kind,
		i,
		object.get(document.object, "spec", null),
	])
}
