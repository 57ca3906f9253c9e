"""Bases in other repositories and charts in registries: named where the operator does not allow them, else fetched by
the service and judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate.policy.sources import pack
from gracegate.render_sources.artifacts import CHART_LAYER
from gracegate.rendering import find_renderer
from tests.e2e.conftest import AT_ONCE
from tests.e2e.scene import Scene, start_scene
from tests.policy.sources.bundle_server import BundleServer, serve_bundles

WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: web:1
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /ready
              port: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 5
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
      targetPort: 8080
"""
PROBE = """          readinessProbe:
            httpGet:
              path: /ready
              port: 8080
"""
BASE = {"base/kustomization.yaml": "resources:\n- web.yaml\n", "base/web.yaml": WEB}
RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: shop
spec:
  chartRef:
    kind: OCIRepository
    name: web
"""
SOURCE = """apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: web
  namespace: shop
spec:
  url: oci://{address}/charts/web
  ref:
    digest: {digest}
"""


@pytest.fixture(autouse=True)
def _needs_the_renderer() -> None:
    if find_renderer() is None:
        pytest.skip("needs the renderer: run `make tools`")


def chart_source(registry: BundleServer, web: str) -> str:
    """An OCIRepository of a chart in the registry that has these manifests."""
    chart = {"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "web/templates/web.yaml": web}
    packed = pack({path: text.encode() for path, text in chart.items()})
    return SOURCE.format(address=registry.address, digest=registry.push("charts/web", "1", packed, CHART_LAYER))


def review_other_sources(scene: Scene, registry: BundleServer) -> tuple[Scene, int, str, str]:
    """Reviews a pull request whose overlay names a newer commit of a base, and whose HelmRelease gets a newer chart:
    both have lost their readinessProbe."""
    scene.fake.create_repository("platform/bases", private=False)
    old = scene.fake.push("platform/bases", "main", BASE)
    new = scene.fake.push("platform/bases", "main", {"base/web.yaml": WEB.replace(PROBE, "")})
    address = f"{scene.fake.git_url}/platform/bases.git//base?ref="
    overlay = {sha: f"resources:\n- {address}{sha}\nnamePrefix: prod-\n" for sha in (old, new)}
    source = {sha: chart_source(registry, web) for sha, web in ((old, WEB), (new, WEB.replace(PROBE, "")))}
    before, after = ({"prod/kustomization.yaml": overlay[sha], "apps/source.yaml": source[sha]} for sha in (old, new))
    scene = scene.in_repository("shop/overlays", {"apps/web.yaml": RELEASE, **before})
    digest = source[new].strip().rpartition("sha256:")[2][:7]
    return scene, scene.open_and_review(after), new[:7], digest


def test_what_is_elsewhere_is_named_with_how_to_allow_it(tmp_path: Path) -> None:
    with serve_bundles() as registry, start_scene(tmp_path, **AT_ONCE) as scene:
        shop, number, new, digest = review_other_sources(scene, registry)
        (check,) = shop.checks(number)
        assert (check.conclusion, shop.comments(number), registry.requests) == ("neutral", [], [])
        setting = "not in `GRACEGATE_RENDER_SOURCES` or `--fetch`"
        assert f"`127.0.0.1/platform/bases` (commit `{new}`, {setting})" in check.summary
        assert f"`oci://{registry.address}/charts/web` (digest `{digest}`, {setting})" in check.summary


def test_what_is_elsewhere_and_allowed_is_judged_on_the_lines_that_name_it(tmp_path: Path) -> None:
    with serve_bundles() as registry:
        allowed = f"{{github}}/platform/*,oci://{registry.address}/charts/*"
        with start_scene(tmp_path, **AT_ONCE, GRACEGATE_RENDER_SOURCES=allowed) as scene:
            shop, number, *_ = review_other_sources(scene, registry)
            assert shop.conclusions(number) == ["failure"]
            comments = sorted(shop.comments(number), key=lambda comment: comment.anchor.path)
            assert [(one.anchor.path, one.anchor.line) for one in comments] == [
                ("apps/source.yaml", 9),
                ("prod/kustomization.yaml", 2),
            ]
            for comment in comments:
                assert "readinessProbe" in comment.body
                assert "```suggestion" not in comment.body
