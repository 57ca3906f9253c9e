"""Which files belong to a chart, which charts are installed by themselves, and what they need."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.manifests.helm import Charts, read_charts
from gracegate.model import Limits, SourceFile

SHOP = {
    "charts/web/Chart.yaml": "name: web\ndependencies:\n"
    "- {name: common, version: 1.x.x, repository: 'file://../common'}\n"
    "- {name: cache, version: 2.0.0, repository: 'https://charts.example'}\n"
    "- {name: db, version: 3.0.0, repository: 'oci://registry.example/charts'}\n",
    "charts/web/templates/web.yaml": "",
    "charts/web/charts/db/Chart.yaml": "name: db\n",
    "charts/web/charts/db/templates/db.yaml": "",
    "charts/common/Chart.yaml": "name: common\ntype: library\n",
    "charts/common/templates/_web.tpl": "",
    "charts/old/Chart.yaml": "apiVersion: v1\n",
    "charts/old/requirements.yaml": "dependencies: [{name: queue, version: '1', repository: 'https://charts.example'}]\n",
}


def charts(texts: Mapping[str, str]) -> Charts:
    return read_charts({path: SourceFile(path, text.encode()) for path, text in texts.items()}, Limits())


@pytest.mark.parametrize(
    ("texts", "roots"),
    [
        ({}, ()),
        ({"values.yaml": "a: 1\n"}, ()),
        ({"a/Chart.yaml": "type: library\n"}, ()),
        (SHOP, ("charts/old", "charts/web")),
        ({"Chart.yaml": "", "charts/db/Chart.yaml": ""}, ("",)),
        ({"charts/db/Chart.yaml": "", "charts/db/x/charts/y/Chart.yaml": ""}, ("charts/db", "charts/db/x/charts/y")),
        ({"a/Chart.yaml": "name: [", "b/Chart.yaml": "- a\n"}, ("a", "b")),
    ],
)
def test_roots(texts: Mapping[str, str], roots: tuple[str, ...]) -> None:
    assert charts(texts).roots == roots


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("", False),
        ('{{ .Files.Get "config/a.yaml" }}{{ $.Files.Get (printf `tags/%s` .name) }}', False),
        ('{{ .Files.Get "a.txt" }}', False),
        ('{{ .Files.Get "values-prod.yaml" }}', True),
        ('{{ .Files.Get "%s.yaml" }}{{ .Files.Lines "a.txt" }}', True),
        ("{{ .Files.Get .name }}", True),
        ('{{ (.Files.Glob "config/*").AsConfig }}{{ range .Files.Lines .name }}{{ end }}', True),
        ("{{ with .Files }}{{ end }}", True),
    ],
)
@pytest.mark.parametrize("path", ["charts/web/templates/web.yaml", "charts/common/templates/_web.tpl"])
def test_charts_that_read_any_file(path: str, template: str, expected: bool) -> None:
    found = charts(SHOP | {path: template})
    assert (found.reads_any_file("charts/web"), found.reads_any_file("charts/old")) == (expected, False)


@pytest.mark.parametrize(
    ("path", "roots"),
    [
        ("README.md", set()),
        ("charts/web/README.md", set()),
        ("charts/web/ci/values.yaml", set()),
        ("charts/web/Chart.yaml", {"charts/web"}),
        ("charts/web/values-prod.yaml", {"charts/web"}),
        ("charts/web/templates/deep/web.yaml", {"charts/web"}),
        ("charts/web/charts/db/values.yaml", {"charts/web"}),
        ("charts/common/templates/_web.tpl", {"charts/web"}),
        ("charts/old/requirements.yaml", {"charts/old"}),
    ],
)
def test_the_roots_of_a_file(path: str, roots: set[str]) -> None:
    assert charts(SHOP).roots_of(path) == roots


@pytest.mark.parametrize(
    ("path", "is_template"),
    [
        ("templates/web.yaml", False),
        ("charts/web/values.yaml", False),
        ("charts/web/crds/templates/a.yaml", False),
        ("charts/web/templates/web.yaml", True),
        ("charts/web/charts/db/templates/db.yaml", True),
    ],
)
def test_templates(path: str, is_template: bool) -> None:
    assert charts(SHOP).is_template(path) == is_template


def test_a_chart_at_the_top() -> None:
    at_top = charts({"Chart.yaml": "", "templates/web.yaml": ""})
    assert (at_top.roots_of("templates/web.yaml"), at_top.is_template("templates/web.yaml")) == ({""}, True)


@pytest.mark.parametrize(
    ("root", "missing"),
    [
        ("charts/web", {("cache", "2.0.0", "https://charts.example")}),
        ("charts/old", {("queue", "1", "https://charts.example")}),
        ("charts/common", set()),
    ],
)
def test_charts_that_are_not_here(root: str, missing: set[tuple[str, str, str]]) -> None:
    assert {(chart.name, chart.version, chart.repository) for chart in charts(SHOP).missing(root)} == missing


def test_what_a_local_chart_needs() -> None:
    texts = {
        "a/Chart.yaml": "dependencies: [{name: b, repository: 'file://../b'}, {name: c, repository: 'file://../c'}]\n",
        "b/Chart.yaml": "dependencies: [{name: a, repository: 'file://../a'}, {name: d, repository: 'oci://x'}]\n",
        "e/Chart.yaml": "dependencies: [{name: archive}, 1]\n",
    }
    found = charts(texts)
    assert {chart.name for chart in found.missing("a")} == {"c", "d"}
    assert found.missing("e") == set()


def test_a_chart_beside_the_one_that_needs_it() -> None:
    texts = {
        "a/Chart.yaml": "dependencies: [{name: b, version: 2.x.x, repository: 'oci://x'}, {name: c, version: 3.x.x}]\n",
        "b/Chart.yaml": "version: 2.1.0\n",
        "b/templates/b.yaml": "",
        "c/Chart.yaml": "version: 2.1.0\n",
    }
    found = charts(texts)
    assert found.files_of("a") == {"a/Chart.yaml", "b/Chart.yaml", "b/templates/b.yaml"}
    assert found.roots_of("b/templates/b.yaml") == {"a", "b"}
    assert found.missing("a") == set()


NAMES = st.sampled_from(["a", "b", "charts", "templates", "Chart.yaml", "values.yaml", "c.tpl"])
PATHS = st.lists(NAMES, min_size=1, max_size=6).map("/".join)


@given(st.lists(PATHS))
def test_a_file_of_a_chart_reaches_only_roots(paths: list[str]) -> None:
    found = charts(dict.fromkeys(paths, ""))
    for path in paths:
        assert found.roots_of(path) <= set(found.roots)
        assert not found.is_template(path) or found.roots_of(path)
