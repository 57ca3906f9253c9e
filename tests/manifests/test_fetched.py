"""Kustomizations that name commits of other repositories: what these are for a root once they have been fetched."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gracegate.manifests import read_components, unread_sources
from gracegate.manifests.components import Components
from gracegate.model import Limits, PinnedSource, Problem, RenderSources, Root, SourceFile, SourceLine, Tree

OLD, NEW = "0123456789abcdef0123456789abcdef01234567", "1123456789abcdef0123456789abcdef01234567"
WEB, LIB = PinnedSource("https://github.com/o/web.git", OLD), PinnedSource("https://github.com/o/lib.git", NEW)
SOURCES = RenderSources(("github.com/o/*",))
ROOT = Root("kustomize", "prod")
FOLDER = f".git/github.com/o/web@{OLD}"
LIB_FOLDER = f".git/github.com/o/lib@{NEW}"
PROD = {"prod/kustomization.yaml": f"resources:\n- https://github.com/o/web//deploy?ref={OLD}\n"}
OF_WEB = {
    "deploy/kustomization.yaml": f"resources: [web.yaml, ../more, 'https://github.com/o/lib?ref={NEW}']\n"
    "configMapGenerator: [{name: a, files: [a.conf]}]\n",
    "deploy/web.yaml": "kind: Deployment\n",
    "more/kustomization.yaml": "resources: [more.yaml]\n",
    "more/more.yaml": "kind: Service\n",
    "other/kustomization.yaml": "namePrefix: a-\n",
}
OF_LIB = {"kustomization.yaml": "resources: [lib.yaml]\n", "lib.yaml": "kind: Deployment\n"}


def tree(texts: Mapping[str, str], others: frozenset[str] = frozenset()) -> Tree:
    return Tree({path: SourceFile(path, text.encode()) for path, text in texts.items()}, others=others)


def components(texts: Mapping[str, str], fetched: Mapping[PinnedSource, Tree]) -> Components:
    return read_components(Tree(tree(texts).files, fetched=fetched), Limits())


NOTHING_HERE = Tree({}, (Problem("", 0, "not_fetched", "not fetched: gone"),))
WITH_CONF = tree(OF_WEB, frozenset({"deploy/a.conf", "deploy/b.conf"}))


@pytest.mark.parametrize(
    ("fetched", "sources", "changed", "wanted"),
    [
        ({}, RenderSources(), None, {}),
        ({}, RenderSources(("github.com/p/*",)), None, {}),
        ({}, SOURCES, {"web.yaml"}, {}),
        ({}, SOURCES, {"prod/kustomization.yaml"}, {WEB: frozenset()}),
        ({WEB: NOTHING_HERE}, SOURCES, None, {}),
        ({WEB: tree(OF_WEB)}, SOURCES, None, {LIB: frozenset()}),
        ({WEB: WITH_CONF, LIB: tree(OF_LIB)}, SOURCES, None, {WEB: frozenset({"deploy/a.conf"})}),
        ({WEB: WITH_CONF, LIB: tree(OF_LIB)}, RenderSources(), None, {}),
    ],
)
def test_what_is_asked_for(
    fetched: Mapping[PinnedSource, Tree],
    sources: RenderSources,
    changed: set[str] | None,
    wanted: dict[PinnedSource, frozenset[str]],
) -> None:
    assert unread_sources(components(PROD, fetched), changed, sources) == wanted


def test_a_commit_that_is_not_pinned_is_not_asked_for() -> None:
    texts = {"prod/kustomization.yaml": "resources:\n- https://github.com/o/web//deploy?ref=main\n"}
    assert unread_sources(components(texts, {}), None, SOURCES) == {}


def test_what_was_fetched_belongs_to_the_root_that_names_it() -> None:
    found = components(PROD, {WEB: tree(OF_WEB), LIB: tree(OF_LIB)})
    assert found.roots == (ROOT,)
    assert (found.missing_parts(ROOT), found.is_plain(ROOT), found.may_hold_objects(ROOT)) == (frozenset(), False, True)
    of_web = {f"{FOLDER}/{path}" for path in ("deploy/a.conf", *OF_WEB) if path != "other/kustomization.yaml"}
    assert found.files_of(ROOT) == {*PROD, *of_web, *(f"{LIB_FOLDER}/{path}" for path in OF_LIB)}
    assert found.render_request(ROOT).replaced == {
        "prod/kustomization.yaml": f'{{\n "resources": [\n  "../{FOLDER}/deploy"\n ]\n}}',
        f"{FOLDER}/deploy/kustomization.yaml": '{\n "resources": [\n  "web.yaml",\n  "../more",\n'
        f'  "../../lib@{NEW}"\n ],\n "configMapGenerator": [\n  {{\n   "name": "a",\n   "files": [\n    "a.conf"\n   ]'
        "\n  }\n ]\n}",
        f"{FOLDER}/deploy/a.conf": "",
    }


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("prod/kustomization.yaml", None),
        (f"{FOLDER}/other/kustomization.yaml", None),
        (f"{FOLDER}/deploy/web.yaml", 2),
        (f"{LIB_FOLDER}/lib.yaml", 2),
    ],
)
def test_the_line_that_names_a_file(path: str, line: int | None) -> None:
    found = components(PROD, {WEB: tree(OF_WEB), LIB: tree(OF_LIB)})
    assert found.line_that_names(ROOT, path) == (None if line is None else SourceLine("prod/kustomization.yaml", line))


def test_what_was_not_fetched_is_missing_for_a_reason() -> None:
    found = components(PROD, {WEB: NOTHING_HERE})
    (part,) = found.missing_parts(ROOT)
    assert found.why_not_fetched(part.pinned) == "not fetched: gone"
    assert components(PROD, {}).why_not_fetched(part.pinned) == ""


def test_a_directory_of_all_files_has_none_of_another_repository() -> None:
    application = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: all}\nspec:\n"
        "  source:\n    repoURL: https://github.com/o/r\n    path: .\n"
        "    directory: {recurse: true, exclude: '{prod/*,app.yaml}'}\n"
    )
    texts = {**PROD, "app.yaml": application, "web.yaml": "kind: Deployment\n"}
    found = components(texts, {WEB: tree(OF_WEB)})
    (root,) = (one for one in found.roots if one.applied_by)
    assert found.files_of(root) == {"app.yaml", "web.yaml", "kustomization.yaml"}
