"""What is rendered by itself in a tree, and how."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gracegate.manifests.components import Components, read_components
from gracegate.model import Limits, RenderRequest, Root, SourceFile, Tree

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
        (
            {"web/Chart.yaml": "", "web/values.yaml": "", "web/values-prod.yaml": "", "web/ci/values-a.yaml": ""},
            (Root("helm", "web"), Root("helm", "web", "values-prod.yaml")),
        ),
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


def test_values_by_convention() -> None:
    found = components({"web/Chart.yaml": "", "web/values-prod.yaml": "a: 1\n"})
    root = Root("helm", "web", "values-prod.yaml")
    assert found.render_request(root) == RenderRequest(root, values=("a: 1\n",))
    assert found.roots_of("web/values-prod.yaml") == {root}
    assert found.roots_of("web/Chart.yaml") == {Root("helm", "web"), root}
    assert found.files_of(Root("helm", "web")) == {"web/Chart.yaml"}


def test_a_template_may_read_any_file() -> None:
    found = components(
        {"web/Chart.yaml": "", "web/values-prod.yaml": "", "web/templates/a.yaml": "{{ .Files.Get .a }}"}
    )
    assert found.roots_of("web/values-prod.yaml") == {*found.roots}


def test_files_that_git_does_not_have_are_empty() -> None:
    texts = {"kustomization.yaml": "secretGenerator: [{name: a, envs: [a.env]}]\n"}
    root = Root("kustomize", "")
    assert components(texts).render_request(root).replaced == {"a.env": ""}
    assert components(texts).render_request(root, {"a.env": "b=c\n"}).replaced == {"a.env": "b=c\n"}
