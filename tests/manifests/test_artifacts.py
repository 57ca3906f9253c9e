"""What GitOps objects take from registries: what is asked for, which source is meant, and where its files are."""

from __future__ import annotations

import pytest

from gracegate.manifests import read_components, unread_sources
from gracegate.manifests.components import Components
from gracegate.model import Limits, PinnedSource, RenderSources, Root, SourceFile, SourceLine, Tree

URL = "oci://ghcr.io/o/charts/web"
ONE, TWO = (PinnedSource(URL, f"sha256:{number * 64}") for number in "12")
SOURCES = RenderSources(("oci://ghcr.io/o/*",))
CHART = {
    "Chart.yaml": "name: web\nversion: 1.0.0\n",
    "values-dev.yaml": "",
    "templates/a.yaml": "kind: Deployment\n",
    "charts/b/Chart.yaml": "name: b\n",
}
FOLDER = f".git/ghcr.io/o/charts/web@sha256-{'1' * 64}"


def files(texts: dict[str, str]) -> dict[str, SourceFile]:
    return {path: SourceFile(path, text.encode()) for path, text in texts.items()}


def components(texts: dict[str, str], *fetched: PinnedSource) -> Components:
    tree = Tree(files(texts), fetched={source: Tree(files(CHART)) for source in fetched})
    return read_components(tree, Limits())


def repository(ref: str, namespace: str = "", url: str = URL) -> str:
    return (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\n"
        f"metadata: {{name: web, namespace: {namespace}}}\nspec:\n  url: {url}\n  ref: {{{ref}}}\n"
    )


def release(namespace: str = "", of: str = "") -> str:
    return (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n"
        f"metadata: {{name: web, namespace: {namespace}}}\n"
        f"spec:\n  chartRef: {{kind: OCIRepository, name: web, namespace: {of}}}\n"
    )


def application(revision: str, more: str = "path: .") -> str:
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\n"
        f"spec:\n  source: {{repoURL: '{URL}', targetRevision: '{revision}', {more}}}\n"
    )


DIGEST, OTHER = f"digest: '{ONE.revision}'", f"digest: '{TWO.revision}'"


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ({"a.yaml": repository(DIGEST)}, []),
        ({"a.yaml": release()}, []),
        ({"a.yaml": repository(DIGEST), "b.yaml": release()}, [ONE]),
        ({"a.yaml": repository(f"tag: 1.0.0, semver: '>1', {DIGEST}"), "b.yaml": release()}, [ONE]),
        ({"a.yaml": repository("tag: 1.0.0"), "b.yaml": release()}, []),
        ({"a.yaml": repository(f"tag: '1.0.0@{ONE.revision}'"), "b.yaml": release()}, [ONE]),
        ({"a.yaml": repository("digest: 'sha256:12'"), "b.yaml": release()}, []),
        ({"a.yaml": repository(DIGEST, url="oci://docker.io/o/web"), "b.yaml": release()}, []),
        ({"a.yaml": repository(DIGEST, url="oci://ghcr.io/o/../p/web"), "b.yaml": release()}, []),
        ({"a.yaml": repository(DIGEST, url="https://ghcr.io/o/web"), "b.yaml": release()}, []),
        # Which one is meant
        ({"a.yaml": repository(DIGEST, "apps"), "b.yaml": release("apps")}, [ONE]),
        ({"a.yaml": repository(DIGEST, "apps"), "b.yaml": release("infra")}, []),
        ({"a.yaml": repository(DIGEST, "apps"), "b.yaml": release("infra", "apps")}, [ONE]),
        (
            {"a.yaml": repository(DIGEST, "apps") + "---\n" + repository(OTHER, "infra"), "b.yaml": release("infra")},
            [TWO],
        ),
        ({"a/a.yaml": repository(DIGEST), "b/a.yaml": repository(OTHER), "b/b.yaml": release()}, [TWO]),
        ({"a/a.yaml": repository(DIGEST), "b/a.yaml": repository(OTHER), "c/b.yaml": release()}, []),
        ({"a/a.yaml": repository(DIGEST), "b/a.yaml": repository(DIGEST), "c/b.yaml": release()}, [ONE]),
        # Argo CD
        ({"a.yaml": application(ONE.revision)}, [ONE]),
        ({"a.yaml": application(f"1.0.0@{ONE.revision}")}, [ONE]),
        ({"a.yaml": application("1.0.0")}, []),
        ({"a.yaml": application(ONE.revision, "path: ../web")}, []),
        ({"a.yaml": application(ONE.revision, "path: ., plugin: {name: a}")}, []),
        ({"a.yaml": application(ONE.revision, "chart: web")}, []),
    ],
)
def test_what_is_asked_for(texts: dict[str, str], wanted: list[PinnedSource]) -> None:
    assert unread_sources(components(texts), None, SOURCES) == dict.fromkeys(wanted, frozenset())
    assert unread_sources(components(texts), {"other.yaml"}, SOURCES) == {}
    assert unread_sources(components(texts, ONE, TWO), None, SOURCES) == {}


def test_a_chart_is_a_root_by_what_installs_it() -> None:
    texts = {"a.yaml": repository(DIGEST), "b.yaml": release(), "c.yaml": repository("tag: 1").replace("web", "c")}
    root = Root("helm", URL, "HelmRelease web in b.yaml")
    found = components(texts, ONE, TWO)
    assert found.roots == (root,)
    assert found.missing_parts(root) == frozenset()
    assert found.files_of(root) == {
        "a.yaml",
        "b.yaml",
        *(f"{FOLDER}/{path}" for path in CHART if path != "values-dev.yaml"),
    }
    assert found.roots_of("a.yaml") == {root}
    assert found.file_of(root) == "b.yaml"
    assert found.render_request(root).folder == FOLDER
    assert found.line_that_names(root, f"{FOLDER}/templates/a.yaml") == SourceLine("a.yaml", 6)


def test_the_same_chart_of_two_digests() -> None:
    texts = {
        f"{place}/{name}.yaml": text
        for place, ref in (("dev", DIGEST), ("prod", OTHER))
        for name, text in (("source", repository(ref)), ("release", release()))
    }
    found = components(texts, ONE, TWO)
    assert [(root.applied_by, found.render_request(root).folder[-3:]) for root in found.roots] == [
        ("HelmRelease web in dev/release.yaml", "111"),
        ("HelmRelease web in prod/release.yaml", "222"),
    ]
