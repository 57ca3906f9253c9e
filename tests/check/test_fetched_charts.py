"""What Flux and Argo CD take from a registry by its digest: rendered, and said on lines of the tree."""

from __future__ import annotations

import pytest

from gracegate.model import PinnedSource, Problem, Tree
from gracegate.rendering import WasmRenderer
from tests import shop
from tests.check.reports import said_over, tree
from tests.shop import DEPLOYMENT, PRESTOP, READINESS, SERVICE

URL = "oci://registry.example/charts/web"
OLD, NEW, BARE, PLAIN, OTHER, NO_CHART, GONE, UNKNOWN = (PinnedSource(URL, f"sha256:{n * 64}") for n in "01234567")
TAGGED = PinnedSource(URL, "1.0.0")
PROBE = """\
          {{- with .Values.readinessProbe }}
          readinessProbe:
            {{- toYaml . | nindent 12 }}
          {{- end }}
"""
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "values.yaml": "readinessProbe:\n  httpGet: {path: /ready, port: 8080}\n",
    "values-prod.yaml": "readinessProbe: null\n",
    "templates/web.yaml": shop.WITHOUT_BOTH + PROBE + shop.DRAIN,
    "templates/service.yaml": SERVICE,
}
MANIFESTS = {
    "deploy/kustomization.yaml": "resources: [web.yaml, service.yaml]\n",
    "deploy/web.yaml": DEPLOYMENT,
    "deploy/service.yaml": SERVICE,
    "plain/web.yaml": DEPLOYMENT,
    "plain/service.yaml": SERVICE,
}
FETCHED = {
    OLD: tree(CHART),
    NEW: tree(CHART | {"templates/web.yaml": shop.WITHOUT_BOTH + PROBE}),
    BARE: tree(CHART | {"values.yaml": ""}),
    PLAIN: tree(MANIFESTS),
    OTHER: tree({path: text.replace(shop.DRAIN, "") for path, text in MANIFESTS.items()}),
    NO_CHART: tree({"README.md": "x"}),
    GONE: Tree({}, (Problem("", 0, "not_fetched", "not fetched: the server answers 404"),)),
}


def repository(source: PinnedSource) -> str:
    digest = "" if source is TAGGED else f"    digest: {source.revision}\n"
    return (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: web}\nspec:\n  interval: 1h\n"
        f"  url: {source.url}\n  ref:\n    tag: 1.0.0\n{digest}"
    )


def release(values: str = "", name: str = "web") -> str:
    return (
        f"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}}}\nspec:\n  interval: 1h\n"
        f"  chartRef: {{kind: OCIRepository, name: web}}\n{values}"
    )


def flux(source: PinnedSource, values: str = "") -> dict[str, str]:
    return {"apps/source.yaml": repository(source), "apps/web.yaml": release(values)}


def kustomization(source: PinnedSource, path: str) -> dict[str, str]:
    return {
        "apps/source.yaml": repository(source),
        "apps/web.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web}\n"
        f"spec:\n  sourceRef: {{kind: OCIRepository, name: web}}\n  path: {path}\n",
    }


def application(source: PinnedSource, path: str = ".", helm: str = "") -> dict[str, str]:
    return {
        "app.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\nspec:\n"
        f"  destination: {{namespace: prod}}\n  source:\n    repoURL: {source.url}\n    path: {path}\n"
        f"    targetRevision: {source.revision}\n{helm}"
    }


OWN_PROBE = "  values:\n    readinessProbe:\n      httpGet: {path: /ready, port: 8080}\n"
NO_PROBE = "  values:\n    replicas: 2\n"
NO_DRAIN = [(PRESTOP, "apps/source.yaml:9", "unmapped")]
LACKING = f"What `{{}}` changes is not evaluated, because it needs what is not in this repository: `{URL}` ({{}})."
REF = "spec.ref` of OCIRepository `web"
NOT_ALLOWED = "digest `7777777`, not in `GRACEGATE_RENDER_SOURCES` or `--fetch`"
CASES = {
    # HelmReleases
    "nothing": (flux(OLD), {}, [], []),
    "another digest": (flux(OLD), flux(NEW), NO_DRAIN, []),
    "the digest that it had before": (flux(NEW), flux(OLD), [], []),
    "values over a fault that was there": (flux(NEW), flux(NEW, OWN_PROBE), [], []),
    "a fault of two releases": (
        flux(OLD) | {"apps/other.yaml": release(name="other")},
        flux(NEW) | {"apps/other.yaml": release(name="other")},
        NO_DRAIN,
        [],
    ),
    "values without a probe": (
        flux(BARE, OWN_PROBE),
        flux(BARE, NO_PROBE),
        [(READINESS, "apps/web.yaml:8", "apps/web.yaml")],
        [],
    ),
    "a new release": ({"a.yaml": ""}, {"a.yaml": ""} | flux(NEW), NO_DRAIN, []),
    "a digest beside the tag": (flux(TAGGED), flux(NEW), [], []),
    "another tag": (
        flux(TAGGED),
        {path: text.replace("1.0.0", "1.0.1") for path, text in flux(TAGGED).items()},
        [],
        [LACKING.format(REF, "`1.0.1`, not pinned to a digest")],
    ),
    "values over a tag": (
        flux(TAGGED),
        flux(TAGGED, NO_PROBE),
        [],
        [LACKING.format("spec.values` of HelmRelease `web", "`1.0.0`, not pinned to a digest")],
    ),
    "a digest that nobody has": (
        flux(OLD),
        flux(GONE),
        [],
        [LACKING.format(REF, "digest `6666666`, not fetched: the server answers 404")],
    ),
    "a digest that was not to be fetched": (flux(OLD), flux(UNKNOWN), [], [LACKING.format(REF, NOT_ALLOWED)]),
    "what is no chart": (
        flux(OLD),
        flux(NO_CHART),
        [],
        [f"What `{REF}` changes is not evaluated, because the artifact is no chart."],
    ),
    # Kustomizations of Flux
    "other manifests": (kustomization(PLAIN, "./plain"), kustomization(OTHER, "./plain"), NO_DRAIN, []),
    "another kustomization": (kustomization(PLAIN, "./deploy"), kustomization(OTHER, "./deploy"), NO_DRAIN, []),
    # Applications of Argo CD
    "another digest of an Application": (application(OLD), application(NEW), [(PRESTOP, "app.yaml:9", "unmapped")], []),
    "a file of values in the artifact": (
        application(OLD),
        application(OLD, helm="    helm: {valueFiles: [values-prod.yaml]}\n"),
        [(READINESS, "app.yaml:9", "unmapped")],
        [],
    ),
    "a digest for a tag": (application(TAGGED), application(NEW), [], []),
    "other manifests of an Application": (
        application(PLAIN, "plain"),
        application(OTHER, "plain"),
        [(PRESTOP, "app.yaml:9", "unmapped")],
        [],
    ),
    "another kustomization of an Application": (
        application(PLAIN, "deploy"),
        application(OTHER, "deploy"),
        [(PRESTOP, "app.yaml:9", "unmapped")],
        [],
    ),
}


@pytest.mark.parametrize(("base", "head", "findings", "problems"), CASES.values(), ids=CASES.keys())
def test_changes(renderer: WasmRenderer, base, head, findings, problems) -> None:
    assert said_over(FETCHED, base, head or base, renderer.render) == (findings, problems)
