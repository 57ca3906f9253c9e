"""The renderer in Wasm, loaded once for many calls."""

from __future__ import annotations

import gzip
import platform
import sys
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import inf
from pathlib import Path

import wasmtime

from gracegate import module_cache
from gracegate.model import Rendering, RenderProblem, RenderRequest
from gracegate.rendering.capabilities import capabilities
from gracegate.rendering.run import RenderLimits, Run, request_archive, tree_archive

_NOT_BUILT = RenderProblem("unavailable", "the renderer is not built: run `make tools`")
_NOT_COMPILED = RenderProblem("unavailable", "the renderer is not compiled")
_OUT_OF_FUEL = RenderProblem("limit", "the roots before it took all the time there is")
_OUT_OF_TIME = RenderProblem("interrupted", "the roots before it took all the time there is on this machine")
_OUT_OF_SPACE = RenderProblem("limit", "the roots before it rendered to all the text there may be")


def shared_cache_dir(wasm: Path) -> Path:
    """Where the renderer is kept compiled for all users of an installation, see `__main__`; often that is not there."""
    return wasm.with_name("compiled")


def find_renderer() -> Path | None:
    """The renderer in the wheel, else the one that `make tools` built in the checkout, if any."""
    packaged = Path(__file__).with_name("renderer.wasm.gz")
    built = packaged.parents[3] / ".tools" / packaged.name
    return next((path for path in (packaged, built) if path.is_file()), None)


class WasmRenderer:
    """Renders with the module at `wasm`, packed by gzip, and says of each root that it cannot where that is None.

    To compile the module takes half a minute of both cores; what comes out is kept in `cache_dir`. Nothing is compiled
    before the first rendering or `load`, and never where not `may_compile`. Safe to share between threads.
    """

    def __init__(
        self, wasm: Path | None, cache_dir: Path | None, limits: RenderLimits | None = None, *, may_compile: bool = True
    ) -> None:
        self._wasm = wasm
        self._cache_dir = cache_dir
        self._limits = limits or RenderLimits()
        self._may_compile = may_compile
        self._lock = threading.Lock()
        self._loaded: tuple[wasmtime.Engine, wasmtime.Module] | None = None

    def load(self) -> RenderProblem | None:
        """Makes ready for the first rendering; the problem that every root will have, if any."""
        loaded = self._load()
        return loaded if isinstance(loaded, RenderProblem) else None

    def render(
        self,
        files: Mapping[str, bytes],
        requests: Sequence[RenderRequest],
        minor: int,
        limits: RenderLimits | None = None,
    ) -> list[Rendering]:
        """A rendering for each request: none reaches another one, whether it renders or not.

        `limits` are for this call, instead of the usual ones.
        """
        limits = limits or self._limits
        loaded = self._load() if requests else _NOT_BUILT
        if isinstance(loaded, RenderProblem):
            return [Rendering(request, problem=loaded) for request in requests]
        if sum(map(len, files.values())) > limits.input_bytes:
            too_large = RenderProblem("limit", f"its files are more than {limits.input_bytes // 1_000_000} MB")
            return [Rendering(request, problem=too_large) for request in requests]
        batches = _Batches(loaded, (capabilities(minor), tree_archive(files)), limits)
        answers = batches.answers(requests[: limits.roots])
        too_many = RenderProblem("limit", f"at most {limits.roots} roots are rendered at once")
        answers += [too_many] * (len(requests) - len(answers))
        return _renderings(requests, answers)

    def render_all(
        self,
        files: Mapping[str, bytes],
        requests: Sequence[RenderRequest],
        minor: int,
        threads: int,
        on_answer: Callable[[], None],
    ) -> list[Rendering]:
        """As `render`, for any number of requests and any size of the tree: the limits are for each batch of
        `limits.roots`, of which `threads` are rendered at once, and for each root that finds those of its batch used
        up. `on_answer` is called for each answer, in any thread."""
        loaded = self._load() if requests else _NOT_BUILT
        if isinstance(loaded, RenderProblem):
            return [Rendering(request, problem=loaded) for request in requests]
        batches = _Batches(loaded, (capabilities(minor), tree_archive(files)), self._limits, on_answer)
        size = self._limits.roots
        parts = [requests[start : start + size] for start in range(0, len(requests), size)]
        with ThreadPoolExecutor(threads, "render") as pool:
            answers = [*pool.map(batches.own_answers, parts)]
        return _renderings(requests, [answer for part in answers for answer in part])

    def _load(self) -> tuple[wasmtime.Engine, wasmtime.Module] | RenderProblem:
        if self._wasm is None:
            return _NOT_BUILT
        with self._lock:
            if self._loaded is None:
                config = wasmtime.Config()
                # Fuel, not time: the same input is stopped at the same place on every machine.
                config.consume_fuel = True
                if sys.platform == "linux":
                    # What all CPUs of this architecture run: images are often compiled on another one.
                    config.target = f"{platform.machine()}-unknown-linux-gnu"
                engine = wasmtime.Engine(config)
                try:
                    module = self._module(engine, self._wasm)
                except (OSError, EOFError, zlib.error, wasmtime.WasmtimeError) as error:
                    return RenderProblem("unavailable", f"the renderer cannot be loaded: {error}")
                if module is None:
                    return _NOT_COMPILED
                self._loaded = engine, module
            return self._loaded

    def _module(self, engine: wasmtime.Engine, path: Path) -> wasmtime.Module | None:
        packed, folders = path.read_bytes(), filter(None, (shared_cache_dir(path), self._cache_dir))
        name = module_cache.module_name(packed)
        if (kept := module_cache.find_module(engine, name, folders)) is not None or not self._may_compile:
            return kept
        return module_cache.compile_module(engine, gzip.decompress(packed), name, self._cache_dir)


def _time_limit(seconds: float | None) -> Callable[[], bool]:
    """Says whether there is still time, for so many seconds from now on."""
    end = inf if seconds is None else time.monotonic() + seconds
    return lambda: time.monotonic() < end


@dataclass(frozen=True, slots=True)
class _Batches:
    """Renders batches of roots of one tree; `archive` is the cluster and the tree. Threads may share it."""

    loaded: tuple[wasmtime.Engine, wasmtime.Module]
    archive: tuple[Mapping[str, object], bytes]
    limits: RenderLimits
    on_answer: Callable[[], None] = lambda: None

    def answers(self, requests: Sequence[RenderRequest]) -> list[str | RenderProblem]:
        """A text or a problem for each request."""
        has_time = _time_limit(self.limits.seconds)
        answers: list[str | RenderProblem] = []
        cluster, tree = self.archive
        fuel, output_bytes = self.limits.fuel, self.limits.output_bytes
        while len(answers) < len(requests):
            if fuel <= 0 or output_bytes <= 0 or not has_time():
                why = _OUT_OF_SPACE if output_bytes <= 0 else _OUT_OF_FUEL if fuel <= 0 else _OUT_OF_TIME
                return answers + [why] * (len(requests) - len(answers))
            # The root that ended the last run has its answer: the others go on without it.
            left = requests[len(answers) :]
            run = Run(left, self.limits, fuel, output_bytes, has_time, self.on_answer)
            run.render(*self.loaded, request_archive(left, cluster, self.limits) + tree)
            answers += run.answers
            fuel, output_bytes = run.fuel, run.output_bytes
        return answers

    def own_answers(self, requests: Sequence[RenderRequest]) -> list[str | RenderProblem]:
        """A text or a problem for each request; the problem is its own and not one of those before it."""
        answers = self.answers(requests)
        if len(requests) == 1:
            return answers
        return [
            self.answers([request])[0] if isinstance(answer, RenderProblem) and answer.code == "limit" else answer
            for request, answer in zip(requests, answers, strict=True)
        ]


def _renderings(requests: Sequence[RenderRequest], answers: Sequence[str | RenderProblem]) -> list[Rendering]:
    return [
        Rendering(request, text=answer) if isinstance(answer, str) else Rendering(request, problem=answer)
        for request, answer in zip(requests, answers, strict=True)
    ]
