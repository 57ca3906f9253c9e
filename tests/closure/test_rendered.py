"""What holds for manifests as they are holds for what roots render to: the findings, and the fixes in the sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from gracegate.check import fix_all
from gracegate.check.matches import Match
from gracegate.check.trees import compare_trees
from gracegate.manifests import render_nothing
from gracegate.model import Document, Render
from gracegate.rendering import WasmRenderer
from tests.apiserver.server import errors
from tests.closure.corpora import CATALOG, Files, request
from tests.demo.layers import layer

ROOT = Path(__file__).resolve().parents[2]
OVERLAY = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "prod/kustomization.yaml": "resources: [../base]\ncommonAnnotations: {team: shop}\n",
}
CHART = {"chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"}
MINORS = (30, 37)


def overlay_of(manifest: str) -> Files:
    return {**OVERLAY, "base/web.yaml": manifest}


def chart_of(manifest: str) -> Files:
    return {**CHART, "chart/templates/web.yaml": manifest.replace("{{", "{{ `{{` }}")}


def found(files: Files, render: Render, base: Files | None = None) -> list[Match]:
    return list(compare_trees(request(files, base=base), render).head.matches)


def said(matches: Iterable[Match]) -> Counter[tuple[str, str, str]]:
    return Counter((m.violation.rule, m.violation.level, m.violation.message) for m in matches)


def fixed(files: Files, render: Render, base: Files | None = None) -> dict[str, str]:
    done = fix_all(request(files, base=base), render).files
    return {**files, **{path: new for path, (_, new) in done.items()}}


def api_errors(files: Files, render: Render, minor: int) -> Counter[tuple[object, str]]:
    """What an API server refuses of what the roots render to."""
    documents: tuple[Document, ...] = compare_trees(request(files), render).head.collection.documents
    return Counter((d.key, error) for d in documents if d.rendered is not None for error in errors(d.object, minor))


each_rule = pytest.mark.parametrize("rule", [pytest.param(name, id=name) for name in CATALOG.rules])


@each_rule
def test_an_example_in_an_overlay_is_found_and_fixed_as_it_is(rule: str, renderer: WasmRenderer) -> None:
    manifest, before = CATALOG.rules[rule].example, CATALOG.rules[rule].before
    alone, files = {"base/web.yaml": manifest}, overlay_of(manifest)
    base_alone, base = (None, None) if before is None else ({"base/web.yaml": before}, overlay_of(before))
    assert said(found(files, renderer.render, base)) == said(found(alone, render_nothing, base_alone))
    assert fixed(files, renderer.render, base) == {**files, **fixed(alone, render_nothing, base_alone)}


@each_rule
def test_an_example_in_a_chart_is_found_as_it_is(rule: str, renderer: WasmRenderer) -> None:
    manifest, before = CATALOG.rules[rule].example, CATALOG.rules[rule].before
    base_alone, base = (None, None) if before is None else ({"web.yaml": before}, chart_of(before))
    rendered = found(chart_of(manifest), renderer.render, base)
    assert said(rendered) == said(found({"web.yaml": manifest}, render_nothing, base_alone))


def own_manifests() -> Files:
    folder = ROOT / "deploy" / "kubernetes"
    return {f"deploy/{path.name}": path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}


CHANGED = layer("base", "change", of="platform")
MISTAKES = {"charts/search/values.yaml", "storefront/prod/storefront.yaml"}
"""The files in which the platform's change has mistakes."""
TREES = {
    "nothing": {},
    "the platform": layer("base", of="platform"),
    "the platform, changed": CHANGED,
    "our own": own_manifests(),
}
each_tree = pytest.mark.parametrize("files", TREES.values(), ids=TREES.keys())


@each_tree
def test_a_second_run_changes_nothing(files: Files, renderer: WasmRenderer) -> None:
    after = fixed(files, renderer.render)
    assert fixed(after, renderer.render) == after
    assert {path for path in files if after[path] != files[path]} == (MISTAKES if files is CHANGED else set())
    new = said(found(after, renderer.render)) - said(found(files, renderer.render))
    assert [message for _, level, message in new if level != "info"] == []


@each_tree
def test_an_api_server_takes_what_is_rendered_of_fixed_sources(files: Files, renderer: WasmRenderer) -> None:
    after = fixed(files, renderer.render)
    for minor in MINORS:
        assert api_errors(after, renderer.render, minor) - api_errors(files, renderer.render, minor) == Counter()
