package gracegate.lib.joins_test

import data.gracegate.lib.joins
import data.gracegate.testing

service(namespace, path) := testing.document(
	object.union(testing.service, {"metadata": {"namespace": namespace}}),
	path,
)

test_namespace if {
	found := joins.namespace with input as testing.batch_of([
		testing.document(testing.service, "apps/a.yaml"),
		service("shop", "apps/b.yaml"),
		service(1, "apps/c.yaml"),
	])
	found == ["", "shop", ""]
}

test_scopes if {
	found := joins.scopes with input as testing.batch_of([
		testing.document(testing.service, "apps/a.yaml"),
		service("shop", "far/b.yaml"),
	])
	found == [{["root", "apps"]}, {["root", "far"], ["namespace", "shop"]}]
}

# Search and index scopes meet where scopes meet and namespaces agree.
test_search_and_index_scopes[note] if {
	some note, case in {
		"same root": [testing.document(testing.web, "apps/a.yaml"), service("shop", "apps/b.yaml"), true],
		"same root without namespaces": [
			testing.document(testing.web, "apps/a.yaml"),
			testing.document(testing.service, "apps/b.yaml"),
			true,
		],
		"same namespace": [service("shop", "apps/a.yaml"), service("shop", "far/b.yaml"), true],
		"another root": [testing.document(testing.web, "apps/a.yaml"), service("shop", "far/b.yaml"), false],
		"another namespace": [service("bank", "apps/a.yaml"), service("shop", "apps/b.yaml"), false],
		"namespace in the same root only": [service("bank", "apps/a.yaml"), testing.document({}, "apps/b.yaml"), true],
	}
	search := joins.search_scopes[0] with input as testing.batch_of([case[0], case[1]])
	index := joins.index_scopes[1] with input as testing.batch_of([case[0], case[1]])
	count(search & index) > 0 == case[2]
}

test_namespaces_agree if {
	{["", ""], ["", "a"], ["a", ""], ["a", "a"]} == {[first, second] |
		some first in ["", "a"]
		some second in ["", "a", "b"]
		second != "b"
		joins.namespaces_agree(first, second)
	}
	not joins.namespaces_agree("a", "b")
}

test_near_unread_files if {
	documents := [testing.document(testing.web, "apps/a.yaml"), testing.document(testing.web, "far/b.yaml")]
	found := joins.near_unread_files with input as testing.with_unread_file(testing.batch_of(documents))
	found == {0}
}

nearest(paths) := found if {
	documents := [testing.document({}, path) | some path in array.concat(["a/x.yaml"], paths)]
	found := joins.nearest(0, numbers.range(1, count(paths))) with input as testing.batch_of(documents)
}

test_nearest[note] if {
	some note, case in {
		"same file": [["b/x.yaml", "a/y.yaml", "a/x.yaml"], {3}],
		"same directory": [["b/x.yaml", "a/y.yaml", "a/z.yaml"], {2, 3}],
		"elsewhere": [["b/x.yaml", "c/x.yaml"], {1, 2}],
	}
	{i | some i in nearest(case[0])} == case[1]
}
