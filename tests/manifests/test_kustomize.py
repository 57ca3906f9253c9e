"""What one kustomization names."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.manifests.kustomize import ChartReference, Kustomization, Reference, join, line_of, read_kustomization
from gracegate.manifests.remote import read_reference
from gracegate.model import Limits, SourceFile

PATH = "apps/web/kustomization.yaml"


def read(text: str | bytes) -> Kustomization | None:
    return read_kustomization(SourceFile(PATH, text.encode() if isinstance(text, str) else text), Limits())


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "resources:\n", "resources: {a: b}\n", "patches: [a, 1, {patch: x}]\n"]
)
def test_nothing_is_named(text: str) -> None:
    kustomization = read(text)
    assert kustomization is not None
    assert (kustomization.references, kustomization.charts) == ((), ())


@pytest.mark.parametrize(
    "text", ["resources: [", "- a\n", "web", "resources: [{{ .Values.x }}]\n", b"\xff", "a: " + "[" * 200 + "]" * 200]
)
def test_what_is_no_kustomization(text: str | bytes) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("resources: [web.yaml, ../base, '']", [("resources", "apps/web/web.yaml"), ("resources", "apps/base")]),
        ("bases: [.., ../..]", [("bases", "apps"), ("bases", "")]),
        ("components: [./a/]", [("components", "apps/web/a")]),
        ("resources: [../../../other]", [("resources", None)]),
        ("resources: [/etc/passwd]", [("resources", None)]),
        (
            "patchesStrategicMerge: [a.yaml, 'kind: Deployment\n\nspec: {}', '{kind: Pod}']",
            [("patchesStrategicMerge", "apps/web/a.yaml")],
        ),
        ("patches: [{path: p.yaml}, {patch: '- op: remove'}]", [("patches", "apps/web/p.yaml")]),
        ("patchesJson6902: [{path: p.json, target: {kind: Pod}}]", [("patchesJson6902", "apps/web/p.json")]),
        (
            "configMapGenerator: [{name: a, files: [a.conf, b=c/d.conf], envs: [x.env], env: y.env, literals: [k=v]}]",
            [
                ("configMapGenerator", "apps/web/y.env"),
                ("configMapGenerator", "apps/web/x.env"),
                ("configMapGenerator", "apps/web/a.conf"),
                ("configMapGenerator", "apps/web/c/d.conf"),
            ],
        ),
        ("secretGenerator: [{files: [s.txt]}]", [("secretGenerator", "apps/web/s.txt")]),
        ("openapi: {path: schema.json}", [("openapi", "apps/web/schema.json")]),
        ("replacements: [{path: r.yaml}, {source: {kind: Pod}}]", [("replacements", "apps/web/r.yaml")]),
        (
            "helmCharts: [{name: a, valuesFile: v.yaml, additionalValuesFiles: [w.yaml]}]",
            [("helmCharts", "apps/web/v.yaml"), ("helmCharts", "apps/web/w.yaml")],
        ),
        ("---\nresources: [a.yaml]\n---\nresources: [b.yaml]\n", [("resources", "apps/web/a.yaml")]),
        ("base: &base [a.yaml]\nresources: *base\n", [("resources", "apps/web/a.yaml")]),
    ],
)
def test_what_is_named(text: str, named: list[tuple[str, str | None]]) -> None:
    kustomization = read(text)
    assert kustomization is not None
    assert [(reference.key, reference.path) for reference in kustomization.references] == named


def test_what_is_elsewhere() -> None:
    address = "https://github.com/o/r//base?ref=v1"
    kustomization = read(f"resources: ['{address}']\n")
    assert kustomization is not None
    assert kustomization.references == (Reference(("resources", 0), address, None, read_reference(address)),)


@pytest.mark.parametrize(
    ("text", "chart"),
    [
        (
            "helmCharts: [{name: web, version: 1.2.3, repo: 'https://charts.example'}]",
            ChartReference("web", "1.2.3", "https://charts.example", "apps/web/charts/web-1.2.3/web"),
        ),
        (
            "helmGlobals: {chartHome: ../../charts}\nhelmCharts: [{name: web}]",
            ChartReference("web", "", "", "charts/web"),
        ),
        (
            "helmChartInflationGenerator: [{chartName: web, chartHome: ../.., chartVersion: '2', chartRepoUrl: r}]",
            ChartReference("web", "2", "r", "web-2/web"),
        ),
    ],
)
def test_charts(text: str, chart: ChartReference) -> None:
    kustomization = read(text)
    assert kustomization is not None
    assert kustomization.charts == (chart,)


@pytest.mark.parametrize(
    ("text", "namespace", "is_component"),
    [
        ("", "", False),
        ("namespace: shop\n", "shop", False),
        ("namespace: [a]\n", "", False),
        ("kind: Component\n", "", True),
        ("kind: Kustomization\nnamespace: null\n", "", False),
    ],
)
def test_what_it_is(text: str, namespace: str, is_component: bool) -> None:
    kustomization = read(text)
    assert kustomization is not None
    assert (kustomization.namespace, kustomization.is_component) == (namespace, is_component)


def test_the_line_of_what_it_names() -> None:
    text = "# first\n---\nresources:\n- a.yaml\n- b.yaml\npatches:\n- target: {kind: Pod}\n  path: p.yaml\n"
    source = SourceFile(PATH, text.encode())
    kustomization = read(text)
    assert kustomization is not None
    lines = {reference.name: line_of(source, reference.pointer, Limits()) for reference in kustomization.references}
    assert lines == {"a.yaml": 4, "b.yaml": 5, "p.yaml": 8}


STEPS = st.lists(st.sampled_from(["a", "b", "..", ".", ""]), max_size=8).map("/".join)


@given(STEPS, STEPS)
def test_a_path_stays_in_the_tree(folder: str, path: str) -> None:
    start = join("", folder)
    end = None if start is None else join(start, path)
    assert end is None or (not end.startswith("/") and not {".", ".."} & set(end.split("/")))
    if start is not None and end is not None:
        assert join(end, ".") == end


KEYS = st.sampled_from(
    ["resources", "patches", "helmCharts", "configMapGenerator", "openapi", "helmGlobals", "namespace"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["a.yaml", "..", "k: v", "https://x/y", "a=b", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["path", "files", "env", "name", "valuesFile", "chartHome", "patch"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES))
def test_any_content_is_read(content: dict[str, object]) -> None:
    kustomization = read(json.dumps(content))
    assert kustomization is not None
    assert kustomization.content == content
    for reference in kustomization.references:
        assert reference.path is None or not reference.path.startswith(("/", "../"))
