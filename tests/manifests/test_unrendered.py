"""What only rendering would show, by what differs between two trees."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gracegate.manifests import unrendered_changes, unrendered_files
from gracegate.model import Limits, SourceFile

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web}
spec:
  chart: {spec: {chart: web, version: 1.0.0}}
  values: {replicaCount: 2, image: {repository: a/web, tag: "1"}}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web}
spec: {source: {path: apps/web}}
"""
KUSTOMIZATION = "resources: [web.yaml]\nreplicas: [{name: web, count: 2}]\nimages: [{name: web, newTag: '1'}]\n"
VALUES = "replicaCount: 2\nimage: {repository: a/web, tag: '1'}\nsidecar: {image: 'a/b:1'}\n"
PATCH = "- op: remove\n  path: /spec/template/spec/containers/0/readinessProbe\n"


def files(texts: Mapping[str, str]) -> dict[str, SourceFile]:
    return {path: SourceFile(path, text.encode()) for path, text in texts.items()}


def changes(base: Mapping[str, str], head: Mapping[str, str]) -> list[tuple[str, str, tuple[str, ...]]]:
    found = unrendered_changes(files(base), files(head), base.keys() | head.keys(), Limits())
    return [(one.path, one.what, one.keys) for one in found]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        pytest.param("kustomization.yaml", KUSTOMIZATION, KUSTOMIZATION, id="nothing"),
        pytest.param("kustomization.yaml", KUSTOMIZATION, KUSTOMIZATION.replace("'1'", "'2'"), id="a new tag"),
        pytest.param(
            "kustomization.yaml", KUSTOMIZATION, KUSTOMIZATION + "secretGenerator: [{name: a}]\n", id="secrets"
        ),
        pytest.param(
            "kustomization.yaml", KUSTOMIZATION, KUSTOMIZATION.replace("[web", "[values.yaml, web"), id="file"
        ),
        pytest.param("chart/values.yaml", VALUES, VALUES.replace("tag: '1'", "tag: '2'"), id="a tag in values"),
        pytest.param("chart/values.yaml", VALUES, VALUES.replace("b:1", "b:2@sha256:0f"), id="a tag of an image"),
        pytest.param("values.yaml", "apiVersion: v1\nkind: Service\n", "apiVersion: v1\nkind: Pod\n", id="a manifest"),
        pytest.param("chart/Chart.yaml", "appVersion: '1'\n", "appVersion: '2'\n", id="the app's version"),
        pytest.param("release.yaml", RELEASE, RELEASE.replace('"1"', '"2"'), id="a tag in a release"),
        pytest.param("app.yaml", APPLICATION.replace("argoproj.io", "app.k8s.io"), "a: 1\n", id="another Application"),
        pytest.param("list.yaml", "- op: a\n", "- op: b\n", id="no patch"),
        pytest.param("broken.yaml", "kind: Application\n[", "kind: Application\n[[", id="what cannot be read"),
    ],
)
def test_what_needs_no_rendering(path: str, before: str, after: str) -> None:
    others = {"values.yaml": "a: 1\n"} if path != "values.yaml" else {}
    assert changes({path: before, **others}, {path: after, **others}) == []


@pytest.mark.parametrize(
    ("path", "before", "after", "what", "keys"),
    [
        ("kustomization.yaml", KUSTOMIZATION, KUSTOMIZATION.replace("2}", "1}"), "kustomization", ("replicas",)),
        (
            "kustomization.yml",
            KUSTOMIZATION,
            KUSTOMIZATION.replace("[web.yaml]", "[]"),
            "kustomization",
            ("resources",),
        ),
        (
            "Kustomization",
            KUSTOMIZATION,
            KUSTOMIZATION.replace("[web", "[../base, web"),
            "kustomization",
            ("resources",),
        ),
        ("kustomization.yaml", "", "components: [a]\n", "kustomization", ()),
        ("kustomization.yaml", "patches: [", "patches: [[", "kustomization", ()),
        ("chart/values-prod.yaml", VALUES, VALUES.replace("2", "1"), "chart values", ("replicaCount",)),
        ("chart/Chart.yaml", "version: 1.0.0\n", "version: 2.0.0\n", "chart", ("version",)),
        ("release.yaml", RELEASE, RELEASE.replace("Count: 2", "Count: 1"), "HelmRelease `web`", ("spec.values",)),
        ("release.yaml", RELEASE, RELEASE.replace("1.0.0", "2.0.0"), "HelmRelease `web`", ("spec.chart",)),
        ("app.yaml", APPLICATION, APPLICATION.replace("apps/web", "old"), "Application `web`", ("spec.source",)),
        ("patch.yaml", PATCH, PATCH.replace("readiness", "liveness"), "JSON patch", ()),
        ("patch.json", "[]", '[{"op": "remove", "path": "/spec"}]', "JSON patch", ()),
    ],
)
def test_what_a_change_makes_of_other_manifests(
    path: str, before: str, after: str, what: str, keys: tuple[str, ...]
) -> None:
    others = {"web.yaml": "a: 1\n"}
    assert changes({path: before, **others}, {path: after, **others}) == [(path, what, keys)]


def test_what_is_added_or_removed() -> None:
    assert changes({}, {"app.yaml": APPLICATION}) == [("app.yaml", "Application `web`", ())]
    assert changes({"app.yaml": APPLICATION, "chart/values.yaml": VALUES}, {}) == [
        ("app.yaml", "Application `web`", ()),
        ("chart/values.yaml", "chart values", ()),
    ]


def test_a_tree() -> None:
    tree = files(
        {
            "a/kustomization.yaml": KUSTOMIZATION,
            "a/web.yaml": "a: 1\n",
            "a/plain/kustomization.yaml": "resources: [web.yaml]\n",
            "a/plain/web.yaml": "a: 1\n",
            "b/Chart.yaml": "name: web\n",
            "b/values.yaml": VALUES,
            "c/patch.yaml": PATCH,
            "d.yaml": RELEASE + "---\n" + APPLICATION,
        }
    )
    assert [(one.path, one.kind) for one in unrendered_files(tree, Limits())] == [
        ("a/kustomization.yaml", "kustomization"),
        ("b/Chart.yaml", "chart"),
        ("d.yaml", "Application"),
        ("d.yaml", "HelmRelease"),
    ]
