package gracegate.rules.demo.endless

violation contains {"at": {"document": 0, "path": []}, "message": "found"} if {
	some a in numbers.range(1, 20000)
	some b in numbers.range(1, 20000)
	a * b == 0
}
