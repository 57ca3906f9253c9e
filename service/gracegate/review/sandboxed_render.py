"""How the child process renders: with what the worker has compiled, and in a part of the check's time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gracegate.errors import EngineUnavailable
from gracegate.model import Render, Rendering, RenderRequest

if TYPE_CHECKING:
    from gracegate.rendering import WasmRenderer

_SHARE = 0.4
"""Of the time that is left, for each call: those for base and head, and those that verify fixes, all end in time."""


def sandboxed_render(
    wasm: Path, cache_dir: Path | None, seconds_left: Callable[[], float], *, may_retry: bool = False
) -> Render:
    """Renders with the module `wasm`, which is loaded with the first root: most pull requests reach none.

    What it returns raises EngineUnavailable where nobody has compiled it, as the child has neither time nor memory for
    that, and where there will be another attempt at what this machine was too busy for.
    """
    loaded: list[WasmRenderer] = []

    def render(files: Mapping[str, bytes], requests: Sequence[RenderRequest], minor: int) -> list[Rendering]:
        from gracegate.rendering import RenderLimits, WasmRenderer  # noqa: PLC0415 - see above

        if not loaded:
            renderer = WasmRenderer(wasm, cache_dir, may_compile=False)
            if problem := renderer.load():
                raise EngineUnavailable(problem.message)
            loaded.append(renderer)
        limits = replace(RenderLimits(), seconds=_SHARE * max(0.0, seconds_left()))
        renderings = loaded[0].render(files, requests, minor, limits)
        if may_retry and any(one.problem is not None and one.problem.code == "interrupted" for one in renderings):
            raise EngineUnavailable("this machine was too busy to render all roots in time")
        return renderings

    return render
