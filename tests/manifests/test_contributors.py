"""The order in which kustomize applies what a root is made of, against what it renders to."""

from __future__ import annotations

import pytest

from gracegate.manifests.contributors import Contributor, ContributorReader
from gracegate.manifests.kustomize_roots import read_kustomizations
from gracegate.model import Limits, RenderBatch, RenderRequest, Root, SourceFile, Tree
from gracegate.rendering import WasmRenderer


def patch(value: str) -> str:
    return f"{{kind: Deployment, apiVersion: apps/v1, metadata: {{name: web}}, spec: {{{value}: 1, last: {value}}}}}"


EACH_KIND = {
    "base/kustomization.yaml": "resources: [web.yaml]\npatches: [{path: p.yaml}]\n",
    "base/web.yaml": patch("a"),
    "base/p.yaml": patch("b"),
    "extra/kustomization.yaml": f"kind: Component\npatches: [{{patch: '{patch('c')}'}}]\n",
    "prod/kustomization.yaml": f"""replicas: [{{name: web, count: 1}}]
patchesJson6902:
- target: {{kind: Deployment, name: web, version: v1, group: apps}}
  path: last.json
patches:
- path: e.yaml
patchesStrategicMerge:
- d.yaml
- '{patch("f")}'
components: [../extra]
bases: [../base]
""",
    "prod/d.yaml": patch("d"),
    "prod/e.yaml": patch("e"),
    "prod/last.json": '[{"op": "replace", "path": "/spec/last", "value": "g"}]',
}


def order(files: dict[str, str], root: str) -> list[Contributor]:
    tree = Tree({path: SourceFile(path, text.encode()) for path, text in files.items()})
    kustomizations = read_kustomizations(tree, Limits())
    return [*ContributorReader(kustomizations).of_root(kustomizations.by_directory[root]).all]


def test_each_kind_of_contributor() -> None:
    assert order(EACH_KIND, "prod") == [
        Contributor("base/web.yaml", (), is_patch=False),
        Contributor("base/p.yaml", (), is_patch=True),
        Contributor("extra/kustomization.yaml", ("patches", 0, "patch"), is_patch=True),
        Contributor("prod/d.yaml", (), is_patch=True),
        Contributor("prod/kustomization.yaml", ("patchesStrategicMerge", 1), is_patch=True),
        Contributor("prod/e.yaml", (), is_patch=True),
        Contributor("prod/last.json", (), True, "Deployment", "web"),
        Contributor("prod/kustomization.yaml", ("replicas", 0), True, "", "web"),
    ]


@pytest.mark.parametrize(
    ("without", "last"), [([], "g"), (["patchesJson6902"], "e"), (["patchesJson6902", "patches"], "f")]
)
def test_the_order_is_that_of_kustomize(without: list[str], last: str, renderer: WasmRenderer) -> None:
    text = EACH_KIND["prod/kustomization.yaml"]
    for key in without:
        start = text.index(f"{key}:\n")
        text = text[:start] + text[text.index("\np", start) + 1 :]
    files = {path: content.encode() for path, content in EACH_KIND.items()}
    request = RenderRequest(Root("kustomize", "prod"), replaced={"prod/kustomization.yaml": text})
    (rendering,) = renderer.render([RenderBatch(files, [request])], 30)
    assert f"last: {last}\n" in rendering.text


def test_what_is_applied_twice_counts_where_it_is_applied_last() -> None:
    files = {
        "a/kustomization.yaml": "resources: [x.yaml]\n",
        "b/kustomization.yaml": "resources: [../a, y.yaml]\n",
        "c/kustomization.yaml": "resources: [../a, ../b, ../a]\n",
        "d/kustomization.yaml": "resources: [../d, ../missing, x.yaml]\npatches: [a, {a: b}]\n",
    }
    assert [each.path for each in order(files, "c")] == ["b/y.yaml", "a/x.yaml"]
    assert [each.path for each in order(files, "d")] == ["missing", "d/x.yaml", "d/kustomization.yaml"]
