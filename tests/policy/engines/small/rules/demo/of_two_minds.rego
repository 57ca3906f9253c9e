package gracegate.rules.demo["of-two-minds"]

# Two documents with different names make this a conflict.
_name := document.object.metadata.name if some document in input.documents

violation contains {"at": {"document": 0, "path": []}, "message": _name}
