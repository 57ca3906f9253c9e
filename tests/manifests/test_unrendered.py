"""What only rendering would show, by what differs between two trees."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from gracegate.manifests import Components, broken_changes, unrendered_changes, unrendered_files
from gracegate.manifests.components import read_components
from gracegate.manifests.kustomize_changes import BrokenReference
from gracegate.model import Limits, Repository, Root, SourceFile, Tree

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
TEMPLATE = 'spec:\n  replicas: {{ .Values.replicas }}\n  containers:\n  - image: "a/web:1"\n    name: web\n'
PATCHES = """\
resources: [web.yaml]
configMapGenerator: [{name: web, files: [web.conf]}]
patches: [{path: patch.yaml, target: {name: web}}, {path: config.yaml}, {path: roles.yaml, target: {kind: Role}}]
"""
IMAGE_PATCH = "- {op: replace, path: /spec/template/spec/containers/0/image, value: 'a/web:1'}\n"
PATCH = "- op: remove\n  path: /spec/template/spec/containers/0/readinessProbe\n"


DEV, PROD = Root("kustomize", "dev"), Root("kustomize", "prod")


def components(texts: Mapping[str, str]) -> Components:
    return read_components(Tree({p: SourceFile(p, text.encode()) for p, text in texts.items()}), Limits())


def changes(base: Mapping[str, str], head: Mapping[str, str]) -> list[tuple[str, str, tuple[str, ...]]]:
    found = unrendered_changes(components(base), components(head), base.keys() | head.keys(), Limits())
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
        pytest.param("c/templates/a.yaml", TEMPLATE, TEMPLATE.replace(":1", ":2"), id="a tag in a template"),
        pytest.param("c/templates/b.yaml", "a: 1\n", "a: 2\n", id="no template by its content"),
        pytest.param("k/patch.yaml", IMAGE_PATCH, IMAGE_PATCH.replace(":1", ":2"), id="a tag in a JSON patch"),
        pytest.param("k/config.yaml", "kind: ConfigMap\n", "kind: ConfigMap\na: 1\n", id="a patch of a ConfigMap"),
        pytest.param("k/roles.yaml", PATCH, PATCH.replace("spec", "rules"), id="a patch whose target is a Role"),
        pytest.param("k/web.conf", "a", "b", id="data of a ConfigMap"),
        pytest.param("k/web.yaml", "kind: Deployment\n", "", id="a resource, which is evaluated as it is"),
        pytest.param(
            "kustomization.yaml",
            "patches: []\n",
            "patches: [{target: {kind: Role}, patch: a}, {patch: 'kind: Secret'}]\n",
            id="patches of what rules do not read",
        ),
    ],
)
def test_what_needs_no_rendering(path: str, before: str, after: str) -> None:
    others = {"values.yaml": "a: 1\n", "k/kustomization.yaml": PATCHES, "c/Chart.yaml": ""}
    others.pop(path, None)
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
        ("chart/templates/web.yaml", TEMPLATE, TEMPLATE.replace(".replicas", ".count"), "template", ()),
        ("chart/templates/_web.tpl", TEMPLATE, "", "template", ()),
        ("patch.yaml", PATCH, PATCH.replace("readiness", "liveness"), "JSON patch", ()),
        ("patch.json", "[]", '[{"op": "remove", "path": "/spec"}]', "JSON patch", ()),
    ],
)
def test_what_a_change_makes_of_other_manifests(
    path: str, before: str, after: str, what: str, keys: tuple[str, ...]
) -> None:
    others = {"web.yaml": "a: 1\n", "chart/templates/a.yaml": "", "chart/Chart.yaml": "name: web\n"}
    others.pop(path, None)
    assert changes({path: before, **others}, {path: after, **others}) == [(path, what, keys)]


# By what is new in a kustomization that lists `web`: a directory with other files, some of which the base has.
ADDED_DIRECTORIES = {
    "new, and all of it is evaluated": ({"web/kustomization.yaml": "resources: [a.yaml]\n"}, [], ()),
    "old": (
        {"web/kustomization.yaml": "resources: [a.yaml]\n"},
        ["web/kustomization.yaml"],
        ("resources",),
    ),
    "with a patch": ({"web/kustomization.yaml": "patches: [{patch: a}]\n"}, [], ("resources",)),
    "with something remote": (
        {"web/kustomization.yaml": "resources: ['https://github.com/o/r']\n"},
        [],
        ("resources",),
    ),
    "without a kustomization": ({}, [], ("resources",)),
}


@pytest.mark.parametrize(("added", "old", "keys"), ADDED_DIRECTORIES.values(), ids=ADDED_DIRECTORIES.keys())
def test_an_added_directory(added: Mapping[str, str], old: list[str], keys: tuple[str, ...]) -> None:
    head = {"kustomization.yaml": "resources: [web]\n", "web/a.yaml": ""} | added
    base = {"kustomization.yaml": "resources: []\n"} | {path: head[path] for path in old}
    assert [found[2] for found in changes(base, head) if found[0] == "kustomization.yaml"] == ([keys] if keys else [])


def test_the_roots_that_a_change_reaches() -> None:
    base = {
        "base/kustomization.yaml": "resources: [web.yaml]\npatches: [{path: p.yaml}]\n",
        "base/p.yaml": "kind: Deployment\n",
        "base/release.yaml": RELEASE,
        "dev/kustomization.yaml": "resources: [../base]\n",
        "prod/kustomization.yaml": "resources: [../base]\n",
    }
    head = {**base, "base/p.yaml": "kind: Pod\n", "base/release.yaml": RELEASE.replace("web:", "web2:")}
    head["prod/kustomization.yaml"] = "resources: []\n"
    head["base/release.yaml"] = RELEASE.replace("Count: 2", "Count: 1")
    found = unrendered_changes(components(base), components(head), base.keys(), Limits())
    assert [(one.path, one.kind, one.keys, one.roots) for one in found] == [
        ("base/p.yaml", "patch", (), (DEV, PROD)),
        ("base/release.yaml", "HelmRelease", ("spec.values",), ()),
        ("prod/kustomization.yaml", "kustomization", ("resources",), (PROD,)),
    ]


def test_what_is_added_or_removed() -> None:
    assert changes({}, {"app.yaml": APPLICATION}) == [("app.yaml", "Application `web`", ())]
    assert changes({"app.yaml": APPLICATION, "chart/values.yaml": VALUES}, {}) == [
        ("app.yaml", "Application `web`", ()),
        ("chart/values.yaml", "chart values", ()),
    ]


def test_a_tree() -> None:
    tree = {
        "a/kustomization.yaml": KUSTOMIZATION,
        "a/web.yaml": "a: 1\n",
        "a/plain/kustomization.yaml": "resources: [web.yaml, deeper]\n",
        "a/plain/web.yaml": "a: 1\n",
        "a/plain/deeper/kustomization.yaml": "resources: [web.yaml]\n",
        "a/plain/deeper/web.yaml": "a: 1\n",
        "b/Chart.yaml": "name: web\n",
        "b/charts/c/Chart.yaml": "name: c\n",
        "b/values.yaml": VALUES,
        "i/charts/web/Chart.yaml": "name: web\n",
        "i/kustomization.yaml": "helmCharts: [{name: web}]\n",
        "c/patch.yaml": PATCH,
        "d.yaml": RELEASE + "---\n" + APPLICATION,
        "e/kustomization.yaml": "resources: [../f]\n",
        "f/kustomization.yaml": "replicas: [{name: web, count: 2}]\n",
        "g/kustomization.yaml": "resources: [{{ .x }}]\n",
        "h/kustomization.yaml": "kind: Component\npatches: [{patch: a}]\n",
    }
    found = unrendered_files(components(tree), tree.keys() - {"b/values.yaml"}, Limits())
    assert [(one.path, one.kind, one.roots) for one in found] == [
        ("a/kustomization.yaml", "kustomization", (Root("kustomize", "a"),)),
        ("e/kustomization.yaml", "kustomization", (Root("kustomize", "e"),)),
        ("i/kustomization.yaml", "kustomization", (Root("kustomize", "i"),)),
        ("b/Chart.yaml", "chart", (Root("helm", "b"),)),
        ("d.yaml", "Application", ()),
        ("d.yaml", "HelmRelease", ()),
        ("g/kustomization.yaml", "kustomization", ()),
    ]


# Base and head beside a kustomization `a` that the head has, and what the change broke in it.
BROKEN = {
    "nothing": ({"b/kustomization.yaml": "", "a/web.yaml": ""}, {"b/kustomization.yaml": "", "a/web.yaml": ""}, []),
    "what was broken before": ({"b/kustomization.yaml": ""}, {"b/kustomization.yaml": ""}, []),
    "a file is removed": (
        {"b/kustomization.yaml": "", "a/web.yaml": ""},
        {"b/kustomization.yaml": ""},
        [("a/kustomization.yaml", 3, "web.yaml", "does not exist")],
    ),
    "a directory is removed": (
        {"b/kustomization.yaml": "", "a/web.yaml": ""},
        {"a/web.yaml": ""},
        [("a/kustomization.yaml", 2, "../b", "does not exist")],
    ),
    "a circle is closed": (
        {"b/kustomization.yaml": "", "a/web.yaml": ""},
        {"b/kustomization.yaml": "resources:\n- ../a\n", "a/web.yaml": ""},
        [
            ("a/kustomization.yaml", 2, "../b", "leads back to this kustomization"),
            ("b/kustomization.yaml", 2, "../a", "leads back to this kustomization"),
        ],
    ),
}


@pytest.mark.parametrize(("base", "head", "broken"), BROKEN.values(), ids=BROKEN.keys())
def test_what_a_change_breaks(
    base: Mapping[str, str], head: Mapping[str, str], broken: list[tuple[str, int, str, str]]
) -> None:
    kustomization = {"a/kustomization.yaml": "resources:\n- ../b\n- web.yaml\n"}
    changed = {path for path in base.keys() | head.keys() if base.get(path) != head.get(path)}
    trees = (components(texts | kustomization).kustomizations for texts in (base, head))
    found = broken_changes(*trees, changed, Limits())
    assert [(one.path, one.line, one.name, one.why) for one in found] == broken


def test_a_new_kustomization_that_is_broken() -> None:
    head = {"a/kustomization.yaml": "resources: [web.yaml]\n"}
    found = broken_changes(components({}).kustomizations, components(head).kustomizations, head.keys(), Limits())
    assert [*found] == [BrokenReference("a/kustomization.yaml", 1, "resources", "web.yaml", "does not exist")]


SOURCE = {"repoURL": "https://github.com/o/r", "path": "apps/web"}


@pytest.mark.parametrize(
    ("source", "files", "found"),
    [
        (SOURCE, {"apps/web/a.yaml": ""}, []),
        (SOURCE, {"apps/web/kustomization.yaml": "namePrefix: a-\n"}, [((Root("kustomize", "apps/web"),), "")]),
        (
            {**SOURCE, "path": "charts/web"},
            {"charts/web/Chart.yaml": "name: web\n"},
            [((Root("helm", "charts/web", "Application web in app.yaml"),), "")],
        ),
        ({**SOURCE, "repoURL": "https://github.com/o/x"}, {}, [((), "it applies another repository")]),
        ({**SOURCE, "chart": "web"}, {}, [((), "its chart is not in this repository")]),
        ({**SOURCE, "path": "none"}, {}, [((), "its directory is not in this repository")]),
        ({}, {}, [((), "")]),
    ],
)
def test_what_an_application_applies(
    source: Mapping[str, str], files: Mapping[str, str], found: list[tuple[tuple[Root, ...], str]]
) -> None:
    def tree(namespace: str) -> Components:
        spec = {"source": source, "destination": {"namespace": namespace}}
        app = json.dumps(
            {"apiVersion": "argoproj.io/v1", "kind": "Application", "metadata": {"name": "web"}, "spec": spec}
        )
        texts = {**files, "app.yaml": app}
        sources = {path: SourceFile(path, text.encode()) for path, text in texts.items()}
        return read_components(Tree(sources), Limits(), repository=Repository(("https://github.com/o/r",)))

    changed = unrendered_changes(tree("a"), tree("b"), {"app.yaml"}, Limits())
    assert [(one.roots, one.reason) for one in changed] == found


def test_an_application_that_applies_the_same_changes_nothing() -> None:
    files = {"apps/web/kustomization.yaml": "namePrefix: a-\n"}
    spec = {"source": {**SOURCE, "kustomize": {"nameSuffix": "-b"}}, "project": "default"}

    def tree(**changes: str) -> Components:
        app = {"apiVersion": "argoproj.io/v1", "kind": "Application", "metadata": {"name": "web"}}
        texts = {**files, "app.yaml": json.dumps({**app, "spec": {**spec, **changes}})}
        sources = {path: SourceFile(path, text.encode()) for path, text in texts.items()}
        return read_components(Tree(sources), Limits(), repository=Repository(("https://github.com/o/r",)))

    assert [*unrendered_changes(tree(), tree(project="shop"), {"app.yaml"}, Limits())] == []
