package gracegate.rules.demo.formatted

violation contains {"at": {"document": i, "path": []}, "message": sprintf(document.object.template, document.object.values)} if {
	some i, document in input.documents
}
