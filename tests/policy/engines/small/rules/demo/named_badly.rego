package gracegate.rules.demo["named-badly"]

violation contains {"at": {"document": i, "path": ["metadata", "name"]}, "message": message} if {
	some i, document in input.documents
	document.subject
	message := concat("", [document.object.metadata.name, " is no name for ", document.object.kind])
}
