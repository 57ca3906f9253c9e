"""Kustomizations and charts in the child process: which reviews load the renderer, and what ends one root alone."""

from __future__ import annotations

import datetime as dt
import gzip
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gracegate.errors import EngineUnavailable, InputsMissing
from gracegate.model import FileDiff, RenderBatch, RenderRequest, Report, Root, SourceFile, Tree
from gracegate.review.sandbox import run_check
from gracegate.review.sandboxed_check import CheckJob, sandboxed_check
from gracegate.review.sandboxed_render import SandboxedRenderer
from tests import shop
from tests.processes import WAIT_SECONDS
from tests.shop import READINESS

# A part of them is for rendering, on a busy machine too.
_SECONDS = 10 * WAIT_SECONDS
PLAIN = {"web.yaml": f"{shop.DEPLOYMENT}---\n{shop.SERVICE}"}
NO_PROBE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: web
          readinessProbe: null
"""
BASE = {
    **{f"base/{path}": text for path, text in PLAIN.items()},
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "prod/kustomization.yaml": "resources: [../base]\nnamespace: prod\n",
}
OVERLAY = {
    "prod/kustomization.yaml": "resources: [../base]\nnamespace: prod\npatches: [{path: patch.yaml}]\n",
    "prod/patch.yaml": NO_PROBE,
}


def run(
    base: Mapping[str, str],
    changed: Mapping[str, str],
    renderer: Path | None,
    cache_dir: Path,
    others: frozenset[str] = frozenset(),
    renderings: Path | None = None,
) -> Report:
    """The report of a pull request, made in a child."""
    job = replace(job_of(base, changed, renderer, cache_dir, others), renderings=renderings)
    return run_check(job, _SECONDS, 1024)


def job_of(
    base: Mapping[str, str],
    changed: Mapping[str, str],
    renderer: Path | None,
    cache_dir: Path,
    others: frozenset[str] = frozenset(),
) -> CheckJob:
    trees = [
        Tree({path: SourceFile(path, text.encode()) for path, text in files.items()}, others=others)
        for files in (base, {**base, **changed})
    ]
    diff = tuple(FileDiff(path, "modified" if path in base else "added") for path in changed)
    today = dt.date(2026, 1, 1)
    return CheckJob(trees[0], Tree({}), trees[1], diff, today, None, cache_dir, _SECONDS, renderer=renderer)


def test_a_change_of_plain_manifests_loads_no_renderer(tmp_path: Path) -> None:
    report = run(BASE, {"base/notes.yaml": "a: b\n", **PLAIN}, tmp_path / "missing.wasm", tmp_path)
    assert (report.verdict, report.problems) == ("pass", ())


def test_a_renderer_that_nobody_has_compiled_asks_for_another_attempt(tmp_path: Path) -> None:
    (tmp_path / "renderer.wasm.gz").write_bytes(gzip.compress(b"(module)"))
    with pytest.raises(EngineUnavailable, match=r"^the renderer is not compiled$"):
        run(BASE, OVERLAY, tmp_path / "renderer.wasm.gz", tmp_path)


def test_without_a_renderer_what_would_be_rendered_is_named(tmp_path: Path) -> None:
    report = run(BASE, OVERLAY, None, tmp_path)
    assert (report.verdict, report.findings, [p.code for p in report.problems]) == ("pass", (), ["not_rendered"])


def test_a_change_of_an_overlay_is_judged_by_what_it_renders_to(renderer: Path, tmp_path: Path) -> None:
    report = run(BASE, OVERLAY, renderer, tmp_path)
    assert [(f.rule, f.file, f.line, f.status) for f in report.findings] == [
        (READINESS, "prod/patch.yaml", 9, "introduced")
    ]


def test_what_a_former_check_has_rendered_is_not_rendered_again(renderer: Path, tmp_path: Path) -> None:
    """Here it could not be: the second check has the same renderer, which nobody has compiled for it."""
    report = run(BASE, OVERLAY, renderer, tmp_path / "cache", renderings=tmp_path / "kept")
    again = shutil.copy(renderer, tmp_path / renderer.name)
    second = run(BASE, OVERLAY, again, tmp_path / "empty", renderings=tmp_path / "kept")
    assert replace(second, seconds=report.seconds) == report
    with pytest.raises(EngineUnavailable, match="is not compiled"):
        run(BASE, OVERLAY, again, tmp_path / "empty", renderings=tmp_path / "others")


BOMB = {
    "bomb/Chart.yaml": "apiVersion: v2\nname: bomb\nversion: 1.0.0\n",
    "bomb/templates/a.yaml": "{{ range until 1000000000 }}a{{ end }}",
}


def test_a_bomb_ends_its_own_root_alone(renderer: Path, tmp_path: Path) -> None:
    report = run(BASE, {**OVERLAY, **BOMB}, renderer, tmp_path)
    assert [(f.rule, f.file) for f in report.findings] == [(READINESS, "prod/patch.yaml")]
    assert [(p.code, p.file, p.message.partition(": ")[2]) for p in report.problems] == [
        ("render_limit", "bomb/Chart.yaml", "rendering needs more than 512 MB.")
    ]


LOOP = {
    "loop/Chart.yaml": b"name: loop\nversion: 1.0.0\n",
    "loop/templates/a.yaml": b"{{- range until 20000 }}{{ range until 20000 }}{{ end }}{{ end }}",
}


def test_what_a_busy_machine_interrupts_is_named(renderer: Path, tmp_path: Path) -> None:
    render = SandboxedRenderer(renderer, tmp_path, lambda: 2.0)
    (rendering,) = render([RenderBatch(LOOP, [RenderRequest(Root("helm", "loop"))])], 30)
    assert rendering.problem is not None
    assert (rendering.problem.code, render.was_interrupted) == ("interrupted", True)


def test_what_a_busy_machine_interrupts_is_tried_again(renderer: Path, tmp_path: Path) -> None:
    changed = {**OVERLAY, **{path: text.decode() for path, text in LOOP.items()}}
    job = replace(job_of(BASE, changed, renderer, tmp_path), may_retry=True, seconds=12.0, renderings=tmp_path / "kept")
    with pytest.raises(EngineUnavailable, match=r"^this machine was too busy to render all roots in time$"):
        sandboxed_check(job)
    assert [*(tmp_path / "kept").iterdir()] != []


def test_a_root_that_reads_what_was_not_fetched_asks_for_it(renderer: Path, tmp_path: Path) -> None:
    base = {
        **BASE,
        "base/kustomization.yaml": "resources: [web.yaml]\nconfigMapGenerator: [{name: a, files: [a.conf]}]\n",
    }
    with pytest.raises(InputsMissing) as caught:
        run(base, OVERLAY, renderer, tmp_path, others=frozenset({"base/a.conf", "base/b.conf"}))
    assert caught.value.paths == ("base/a.conf",)
