"""Collecting the documents of a tree."""

from __future__ import annotations

from gracegate.manifests import ReadCache, UnreadFile, collect_documents
from gracegate.model import Problem, SourceFile, Tree

SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n"


def tree(files: dict[str, str], *problems: Problem) -> Tree:
    return Tree({path: SourceFile(path, text.encode(), str(hash(text))) for path, text in files.items()}, problems)


def test_an_empty_tree_has_nothing() -> None:
    collection = collect_documents(tree({}))
    assert (collection.manifests, collection.documents, collection.problems, collection.unread_files) == (
        {},
        (),
        (),
        (),
    )


def test_documents_come_in_the_order_of_paths() -> None:
    files = {
        "b/svc.yaml": SERVICE,
        "a/svc.yaml": f"{SERVICE}---\n{SERVICE}",
        "a/values.yaml": "x: 1\n",
        "a/notes.txt": "x",
    }
    collection = collect_documents(tree(files))
    assert [(d.path, d.number, d.component) for d in collection.documents] == [
        ("a/svc.yaml", 0, "a"),
        ("a/svc.yaml", 1, "a"),
        ("b/svc.yaml", 0, "b"),
    ]
    assert sorted(collection.manifests) == ["a/svc.yaml", "a/values.yaml", "b/svc.yaml"]


def test_unreadable_files_that_may_contain_a_service_are_listed() -> None:
    link = Problem("apps/link.yaml", 0, "not_followed", "a symbolic link")
    odd = Problem("apps/data.json", 0, "not_followed", "too far", is_manifest=False)
    collection = collect_documents(
        tree(
            {
                "apps/kustomization.yaml": "resources: []\n",
                "apps/t/svc.yaml": "kind: Service\nspec: {{ .x }}\n",
                "apps/t/job.yaml": "kind: Job\nspec: {{ .x }}\n",
                "ci.yaml": "a: b: c\n",
            },
            link,
            odd,
        )
    )
    assert collection.unread_files == (
        UnreadFile("apps/link.yaml", "apps", "apps"),
        UnreadFile("apps/t/svc.yaml", "apps/t", "apps"),
    )
    assert [(p.file, p.line, p.code, p.is_manifest) for p in collection.problems] == [
        ("apps/link.yaml", 0, "not_followed", True),
        ("apps/data.json", 0, "not_followed", False),
        ("apps/t/job.yaml", 2, "template", False),
        ("apps/t/svc.yaml", 2, "template", False),
    ]


def test_base_and_head_share_files_with_the_same_blob() -> None:
    cache = ReadCache()
    base = collect_documents(tree({"a.yaml": SERVICE, "b.yaml": SERVICE}), cache)
    head = collect_documents(tree({"a.yaml": SERVICE, "b.yaml": f"{SERVICE}spec: {{}}\n"}), cache)
    assert head.manifests["a.yaml"] is base.manifests["a.yaml"]
    assert head.manifests["b.yaml"] is not base.manifests["b.yaml"]


def test_a_file_without_a_blob_id_is_read_each_time() -> None:
    cache = ReadCache()
    first, second = (Tree({"a.yaml": SourceFile("a.yaml", text.encode())}) for text in (SERVICE, "x: 1\n"))
    assert [len(collect_documents(each, cache).documents) for each in (first, second)] == [1, 0]
