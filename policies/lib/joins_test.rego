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

in_root(document, root, namespace) := object.union(document, {"rendered_root": root, "namespace": namespace})

# They meet in one root or namespace where namespaces agree.
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
		"same output": [
			in_root(testing.document(testing.web, "a/a.yaml"), "prod", ""),
			in_root(testing.document(testing.service, "b/b.yaml"), "prod", ""),
			true,
		],
		"same output and namespace": [
			in_root(testing.document(testing.web, "a/a.yaml"), "prod", "shop"),
			in_root(service("bank", "b/b.yaml"), "prod", "shop"),
			true,
		],
		"same output, another namespace": [
			in_root(testing.document(testing.web, "a/a.yaml"), "prod", "shop"),
			in_root(testing.document(testing.service, "b/b.yaml"), "prod", "bank"),
			false,
		],
		"beside it, in no output": [
			in_root(testing.document(testing.web, "a/a.yaml"), "prod", "shop"),
			testing.document(testing.service, "a/b.yaml"),
			true,
		],
		"same namespace in another output": [
			in_root(testing.document(testing.web, "a/a.yaml"), "eu", "shop"),
			in_root(testing.document(testing.service, "b/b.yaml"), "us", "shop"),
			false,
		],
		"a namespace that only one of them names": [
			in_root(testing.document(testing.web, "a/a.yaml"), "eu", "shop"),
			service("shop", "b/b.yaml"),
			false,
		],
		"namespace in the same root only": [service("bank", "apps/a.yaml"), testing.document({}, "apps/b.yaml"), true],
	}
	search := joins.search_scopes[0] with input as testing.batch_of([case[0], case[1]])
	index := joins.index_scopes[1] with input as testing.batch_of([case[0], case[1]])
	count(search & index) > 0 == case[2]
}

test_near_unread_files if {
	documents := [testing.document(testing.web, "apps/a.yaml"), testing.document(testing.web, "far/b.yaml")]
	found := joins.near_unread_files with input as testing.with_unread_file(testing.batch_of(documents))
	found == {0}
}

test_places if {
	found := joins.places(0) with input as testing.batch_of([testing.document({}, "apps/a.yaml")])
	found == [["file", "apps/a.yaml"], ["directory", "apps"], ["everywhere"]]
}

test_representatives if {
	joins.representatives({3: ["a", 1], 5: ["b", 1], 7: ["a", 1], 8: ["a", 2]}) == {3: 3, 5: 5, 7: 3, 8: 8}
	joins.representatives({}) == {}
}
