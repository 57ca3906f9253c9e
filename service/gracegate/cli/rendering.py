"""How the commands render: on all cores, with a renderer that is compiled at the first need, and a progress bar."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gracegate import git, settings
from gracegate.cli.request import CheckOptions, top_directory
from gracegate.cli.terminal import Progress
from gracegate.manifests import render_nothing
from gracegate.model import Render, RenderBatch, Rendering, RenderRequest

if TYPE_CHECKING:
    from gracegate.rendering import WasmRenderer

_BATCH = 64
"""Requests for one run of the renderer, which reads the whole tree for them."""
_MAX_THREADS = 8
_BASELINE_ROOTS = 200
"""Above that the time that a baseline renderer loses is about the time that it is compiled sooner."""


def build_renderer(options: CheckOptions, shown: Progress) -> Render:
    """What renders the roots that the options ask for."""
    if options.no_render:
        return render_nothing
    if not options.roots:
        return CommandLineRenderer(shown)
    top = top_directory(options.paths or (".",))
    if options.base is not None:
        top = git.find_top_level(top)
    wrong = next((root for root in options.roots if not Path(root).is_dir()), None)
    if wrong is not None:
        raise click.UsageError(f"--root {wrong} is no directory")
    directories = (Path(os.path.relpath(os.path.realpath(root), os.path.realpath(top))) for root in options.roots)
    return CommandLineRenderer(shown, frozenset("" if path == Path() else path.as_posix() for path in directories))


@dataclass
class CommandLineRenderer:
    """Renders roots, where `directories` are given only those in them. A model.Render.

    Where there is nothing to render, no renderer is loaded.
    """

    shown: Progress
    directories: Collection[str] | None = None
    _loaded: list[WasmRenderer] = field(default_factory=list)

    def __call__(self, batches: Sequence[RenderBatch], minor: int) -> list[Rendering]:
        """A rendering for each request."""
        asked = [request for batch in batches for request in batch.requests]
        chosen = [replace(batch, requests=[*filter(self._is_chosen, batch.requests)]) for batch in batches]
        rendered = iter(self._render(chosen, minor) if any(map(self._is_chosen, asked)) else ())
        return [
            next(rendered) if self._is_chosen(request) else nothing
            for request, nothing in zip(asked, render_nothing(batches, minor), strict=True)
        ]

    def _is_chosen(self, request: RenderRequest) -> bool:
        return self.directories is None or request.root.directory in self.directories

    def _render(self, batches: Sequence[RenderBatch], minor: int) -> list[Rendering]:
        roots = sum(len(batch.requests) for batch in batches)
        renderer = self._renderer(roots)
        threads = min(os.cpu_count() or 1, _MAX_THREADS)
        with self.shown.step("Rendering", roots):
            return renderer.render_all(batches, minor, threads, self._count)

    def _renderer(self, roots: int) -> WasmRenderer:
        from gracegate.rendering import RenderLimits, WasmRenderer, find_renderer  # noqa: PLC0415 - slow to import

        if not self._loaded:
            limits = replace(RenderLimits(), roots=_BATCH)
            folder = settings.cache_dir()
            self._loaded.append(WasmRenderer(find_renderer(), folder, limits, baseline_roots=_BASELINE_ROOTS))
        with self.shown.step("Compiling the renderer, once on this machine"):
            self._loaded[0].load(roots)
        return self._loaded[0]

    def _count(self) -> None:
        self.shown.done += 1
