"""How the child process renders: with what the worker has compiled, and in a part of the check's time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gracegate.errors import EngineUnavailable
from gracegate.model import RenderBatch, Rendering

if TYPE_CHECKING:
    from gracegate.rendering import WasmRenderer

_SHARE = 0.4
"""Of the time that is left, for each call: those for base and head, and those that verify fixes, all end in time."""


@dataclass
class SandboxedRenderer:
    """Renders with the module `wasm`, which is loaded with the first root: most pull requests reach none.

    Raises EngineUnavailable where nobody has compiled it, as the child has neither time nor memory for that. It
    `was_interrupted` where this machine was too busy for all roots. A model.Render.
    """

    wasm: Path
    cache_dir: Path | None
    seconds_left: Callable[[], float]
    was_interrupted: bool = False
    _loaded: WasmRenderer | None = None

    def __call__(self, batches: Sequence[RenderBatch], minor: int) -> list[Rendering]:
        """A rendering for each request."""
        from gracegate.rendering import RenderLimits  # noqa: PLC0415 - see above

        limits = replace(RenderLimits(), seconds=_SHARE * max(0.0, self.seconds_left()))
        renderings = self._renderer().render(batches, minor, limits)
        self.was_interrupted |= any(one.problem is not None and one.problem.code == "interrupted" for one in renderings)
        return renderings

    def _renderer(self) -> WasmRenderer:
        from gracegate.rendering import WasmRenderer  # noqa: PLC0415 - see above

        if self._loaded is None:
            renderer = WasmRenderer(self.wasm, self.cache_dir, may_compile=False)
            if problem := renderer.load():
                raise EngineUnavailable(problem.message)
            self._loaded = renderer
        return self._loaded
