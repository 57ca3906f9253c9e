"""What is rendered by itself in a tree, and how."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gracegate.manifests.components import Components, read_components
from gracegate.model import Limits, Root, SourceFile, Tree

INFLATED = {
    "kustomization.yaml": "helmCharts: [{name: web}]\n",
    "charts/web/Chart.yaml": "name: web\n",
    "charts/shop/Chart.yaml": "name: shop\n",
}


def components(texts: Mapping[str, str]) -> Components:
    return read_components(Tree({p: SourceFile(p, text.encode()) for p, text in texts.items()}), Limits())


@pytest.mark.parametrize(
    ("texts", "roots"),
    [
        ({}, ()),
        ({"web.yaml": "kind: Deployment\n"}, ()),
        (INFLATED, (Root("kustomize", ""), Root("helm", "charts/shop"))),
    ],
)
def test_roots(texts: Mapping[str, str], roots: tuple[Root, ...]) -> None:
    assert components(texts).roots == roots


@pytest.mark.parametrize(
    ("texts", "root", "is_plain"),
    [
        ({"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": ""}, Root("kustomize", ""), True),
        ({"kustomization.yaml": "resources: [a.yaml]\nnamePrefix: b-\n", "a.yaml": ""}, Root("kustomize", ""), False),
        ({"Chart.yaml": "name: web\n"}, Root("helm", ""), False),
    ],
)
def test_what_is_evaluated_without_rendering(texts: Mapping[str, str], root: Root, is_plain: bool) -> None:
    assert components(texts).is_plain(root) is is_plain
