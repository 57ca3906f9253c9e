package gracegate.lib.selectors_test

import data.gracegate.lib.selectors

selects(selector, labels) if selectors.matches(selectors.requirements(selector), labels)

expressing(key, operator, values) := {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}

test_selected[note] if {
	some note, selector in {
		"labels": {"matchLabels": {"app": "web"}},
		"all": {},
		"nulls": {"matchLabels": null, "matchExpressions": null},
		"In": expressing("app", "In", ["api", "web"]),
		"NotIn": expressing("app", "NotIn", ["api"]),
		"NotIn of an absent key": expressing("tier", "NotIn", ["api"]),
		"Exists": expressing("app", "Exists", []),
		"DoesNotExist": {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]},
	}
	selects(selector, {"app": "web"})
}

test_not_selected[note] if {
	some note, selector in {
		"another label": {"matchLabels": {"app": "api"}},
		"one of two": {"matchLabels": {"app": "web", "tier": "front"}},
		"In": expressing("app", "In", ["api"]),
		"In of an absent key": expressing("tier", "In", ["api"]),
		"NotIn": expressing("app", "NotIn", ["api", "web"]),
		"Exists": expressing("tier", "Exists", []),
		"DoesNotExist": expressing("app", "DoesNotExist", []),
	}
	not selects(selector, {"app": "web"})
}

test_no_selector[note] if {
	some note, selector in {
		"null": null,
		"a string": "app=web",
		"labels that are a string": {"matchLabels": "app"},
		"a number for a value": {"matchLabels": {"app": 1}},
		"expressions that are an object": {"matchExpressions": {}},
		"another operator": expressing("app", "Gt", ["1"]),
		"In of nothing": expressing("app", "In", []),
		"Exists of something": expressing("app", "Exists", ["web"]),
		"a string for an expression": {"matchExpressions": ["app"]},
		"a number for a key": expressing(1, "Exists", []),
	}
	not selectors.requirements(selector)
}

test_index_pairs if {
	selectors.index_pairs(selectors.requirements({"matchLabels": {"app": "web"}})) == [["app", "web"]]
	selectors.index_pairs(selectors.requirements(expressing("app", "In", ["b", "a"]))) == [["app", "a"], ["app", "b"]]
	selectors.index_pairs(selectors.requirements(expressing("app", "Exists", []))) == []
}
