package gracegate.main

report := {
	"digest": data.gracegate_release.digest,
	"rules": [id | some id in input.rules; data.gracegate.rules.demo[id].violation],
	"violations": {object.union(found, {"rule": id}) |
		some id in input.rules
		some found in data.gracegate.rules.demo[id].violation
	},
} if input.documents
