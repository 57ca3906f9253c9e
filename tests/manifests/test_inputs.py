"""What roots read of a tree whose names say nothing, and what they name that is not there."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gracegate.manifests import missing_inputs, read_components, unread_inputs
from gracegate.manifests.components import Components
from gracegate.model import Limits, SourceFile, Tree

CHART = {"web/Chart.yaml": "name: web\n", "web/templates/a.yaml": "a: {{ .Files.Get `files/a.conf` }}\n"}
OVERLAY = {
    "base/kustomization.yaml": "resources: [web]\nconfigMapGenerator: [{name: a, files: [a.conf], envs: [.env]}]\n",
    "prod/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\n",
}
OTHERS = frozenset(
    {"README.md", "base/a.conf", "base/web", "base/b.conf", "web/files/a.conf", "web/README.md", "web/x"}
)


def components(texts: Mapping[str, str]) -> Components:
    return read_components(Tree({path: SourceFile(path, text.encode()) for path, text in texts.items()}), Limits())


@pytest.mark.parametrize(
    ("texts", "changed", "expected"),
    [
        ({}, None, set()),
        ({"web.yaml": "kind: Deployment\n"}, {"web.yaml"}, set()),
        # It makes nothing but what its files have.
        ({"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": ""}, {"kustomization.yaml"}, set()),
        (OVERLAY, {"other.yaml"}, set()),
        (OVERLAY, {"prod/kustomization.yaml"}, {"base/a.conf", "base/web"}),
        (OVERLAY, {"base/a.conf"}, {"base/a.conf", "base/web"}),
        (CHART, {"web/templates/a.yaml"}, {"web/files/a.conf", "web/x"}),
        # A directory without a kustomization, for which Flux makes one.
        (
            {
                "flux.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n"
                "spec:\n  path: ./apps\n  namePrefix: a-\n  sourceRef: {kind: GitRepository, name: flux-system}\n",
                "apps/web/kustomization.yaml": "configMapGenerator: [{name: a, files: [../../base/a.conf]}]\n",
                "apps/a.yaml": "kind: Deployment\n",
            },
            {"apps/a.yaml"},
            {"base/a.conf"},
        ),
        (OVERLAY | CHART, None, {"base/a.conf", "base/web", "web/files/a.conf", "web/x"}),
        (
            CHART | {"web/kustomization.yaml": "helmCharts: [{name: web}]\nhelmGlobals: {chartHome: ..}\n"},
            {"web/Chart.yaml"},
            {"web/files/a.conf", "web/x"},
        ),
    ],
)
def test_unread_inputs(texts: Mapping[str, str], changed: set[str] | None, expected: set[str]) -> None:
    assert unread_inputs(components(texts), changed, OTHERS) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({}, set()),
        (OVERLAY, {"base/a.conf", "base/web", "base/.env"}),
        ({"prod/kustomization.yaml": OVERLAY["prod/kustomization.yaml"]}, {"base"}),
    ],
)
def test_missing_inputs(texts: Mapping[str, str], expected: set[str]) -> None:
    assert missing_inputs(components(texts), None) == expected
