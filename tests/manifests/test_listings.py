"""What kustomizations make of the files that they list: which are patches, which get labels, and where."""

from __future__ import annotations

from typing import Any

import pytest

from gracegate.manifests import collect_documents
from gracegate.manifests.kustomize_roots import read_kustomizations
from gracegate.manifests.listings import CommonLabels, Listing, add_labels, read_listings
from gracegate.model import AppliedNamespace, Limits, SourceFile, Tree

WEB = (("app", "web"),)
EVERYWHERE = CommonLabels(WEB, in_templates=True, in_selectors=True)
IN_TEMPLATES = CommonLabels(WEB, in_templates=True, in_selectors=False)
OUTSIDE = CommonLabels(WEB, in_templates=False, in_selectors=False)
IN_A = Listing(root="a")


@pytest.mark.parametrize(
    ("kustomization", "expected"),
    [
        pytest.param("resources: [web.yaml]\n", {"a/web.yaml": IN_A}, id="none"),
        pytest.param("resources: [web.yaml]\nlabels: web\n", {"a/web.yaml": IN_A}, id="labels that are a text"),
        pytest.param(
            "resources: [web.yaml]\nlabels: [{pairs: {app: 1}}]\n", {"a/web.yaml": IN_A}, id="a label that is no text"
        ),
        pytest.param("resources: web.yaml\ncommonLabels: {app: web}\n", {}, id="resources that are a text"),
        pytest.param("commonLabels: {app: web}\nresources: [5]\n", {}, id="no resources"),
        pytest.param(
            "resources: [web.yaml]\ncommonLabels: {app: web}\n",
            {"a/web.yaml": Listing((EVERYWHERE,), root="a")},
            id="common",
        ),
        pytest.param(
            "resources: [./web.yaml, ../up.yaml]\nlabels: [{pairs: {app: web}, includeSelectors: true}]\n",
            {"a/web.yaml": Listing((EVERYWHERE,), root="a"), "up.yaml": Listing((EVERYWHERE,), root="a")},
            id="with selectors",
        ),
        pytest.param(
            "resources: [web.yaml]\nlabels: [{pairs: {app: web}}, {pairs: {app: web}, includeTemplates: true}]\n",
            {"a/web.yaml": Listing((OUTSIDE, IN_TEMPLATES), root="a")},
            id="without selectors",
        ),
        pytest.param(
            "patches: [{path: web.yaml}]\npatchesStrategicMerge: [api.yaml]\ncommonLabels: {app: web}\n",
            {"a/web.yaml": Listing(is_patch=True), "a/api.yaml": Listing(is_patch=True)},
            id="patches",
        ),
        pytest.param(
            "resources: [web.yaml]\npatches: [{path: web.yaml}]\n",
            {"a/web.yaml": IN_A},
            id="a resource that is a patch elsewhere",
        ),
        pytest.param(
            "resources: [web.yaml]\nnamespace: shop\n",
            {"a/web.yaml": Listing(root="a", namespace=AppliedNamespace("shop", replaces=True))},
            id="a namespace",
        ),
    ],
)
def test_what_becomes_of_files(kustomization: str, expected: dict[str, Listing]) -> None:
    source = SourceFile("a/kustomization.yaml", kustomization.encode())
    assert read_listings(read_kustomizations(Tree({source.path: source}), Limits())) == expected


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


def test_an_object_that_is_listed_as_a_resource_is_no_patch_whatever_it_lacks() -> None:
    files = {"kustomization.yaml": "resources: [web.yaml]\n", "web.yaml": "apiVersion: apps/v1\nkind: Deployment\n"}
    tree = Tree({path: SourceFile(path, text.encode()) for path, text in files.items()})
    assert [(d.path, d.is_fragment) for d in collect_documents(tree).documents] == [("web.yaml", False)]


def test_a_complete_object_that_is_listed_as_a_patch_is_one() -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: ClusterIP}\n"
    files = {"kustomization.yaml": "resources: [../base]\npatches: [{path: service.yaml}]\n", "service.yaml": service}
    tree = Tree({path: SourceFile(path, text.encode()) for path, text in files.items()})
    assert [(d.path, d.is_fragment) for d in collect_documents(tree).documents] == [("service.yaml", True)]
