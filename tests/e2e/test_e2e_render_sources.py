"""Bases in other repositories: named where the operator does not allow them, else fetched by the service and judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate.rendering import find_renderer
from tests.e2e.conftest import AT_ONCE
from tests.e2e.scene import Scene, start_scene

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


@pytest.fixture(autouse=True)
def _needs_the_renderer() -> None:
    if find_renderer() is None:
        pytest.skip("needs the renderer: run `make tools`")


def review_other_base(scene: Scene) -> tuple[Scene, int, str]:
    """Reviews a pull request whose overlay names a newer commit of a base, which has lost its readinessProbe."""
    scene.fake.create_repository("platform/bases", private=False)
    old = scene.fake.push("platform/bases", "main", BASE)
    new = scene.fake.push("platform/bases", "main", {"base/web.yaml": WEB.replace(PROBE, "")})
    address = f"{scene.fake.git_url}/platform/bases.git//base?ref="
    overlay = {sha: f"resources:\n- {address}{sha}\nnamePrefix: prod-\n" for sha in (old, new)}
    scene = scene.in_repository("shop/overlays", {"prod/kustomization.yaml": overlay[old]})
    return scene, scene.open_and_review({"prod/kustomization.yaml": overlay[new]}), new


def test_a_base_of_another_repository_is_named_with_how_to_allow_it(tmp_path: Path) -> None:
    with start_scene(tmp_path, **AT_ONCE) as scene:
        shop, number, new = review_other_base(scene)
        (check,) = shop.checks(number)
        assert (check.conclusion, shop.comments(number)) == ("neutral", [])
        assert (
            f"`127.0.0.1/platform/bases` (commit `{new[:7]}`, not in `GRACEGATE_RENDER_SOURCES` or `--fetch`)"
            in check.summary
        )


def test_an_allowed_base_of_another_repository_is_judged_on_the_line_that_names_it(tmp_path: Path) -> None:
    with start_scene(tmp_path, **AT_ONCE, GRACEGATE_RENDER_SOURCES="{github}/platform/*") as scene:
        shop, number, _ = review_other_base(scene)
        assert shop.conclusions(number) == ["failure"]
        (comment,) = shop.comments(number)
        assert (comment.anchor.path, comment.anchor.line) == ("prod/kustomization.yaml", 2)
        assert "readinessProbe" in comment.body
        assert "```suggestion" not in comment.body
