"""Labels of kustomizations: which files get them, and where in their objects."""

from __future__ import annotations

from typing import Any

import pytest

from gracegate.manifests import collect_documents
from gracegate.manifests.common_labels import CommonLabels, add_labels, common_labels
from gracegate.manifests.kustomize import read_kustomization
from gracegate.model import Limits, SourceFile, Tree

WEB = (("app", "web"),)
EVERYWHERE = CommonLabels(WEB, in_templates=True, in_selectors=True)
IN_TEMPLATES = CommonLabels(WEB, in_templates=True, in_selectors=False)
OUTSIDE = CommonLabels(WEB, in_templates=False, in_selectors=False)


@pytest.mark.parametrize(
    ("kustomization", "labels"),
    [
        pytest.param("resources: [web.yaml]\n", {}, id="none"),
        pytest.param("resources: [web.yaml]\nlabels: web\n", {}, id="labels that are a text"),
        pytest.param("resources: [web.yaml]\nlabels: [{pairs: {app: 1}}]\n", {}, id="a label that is no text"),
        pytest.param("resources: web.yaml\ncommonLabels: {app: web}\n", {}, id="resources that are a text"),
        pytest.param("commonLabels: {app: web}\nresources: [5]\npatches: [{path: x}]\n", {}, id="no resources"),
        pytest.param("resources: [web.yaml]\ncommonLabels: {app: web}\n", {"a/web.yaml": (EVERYWHERE,)}, id="common"),
        pytest.param(
            "resources: [./web.yaml, ../up.yaml]\nlabels: [{pairs: {app: web}, includeSelectors: true}]\n",
            {"a/web.yaml": (EVERYWHERE,), "up.yaml": (EVERYWHERE,)},
            id="with selectors",
        ),
        pytest.param(
            "resources: [web.yaml]\nlabels: [{pairs: {app: web}}, {pairs: {app: web}, includeTemplates: true}]\n",
            {"a/web.yaml": (OUTSIDE, IN_TEMPLATES)},
            id="without selectors",
        ),
    ],
)
def test_who_gets_labels(kustomization: str, labels: dict[str, tuple[CommonLabels, ...]]) -> None:
    read = read_kustomization(SourceFile("a/kustomization.yaml", kustomization.encode()), Limits())
    assert read is not None
    assert common_labels([read]) == labels


def labelled(kind: str, spec: Any, metadata: Any = None) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"labels": {"app": "web"}} if metadata is None else metadata, "spec": spec}


POD = {"metadata": {"labels": {"app": "web"}}}
PLACES = [
    pytest.param("ConfigMap", "", {}, EVERYWHERE, labelled("ConfigMap", {}), id="another kind"),
    pytest.param("Service", "", {}, EVERYWHERE, labelled("Service", {"selector": {"app": "web"}}), id="Service"),
    pytest.param("Service", "", {}, IN_TEMPLATES, labelled("Service", {}), id="Service, templates only"),
    pytest.param("Service", "serving.knative.dev", {}, EVERYWHERE, labelled("Service", {}), id="of another group"),
    pytest.param(
        "Deployment", "apps", {"selector": {"matchLabels": {"a": "b"}}}, EVERYWHERE,
        labelled("Deployment", {"selector": {"matchLabels": {"a": "b", "app": "web"}}, "template": POD}),
        id="Deployment",
    ),
    pytest.param("Deployment", "apps", {}, IN_TEMPLATES, labelled("Deployment", {"template": POD}), id="templates"),
    pytest.param("Deployment", "apps", {}, OUTSIDE, labelled("Deployment", {}), id="outside"),
    pytest.param("Deployment", "apps", [], EVERYWHERE, labelled("Deployment", []), id="a spec that is a list"),
    pytest.param(
        "CronJob", "batch", {}, EVERYWHERE, labelled("CronJob", {"jobTemplate": {"spec": {"template": POD}}}),
        id="CronJob",
    ),
    pytest.param("Pod", "", {}, EVERYWHERE, labelled("Pod", {}), id="Pod"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "group", "spec", "labels", "expected"), PLACES)
def test_where_labels_are(kind: str, group: str, spec: Any, labels: CommonLabels, expected: dict[str, Any]) -> None:
    found = {"kind": kind, "spec": spec}
    assert add_labels(found, group, (labels,)) == expected
    assert found == {"kind": kind, "spec": spec}


def test_a_manifest_whose_labels_are_in_a_kustomization_is_no_patch() -> None:
    web = "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{image: web}]}}}\n"
    files = {"kustomization.yaml": "resources: [web.yaml]\ncommonLabels: {app: web}\n", "web.yaml": web}
    tree = Tree({path: SourceFile(path, text.encode()) for path, text in files.items()})
    assert [(d.path, d.is_fragment) for d in collect_documents(tree).documents] == [("web.yaml", False)]
