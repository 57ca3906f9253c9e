"""Which roots a tree has, what each reads, and what keeps one from being built."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.manifests.kustomize_roots import Kustomizations, Placement, read_kustomizations
from gracegate.model import AS_DECLARED, AppliedNamespace, Limits, Problem, SourceFile, Tree

SHOP = {
    "base/kustomization.yaml": "resources: [web.yaml, service.yaml]\nconfigMapGenerator: [{files: [web.conf]}]\n",
    "base/web.yaml": "",
    "base/service.yaml": "",
    "parts/drain/kustomization.yaml": "kind: Component\npatches: [{path: drain.yaml}]\n",
    "parts/drain/drain.yaml": "",
    "overlays/dev/kustomization.yml": "namespace: dev\nresources: [../../base]\n",
    "overlays/prod/Kustomization": "namespace: prod\nresources: [../../base]\ncomponents: [../../parts/drain]\n",
    "clusters/eu/kustomization.yaml": "resources: [../../overlays/prod, 'github.com/o/r?ref=v1']\n",
}


def kustomizations(texts: Mapping[str, str], *unread: str) -> Kustomizations:
    problems = tuple(Problem(path, 0, "not_followed", "a link") for path in unread)
    files = {path: SourceFile(path, text.encode()) for path, text in texts.items()}
    return read_kustomizations(Tree(files, problems), Limits())


@pytest.mark.parametrize(
    ("texts", "roots"),
    [
        ({}, ()),
        ({"web.yaml": "kind: Deployment\n"}, ()),
        ({"a/kustomization.yaml": "resources: [\n"}, ()),
        ({"a/kustomization.yaml": "kind: Component\n"}, ()),
        ({"kustomization.yaml": ""}, ("",)),
        (SHOP, ("clusters/eu", "overlays/dev")),
        ({"a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"}, ("a",)),
        ({"a/kustomization.yaml": "resources: [.]\n"}, ("a",)),
        # The first name counts, as for kustomize.
        (
            {"a/kustomization.yaml": "", "a/Kustomization": "resources: [../b]\n", "b/kustomization.yaml": ""},
            ("a", "b"),
        ),
    ],
)
def test_roots(texts: Mapping[str, str], roots: tuple[str, ...]) -> None:
    assert kustomizations(texts).roots == roots


@pytest.mark.parametrize(
    ("path", "roots"),
    [
        ("base/other.yaml", set()),
        ("README.md", set()),
        ("base/web.yaml", {"clusters/eu", "overlays/dev"}),
        ("base/web.conf", {"clusters/eu", "overlays/dev"}),
        ("base/kustomization.yaml", {"clusters/eu", "overlays/dev"}),
        ("parts/drain/drain.yaml", {"clusters/eu"}),
        ("overlays/dev/kustomization.yml", {"overlays/dev"}),
        ("overlays/dev/kustomization.yaml", set()),
    ],
)
def test_the_roots_of_a_file(path: str, roots: set[str]) -> None:
    assert kustomizations(SHOP).roots_of(path) == roots


def test_a_chart_is_read_as_a_whole() -> None:
    charts = kustomizations(
        {
            "a/kustomization.yaml": "helmGlobals: {chartHome: ../charts}\n"
            "helmCharts: [{name: web, valuesFile: v.yaml}]\n",
            "a/v.yaml": "",
            "b/kustomization.yaml": "helmCharts: [{name: web, version: '1', repo: 'https://charts.example'}]\n",
            "charts/web/Chart.yaml": "",
            "charts/web/templates/web.yaml": "",
            "charts/website/Chart.yaml": "",
        }
    )
    assert charts.roots_of("charts/web/templates/web.yaml") == {"a"}
    assert charts.roots_of("charts/website/Chart.yaml") == set()
    closure = charts.closure("a")
    here = {"a/kustomization.yaml", "a/v.yaml", "charts/web/Chart.yaml", "charts/web/templates/web.yaml"}
    assert (closure.files, closure.charts) == (here, frozenset())
    assert [(chart.name, chart.version, chart.repository) for chart in charts.closure("b").charts] == [
        ("web", "1", "https://charts.example")
    ]


def test_all_that_a_root_reads() -> None:
    closure = kustomizations(SHOP).closure("clusters/eu")
    assert closure.directories == {"base", "clusters/eu", "overlays/prod", "parts/drain"}
    assert closure.files == {
        "base/kustomization.yaml",
        "base/service.yaml",
        "base/web.conf",
        "base/web.yaml",
        "clusters/eu/kustomization.yaml",
        "overlays/prod/Kustomization",
        "parts/drain/drain.yaml",
        "parts/drain/kustomization.yaml",
    }
    assert [(remote.repository, remote.revision) for remote in closure.remotes] == [("github.com/o/r", "v1")]


DEV, EU, PROD, TEAM = (AppliedNamespace(name, replaces=True) for name in ("dev", "eu", "prod", "team"))
ONE_ROOT = {path: text for path, text in SHOP.items() if not path.startswith("overlays/dev")}
AT_EU = "clusters/eu/kustomization.yaml"


@pytest.mark.parametrize(
    ("texts", "placement"),
    [
        (SHOP, Placement(None, None)),
        (ONE_ROOT, Placement("clusters/eu", PROD)),
        (ONE_ROOT | {AT_EU: "namespace: eu\nresources: [../../overlays/prod]\n"}, Placement("clusters/eu", EU)),
        (
            ONE_ROOT | {AT_EU: "namespace: eu\nresources: [../../overlays/prod, ../../base]\n"},
            Placement("clusters/eu", EU),
        ),
        (ONE_ROOT | {AT_EU: "resources: [../../overlays/prod, ../../base]\n"}, Placement("clusters/eu", None)),
        (ONE_ROOT | {"x/kustomization.yaml": "namespace: prod\nresources: [../base]\n"}, Placement(None, PROD)),
        ({"base/kustomization.yaml": "resources: [web.yaml]\n"}, Placement("base", AS_DECLARED)),
        ({"base/kustomization.yaml": "resources: [.]\nnamespace: dev\nbases: [web.yaml]\n"}, Placement("base", None)),
        (
            {
                "base/kustomization.yaml": "resources: [web.yaml]\ncomponents: [../c]\n",
                "c/kustomization.yaml": "kind: Component\nnamespace: team\n",
            },
            Placement("base", TEAM),
        ),
    ],
)
def test_where_objects_end_up(texts: Mapping[str, str], placement: Placement) -> None:
    assert kustomizations(texts).placements()["base/web.yaml"] == placement


# What a kustomization names, other files of the tree, what nobody read, and what is wrong with it.
REFERENCES = {
    "a file": ("resources: [web.yaml]", ["a/web.yaml"], [], []),
    "a directory": ("resources: [../b]", ["b/kustomization.yaml"], [], []),
    "another repository": ("resources: ['https://github.com/o/r']", [], [], []),
    "a file that may be there": ("resources: [web.tpl]", [], [], []),
    "a directory that may be a file": ("resources: [../b]", ["b/web.yaml"], [], []),
    "a file that is written later": ("secretGenerator: [{files: [secret.yaml]}]", [], [], []),
    "a link": ("resources: [web.yaml]", [], ["a/web.yaml"], []),
    "a submodule": ("resources: [../lib/web.yaml]", [], ["lib"], []),
    "links in a directory": ("components: [../b]", [], ["b/kustomization.yaml"], []),
    "no file": ("resources: [wbe.yaml]", ["a/web.yaml"], [], [("wbe.yaml", "does not exist")]),
    "no patch": ("patches: [{path: p.yaml}]", [], [], [("p.yaml", "does not exist")]),
    "no component": ("components: [../b]", ["b/web.yaml"], [], [("../b", "does not exist")]),
    "outside": ("resources: [../../b]", [], [], [("../../b", "leads out of the repository")]),
    "itself": ("resources: [.]", [], [], [(".", "leads back to this kustomization")]),
}


@pytest.mark.parametrize(("text", "others", "unread", "broken"), REFERENCES.values(), ids=REFERENCES.keys())
def test_broken_references(text: str, others: list[str], unread: list[str], broken: list[tuple[str, str]]) -> None:
    found = kustomizations({"a/kustomization.yaml": text} | dict.fromkeys(others, ""), *unread)
    assert [(reference.name, why) for reference, why in found.broken_references("a")] == broken


def test_a_circle_is_broken_at_each_of_its_kustomizations() -> None:
    names = "abc"
    texts = {f"{a}/kustomization.yaml": f"resources: [../{b}]\n" for a, b in zip(names, "bca", strict=True)}
    found = kustomizations(texts | {"top/kustomization.yaml": "resources: [../a]\n"})
    assert found.roots == ("top",)
    assert {name: [why for _, why in found.broken_references(name)] for name in (*names, "top")} == {
        **{name: ["leads back to this kustomization"] for name in names},
        "top": [],
    }


FOLDERS = st.sampled_from(["a", "b", "c", "d", "e"])
GRAPHS = st.dictionaries(
    FOLDERS,
    st.tuples(st.booleans(), st.lists(FOLDERS | st.just("web.yaml"), max_size=4), st.sampled_from(["", "x", "y"])),
    min_size=1,
)


@given(GRAPHS)
def test_every_kustomization_belongs_to_a_root(graph: Mapping[str, tuple[bool, list[str], str]]) -> None:
    texts = {}
    for folder, (is_component, resources, namespace) in graph.items():
        kind = "Component" if is_component else "Kustomization"
        names = ", ".join(name if "." in name else f"../{name}" for name in resources)
        texts[f"{folder}/kustomization.yaml"] = (
            f"kind: {kind}\nresources: [{names}]\nnamespace: {namespace or 'null'}\n"
        )
    found = kustomizations(texts)
    closures = {root: found.closure(root) for root in found.roots}
    reached = set().union(*(closure.directories for closure in closures.values()))
    unused_components = {folder for folder, (is_component, *_) in graph.items() if is_component} - reached
    assert reached | unused_components == graph.keys()
    for path in texts:
        assert found.roots_of(path) == {root for root, closure in closures.items() if path in closure.files}
    for path, placement in found.placements().items():
        roots = found.roots_of(path)
        assert placement.root == (min(roots) if len(roots) == 1 else None)


def test_a_chart_of_a_generator_is_not_here() -> None:
    generator = "kind: HelmChartInflationGenerator\nname: web\nrepo: https://charts.example\nversion: 1.0.0\n"
    texts = {
        "kustomization.yaml": "generators: [web.yaml, other.yaml, none.yaml]\n",
        "web.yaml": generator,
        "other.yaml": "kind: ConfigMapGenerator\n",
    }
    (chart,) = kustomizations(texts).closure("").charts
    assert (chart.name, chart.version, chart.repository) == ("web", "1.0.0", "https://charts.example")
