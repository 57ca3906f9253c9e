package gracegate.rules.demo["odd-patch"]

violation contains {"at": {"document": 0, "path": []}, "message": json.patch({"a": "x"}, [{"op": "remove", "path": ["a"]}])}
