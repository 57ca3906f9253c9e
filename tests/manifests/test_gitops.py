"""What Argo CD and Flux have applied of a tree: roots, how these are rendered, and their namespaces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gracegate.manifests.components import Components, read_components
from gracegate.manifests.rendered_values import RenderedValues
from gracegate.model import (
    AS_DECLARED,
    AppliedNamespace,
    Limits,
    RenderRequest,
    Repository,
    Root,
    SourceFile,
    Substitution,
    Tree,
)

OWN = "https://github.com/o/r.git"
ARGO = "argo.yaml"
FLUX = "flux.yaml"
CHART = {"charts/web/Chart.yaml": "name: web\n", "charts/web/values.yaml": "a: 1\n", "charts/web/templates/a.yaml": ""}
WEB = {"apps/web/web.yaml": "kind: Deployment\n"}
OVERLAY = {**WEB, "apps/web/kustomization.yaml": "resources: [web.yaml]\nimages: [{name: a, newTag: '1'}]\n"}


def components(texts: Mapping[str, str], urls: tuple[str, ...] = (OWN,), branch: str = "") -> Components:
    files = {path: SourceFile(path, text.encode()) for path, text in texts.items()}
    return read_components(Tree(files), Limits(), repository=Repository(urls, branch))


def application(source: Mapping[str, Any], name: str = "web", namespace: str = "shop", **spec: Any) -> str:
    given = {"source": {"repoURL": OWN, **source}, "destination": {"namespace": namespace}, **spec}
    return argo_cd("Application", name, given)


def argo_cd(kind: str, name: str, spec: Mapping[str, Any]) -> str:
    return json.dumps({"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})


def flux(kind: str, spec: Mapping[str, Any], name: str = "web", namespace: str = "flux-system") -> str:
    version = f"{'helm' if kind == 'HelmRelease' else 'kustomize'}.toolkit.fluxcd.io/v2"
    metadata = {"name": name, "namespace": namespace}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})


def kustomization(**spec: Any) -> str:
    return flux("Kustomization", {"sourceRef": {"kind": "GitRepository", "name": "flux-system"}, **spec})


def helm_release(chart: Mapping[str, Any] | None = None, **spec: Any) -> str:
    source = {"chart": "./charts/web", "sourceRef": {"kind": "GitRepository", "name": "flux-system"}, **(chart or {})}
    return flux("HelmRelease", {"chart": {"spec": source}, **spec})


APPLICATION = Root("helm", "charts/web", "Application web in argo.yaml")
RELEASE = Root("helm", "charts/web", "HelmRelease web in flux.yaml")
INSTALLED = RenderRequest(APPLICATION, release="web", namespace="shop")
RELEASED = RenderRequest(RELEASE, release="web", namespace="flux-system")
VALUES = {"charts/web/prod.yaml": "a: 2\n", "values/all.yaml": "b: 1\n"}


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        pytest.param(application({"path": "charts/web"}), INSTALLED, id="a chart as it is"),
        pytest.param(
            application({"path": "charts/web", "helm": {"releaseName": "a", "namespace": "b"}}),
            replace(INSTALLED, release="a", namespace="b"),
            id="a release of its own",
        ),
        pytest.param(
            application(
                {
                    "path": "./charts/web/",
                    "helm": {
                        "valueFiles": ["prod.yaml", "/values/all.yaml", "none.yaml"],
                        "ignoreMissingValueFiles": True,
                        "values": "c: 1\n",
                        "parameters": [{"name": "d.e", "value": "1"}, {"name": "f", "value": "1", "forceString": True}],
                    },
                }
            ),
            replace(INSTALLED, values=("a: 2\n", "b: 1\n", "c: 1\n", '{"d": {"e": 1}, "f": "1"}')),
            id="all values in their order",
        ),
        pytest.param(
            application({"path": "charts/web", "helm": {"values": "c: 1\n", "valuesObject": {"c": 2}}}),
            replace(INSTALLED, values=('{"c": 2}',)),
            id="an object in the place of a text",
        ),
        pytest.param(
            application(
                {},
                sources=[
                    {"repoURL": OWN, "path": "charts/web", "helm": {"valueFiles": ["$own/values/all.yaml"]}},
                    {"repoURL": "git@github.com:o/r", "ref": "own"},
                ],
            ),
            replace(INSTALLED, values=("b: 1\n",)),
            id="values of another source",
        ),
    ],
)
def test_a_chart_that_argo_cd_installs(text: str, request_: RenderRequest) -> None:
    found = components({**CHART, **VALUES, ARGO: text})
    assert found.roots == (request_.root,)
    assert found.render_request(request_.root) == request_
    assert not found.missing_parts(request_.root)
    assert found.namespace_of(request_.root) == AppliedNamespace("shop", replaces=False)


@pytest.mark.parametrize(
    ("helm", "missing"),
    [
        ({"valueFiles": ["none.yaml"]}, "none.yaml"),
        (
            {"valueFiles": ["https://a.example/values.yaml"], "ignoreMissingValueFiles": True},
            "https://a.example/values.yaml",
        ),
        ({"valueFiles": ["$other/values.yaml"], "ignoreMissingValueFiles": True}, "$other/values.yaml"),
        ({"parameters": [{"name": "a[0]", "value": "1"}]}, "parameter a[0]"),
        ({"fileParameters": [{"name": "a", "path": "b"}]}, "fileParameters"),
    ],
)
def test_values_that_are_not_here(helm: Mapping[str, Any], missing: str) -> None:
    found = components({**CHART, ARGO: application({"path": "charts/web", "helm": helm})})
    assert {part.name for part in found.missing_parts(APPLICATION) if hasattr(part, "name")} == {missing}


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        pytest.param(helm_release(), RELEASED, id="a chart as it is"),
        pytest.param(
            helm_release(targetNamespace="shop"),
            replace(RELEASED, release="shop-web", namespace="shop"),
            id="a namespace",
        ),
        pytest.param(
            helm_release(
                {"valuesFiles": ["./charts/web/prod.yaml", "values/all.yaml"]},
                releaseName="a",
                values={"c": 1},
                valuesFrom=[
                    {"kind": "ConfigMap", "name": "web"},
                    {"kind": "ConfigMap", "name": "web", "valuesKey": "d", "targetPath": "e.f"},
                ],
            ),
            replace(
                RELEASED,
                release="a",
                values=("a: 2\n", "b: 1\n", "g: 1\n", '{"e": {"f": "x"}}', '{"c": 1}'),
                replaced={"charts/web/values.yaml": "{}"},
            ),
            id="all values in their order",
        ),
        pytest.param(
            helm_release(postRenderers=[{"kustomize": {"images": [{"name": "a", "newTag": "1"}]}}]),
            replace(RELEASED, post_renderers=('{\n "images": [\n  {\n   "name": "a",\n   "newTag": "1"\n  }\n ]\n}',)),
            id="changed afterwards",
        ),
    ],
)
def test_a_chart_that_flux_installs(text: str, request_: RenderRequest) -> None:
    config_map = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: web}\ndata: {values.yaml: 'g: 1\n\n', d: x}\n"
    found = components({**CHART, **VALUES, "web.yaml": config_map, FLUX: text})
    assert found.roots == (RELEASE,)
    assert found.render_request(RELEASE) == request_
    assert not found.missing_parts(RELEASE)


def test_values_of_a_secret() -> None:
    release = helm_release(valuesFrom=[{"kind": "Secret", "name": "web"}, {"kind": "ConfigMap", "name": "web"}])
    missing = components({**CHART, FLUX: release}).missing_parts(RELEASE)
    assert {part.name for part in missing if hasattr(part, "name")} == {"Secret web", "ConfigMap web"}


IN_OWN_WAY = Root("kustomize", "apps/web", "Application web in argo.yaml")
BY_FLUX = Root("kustomize", "apps/web", "Kustomization web in flux.yaml")
ALL_PATCHES = {"patches": [{"path": "patch.yaml"}]}


@pytest.mark.parametrize(
    ("files", "root", "content"),
    [
        pytest.param(
            {
                ARGO: application(
                    {"path": "apps/web", "kustomize": {"images": ["a=b/a:2", "c@sha256:1"], "namePrefix": "x-"}}
                )
            },
            IN_OWN_WAY,
            {
                "resources": ["web.yaml"],
                "images": [{"name": "a", "newName": "b/a", "newTag": "2"}, {"name": "c", "digest": "sha256:1"}],
                "namePrefix": "x-",
            },
            id="images and a prefix of Argo CD",
        ),
        pytest.param(
            {ARGO: application({"path": "apps/web", "kustomize": ALL_PATCHES}), "apps/web/patch.yaml": ""},
            IN_OWN_WAY,
            {"resources": ["web.yaml"], "images": [{"name": "a", "newTag": "1"}], **ALL_PATCHES},
            id="patches of Argo CD",
        ),
        pytest.param(
            {
                FLUX: kustomization(path="./apps/web", components=["../../parts"]),
                "parts/kustomization.yaml": "kind: Component\n",
            },
            BY_FLUX,
            {"resources": ["web.yaml"], "images": [{"name": "a", "newTag": "1"}], "components": ["../../parts"]},
            id="components of Flux",
        ),
    ],
)
def test_a_kustomization_that_is_applied_in_its_own_way(
    files: Mapping[str, str], root: Root, content: Mapping[str, Any]
) -> None:
    found = components({**OVERLAY, **files})
    request = found.render_request(root)
    assert found.roots == (root,)
    assert {path: json.loads(text) for path, text in request.replaced.items()} == {
        "apps/web/kustomization.yaml": content
    }
    for path in files:
        assert found.roots_of(path) == {root}
    assert found.files_of(root) >= {*files, "apps/web/web.yaml"}


def test_another_text_of_a_kustomization_that_is_applied_in_its_own_way() -> None:
    found = components({**OVERLAY, ARGO: application({"path": "apps/web", "kustomize": {"namePrefix": "x-"}})})
    texts = {"apps/web/kustomization.yaml": "resources: [a.yaml]\n", "apps/web/web.yaml": "a: 1\n"}
    replaced = found.render_request(IN_OWN_WAY, texts).replaced
    assert replaced["apps/web/web.yaml"] == "a: 1\n"
    assert json.loads(replaced["apps/web/kustomization.yaml"]) == {"resources": ["a.yaml"], "namePrefix": "x-"}


PLAIN = Root("kustomize", "apps/web")
IN_SHOP = AppliedNamespace("shop", replaces=False)


@pytest.mark.parametrize(
    ("files", "namespace"),
    [
        pytest.param({ARGO: application({"path": "apps/web"})}, IN_SHOP, id="Argo CD"),
        pytest.param(
            {ARGO: application({"path": "apps/web", "kustomize": {"namespace": "a"}})},
            AppliedNamespace("a", replaces=True),
            id="Argo CD, by kustomize",
        ),
        pytest.param(
            {FLUX: kustomization(path="./apps/web", targetNamespace="a")},
            AppliedNamespace("a", replaces=True),
            id="Flux",
        ),
        pytest.param({FLUX: kustomization(path="apps/web")}, AS_DECLARED, id="Flux without a namespace"),
        pytest.param(
            {ARGO: application({"path": "apps/web"}), "b.yaml": application({"path": "apps/web"}, namespace="b")},
            AS_DECLARED,
            id="two",
        ),
        pytest.param(
            {ARGO: application({"path": "apps/web"}), "b.yaml": application({"path": "apps/web"}, name="b")},
            IN_SHOP,
            id="two of one namespace",
        ),
        pytest.param(
            {ARGO: application({"path": "apps/web", "repoURL": OWN + "x"})}, AS_DECLARED, id="of another repository"
        ),
        pytest.param(
            {"charts/a/Chart.yaml": "", "charts/a/templates/a.yaml": application({"path": "apps/web"})},
            AS_DECLARED,
            id="a template",
        ),
    ],
)
def test_the_namespace_of_a_directory(files: Mapping[str, str], namespace: AppliedNamespace) -> None:
    found = components({**OVERLAY, **files})
    assert PLAIN in found.roots
    assert found.namespace_of(PLAIN) == namespace
    placed = found.kustomizations.placements()["apps/web/web.yaml"]
    assert (placed.namespace or AS_DECLARED) == namespace


@pytest.mark.parametrize(
    ("text", "resources"),
    [
        pytest.param(application({"path": "apps"}), {"a.yaml"}, id="Argo CD"),
        pytest.param(
            application({"path": "apps", "directory": {"recurse": True}}),
            {"a.yaml", "b/c.json", "b/d.yaml"},
            id="all below",
        ),
        pytest.param(
            application(
                {"path": "apps", "directory": {"recurse": True, "include": "{*.yaml,b/*}", "exclude": "b/d.yaml"}}
            ),
            {"a.yaml", "b/c.json"},
            id="some of them",
        ),
        pytest.param(kustomization(path="./apps"), {"a.yaml", "b/d.yaml", "k"}, id="Flux"),
    ],
)
def test_a_directory_without_a_kustomization(text: str, resources: set[str]) -> None:
    files = dict.fromkeys(("apps/a.yaml", "apps/b/c.json", "apps/b/d.yaml", "apps/.sops.yaml", "apps/README.md"), "")
    kustomized = {"apps/k/kustomization.yaml": "resources: [e.yaml]\n", "apps/k/e.yaml": ""}
    if "argoproj" in text:
        kustomized = {}
    found = components({**files, **kustomized, ARGO: text})
    (root,) = found.roots
    assert root.directory == "apps"
    assert found.is_plain(root)
    made = json.loads(found.render_request(root).replaced["apps/kustomization.yaml"])
    assert set(made.pop("resources")) - {".sops.yaml"} == resources
    assert made == {}


SUBSTITUTED = {"substitute": {"A": "1"}, "substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]}


@pytest.mark.parametrize(
    ("post_build", "files", "substitution"),
    [
        ({}, {}, None),
        ({"substitute": {}}, {}, None),
        ({"substitute": {"A": "1", "B": 2}}, {}, Substitution({"A": "1", "B": "2"})),
        (SUBSTITUTED, {}, Substitution({"A": "1"}, is_complete=False)),
        (
            SUBSTITUTED,
            {"vars.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\ndata: {A: '2', C: '3'}\n"},
            Substitution({"A": "1", "C": "3"}),
        ),
        ({"substituteFrom": [{"kind": "Secret", "name": "vars"}]}, {}, Substitution({}, is_complete=False)),
    ],
)
def test_the_variables_of_flux(
    post_build: Mapping[str, Any], files: Mapping[str, str], substitution: Substitution | None
) -> None:
    found = components({**WEB, **files, FLUX: kustomization(path="./apps/web", postBuild=post_build)})
    (root,) = found.roots
    assert found.render_request(root).substitution == substitution
    assert found.is_plain(root)


def test_a_variable_makes_rendering_necessary() -> None:
    flux_object = kustomization(path="./apps/web", postBuild={"substitute": {"A": "1"}})
    found = components({"apps/web/web.yaml": "kind: Deployment\nspec: {replicas: '${A}'}\n", FLUX: flux_object})
    assert not found.is_plain(BY_FLUX)


def application_set(generators: list[Any], path: str, *, go: bool) -> str:
    spec = {"source": {"repoURL": OWN, "path": path}, "destination": {"namespace": "shop"}}
    template = {"metadata": {"name": "{{name}}"}, "spec": spec}
    return argo_cd("ApplicationSet", "all", {"generators": generators, "template": template, "goTemplate": go})


LIST = {"list": {"elements": [{"name": "web", "zone": {"at": "eu"}}, {"name": "api", "zone": {"at": "us"}}]}}
GIT = {"git": {"repoURL": OWN, "directories": [{"path": "apps/*"}, {"path": "apps/old", "exclude": True}]}}
CLUSTERS = {"clusters": {"values": {"part": "web"}}}
ANY_DIRECTORY = {"git": {"repoURL": OWN, "directories": [{"path": "apps/*"}]}}
FILES = {"git": {"repoURL": OWN, "files": [{"path": "env/**/*.json"}]}}
MATRIX = {"matrix": {"generators": [ANY_DIRECTORY, LIST]}}
SOME_CLUSTERS = {"clusters": {"values": {"at": "eu"}}}
IN_US = {"list": {"elements": [{"name": "a", "values.at": "us"}]}}
IN_EU = {"list": {"elements": [{"name": "a", "values.at": "eu"}]}}


def merged(*generators: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"merge": {"mergeKeys": ["name"], "generators": [*generators]}}


@pytest.mark.parametrize(
    ("generator", "path", "directories"),
    [
        (LIST, "apps/{{name}}", {"apps/web", "apps/api"}),
        (LIST, "apps/{{name}}/{{ zone.at }}", {"apps/web/eu", "apps/api/us"}),
        (LIST, "go apps/{{.name}}/{{ .zone.at }}", {"apps/web/eu", "apps/api/us"}),
        (GIT, "{{path}}", {"apps/web", "apps/api"}),
        (GIT, "{{path[0]}}/{{path.basename}}", {"apps/web", "apps/api"}),
        (GIT, "go {{.path.path}}", {"apps/web", "apps/api"}),
        (GIT, "go {{index .path.segments 0}}/{{.path.basename}}", {"apps/web", "apps/api"}),
        (FILES, "apps/{{app.name}}", {"apps/web"}),
        (MATRIX, "{{path}}/{{zone.at}}", {"apps/web/eu", "apps/web/us", "apps/api/us"}),
        (CLUSTERS, "apps/{{values.part}}", {"apps/web"}),
        (merged(SOME_CLUSTERS, IN_US), "apps/web/{{values.at}}", {"apps/web/eu", "apps/web/us"}),
        (merged(IN_EU, IN_US), "apps/web/{{values.at}}", {"apps/web/us"}),
        (CLUSTERS, "apps/web/{{name}}", {"apps/web", "apps/web/eu", "apps/web/us"}),
        (CLUSTERS, "apps/web/u{{name}}", {"apps/web/us"}),
        (CLUSTERS, "go {{ .name | lower }}x/eu", set()),
    ],
)
def test_the_directories_of_an_application_set(generator: Any, path: str, directories: set[str]) -> None:
    folders = ("web", "api", "old", "web/eu", "web/us", "api/us")
    files = {f"apps/{folder}/kustomization.yaml": "namePrefix: a-\n" for folder in folders}
    text = application_set([generator], path.removeprefix("go "), go=path.startswith("go "))
    found = components({**files, "env/a.json": '[{"app": {"name": "web"}}]', ARGO: text})
    assert {root.directory for root in found.roots if found.namespace_of(root) == IN_SHOP} == directories


def test_directories_that_parameters_only_may_mean() -> None:
    web = {"apps/web/kustomization.yaml": "namePrefix: a-\n"}
    found = components({**web, ARGO: application_set([LIST], "apps/{{name}}", go=False)})
    assert found.applied_by(ARGO) == ({PLAIN}, set())
    nowhere = components({**web, ARGO: application_set([LIST], "{{name}}", go=False)})
    assert nowhere.applied_by(ARGO) == (set(), {"its directory is not in this repository"})


@pytest.mark.parametrize(
    ("urls", "others", "is_own"),
    [
        ((OWN,), (), True),
        (("git@github.com:O/R",), (), True),
        (("https://github.com/o/old", "ssh://git@github.com:22/o/r.git"), (), True),
        (("https://github.com/o/other",), (), False),
        ((), (), True),
        ((), ({"repoURL": "https://github.com/o/other", "path": "none"},), True),
        ((), ({"repoURL": "https://github.com/o/other", "path": "apps/web"},), False),
        ((), ({"repoURL": OWN, "path": "none"},), False),
    ],
)
def test_which_repository_is_this_one(
    urls: tuple[str, ...], others: tuple[Mapping[str, Any], ...], is_own: bool
) -> None:
    texts = {f"{number}.yaml": application(source) for number, source in enumerate(others)}
    found = components({**OVERLAY, **texts, ARGO: application({"path": "apps/web"})}, urls)
    assert (found.namespace_of(PLAIN) == IN_SHOP) is is_own


@pytest.mark.parametrize(
    ("revision", "branch", "expected"),
    [
        ("", "", ""),
        ("HEAD", "", ""),
        ("main", "", ""),
        ("main", "release", "main"),
        ("refs/heads/release", "release", ""),
        ("v1.0", "", "v1.0"),
    ],
)
def test_a_revision_that_is_not_the_branch(revision: str, branch: str, expected: str) -> None:
    text = application({"path": "apps/web", "targetRevision": revision})
    assert components({**OVERLAY, ARGO: text}, branch=branch).revisions_of(PLAIN) == {expected}


@pytest.mark.parametrize(
    ("helm", "roots"),
    [
        ({}, {"Application web in argo.yaml"}),
        ({"valueFiles": ["values-prod.yaml"]}, {"Application web in argo.yaml"}),
        ({"valueFiles": ["values-.yaml"]}, {"Application web in argo.yaml", "values-dev.yaml", "values-prod.yaml"}),
        ({"valueFiles": ["https://example.org/a"]}, {"Application web in argo.yaml"}),
    ],
)
def test_values_of_an_environment_that_nobody_knows(helm: dict[str, Any], roots: set[str]) -> None:
    values = {"charts/web/values-dev.yaml": "a: 1\n", "charts/web/values-prod.yaml": "a: 2\n"}
    found = components({**CHART, **values, "argo.yaml": application({"path": "charts/web", "helm": helm})})
    assert {root.applied_by for root in found.roots if root.directory == "charts/web"} == roots


def test_charts_of_objects_that_a_change_does_not_reach_make_none_that_matter() -> None:
    chart = {"all/Chart.yaml": "", "all/templates/a.yaml": "kind: Application\nmetadata: {name: {{ .a }}}\n"}
    found = components({**chart, **OVERLAY, "all/values-dev.yaml": "a: 1\n", "all/values-prod.yaml": "a: 2\n"})
    dev, prod = (Root("helm", "all", name) for name in ("values-dev.yaml", "values-prod.yaml"))
    assert found.object_makers({"all/values-dev.yaml"}) == {dev}
    assert found.object_makers({"all/templates/a.yaml"}) == {dev, prod}
    assert found.object_makers({"apps/web/kustomization.yaml"}) == {dev, prod}


def test_objects_that_are_rendered_say_more_than_their_files() -> None:
    patched = {
        "argo/kustomization.yaml": "resources: [web.yaml]\npatches: [{path: patch.yaml}]\n",
        "argo/web.yaml": application({"path": "charts/web"}),
        "argo/patch.yaml": argo_cd("Application", "web", {"source": {"helm": {"values": "a: 2\n"}}}),
    }
    made = {
        "charts/all/Chart.yaml": "",
        "charts/all/templates/a.yaml": "kind: Application\nmetadata: {name: {{ .a }}}\n",
    }
    found = components({**CHART, **OVERLAY, **patched, **made})
    argo, all_charts = Root("kustomize", "argo"), Root("helm", "charts/all")
    assert found.object_makers(None) == found.object_makers({"charts/web/values.yaml"}) == {all_charts, argo}
    assert found.object_makers({"argo/patch.yaml"}) == {all_charts, argo}
    assert found.object_makers({"apps/web/web.yaml"}) == {all_charts}
    assert found.object_makers({"README.md"}) == set()
    assert (
        components({**made, **WEB, "apps/web/kustomization.yaml": "resources: [web.yaml]\n"}).object_makers(
            {"apps/web/web.yaml"}
        )
        == set()
    )
    again = found.with_renderings(
        {
            argo: application({"path": "charts/web", "helm": {"values": "a: 2\n"}}),
            all_charts: application({"path": "apps/web"}, name="shop"),
        },
        RenderedValues(),
    )
    web = Root("helm", "charts/web", "Application web in argo/web.yaml")
    assert found.render_request(web).values == ()
    assert again.render_request(web).values == ("a: 2\n",)
    assert again.roots == (PLAIN, argo, all_charts, web)
    assert again.applied_otherwise(found) == {web}
    assert found.applied_otherwise(found) == set()
    assert (found.namespace_of(PLAIN), again.namespace_of(PLAIN)) == (AS_DECLARED, IN_SHOP)
