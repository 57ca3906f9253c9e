package gracegate.rules.demo["odd-verb"]

violation contains {"at": {"document": 0, "path": []}, "message": sprintf("%05d", [1])}
