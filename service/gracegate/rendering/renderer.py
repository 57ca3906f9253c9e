"""The renderer in Wasm, loaded once for many calls."""

from __future__ import annotations

import gzip
import platform
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice
from math import inf
from pathlib import Path

import wasmtime
from wasmtime import _bindings

from gracegate import module_cache
from gracegate.model import RenderBatch, Rendering, RenderProblem, RenderRequest
from gracegate.rendering.capabilities import capabilities
from gracegate.rendering.run import RenderLimits, Run, out_of_memory, request_archive, tree_archive

_NOT_BUILT = RenderProblem("unavailable", "the renderer is not built: run `make tools`")
_NOT_COMPILED = RenderProblem("unavailable", "the renderer is not compiled")
_OUT_OF_FUEL = RenderProblem("limit", "the roots before it took all the time there is")
_OUT_OF_TIME = RenderProblem("interrupted", "the roots before it took all the time there is on this machine")
_OUT_OF_SPACE = RenderProblem("limit", "the roots before it rendered to all the text there may be")
_BASELINE_MACHINES = frozenset({"x86_64", "AMD64"})
"""Where wasmtime's baseline compiler is supported as well as its usual one."""
_WINCH = 2
"""Its number in wasmtime's C interface."""
_BASELINE_FUEL = 0.8
"""The share of the limits for the baseline module: within it the usual module always comes to its end too."""
_LANES = 2
"""Threads of `render`: base and head of a review, on a machine with two cores."""
_Part = tuple[int, Sequence[int]]
"""The number of a batch, and of requests in it."""
_Loaded = tuple[wasmtime.Engine, wasmtime.Module]
_Ask = Callable[[_Loaded, Sequence[RenderBatch], RenderLimits], list[Rendering]]


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

    Where it is not compiled yet, up to `baseline_roots` are rendered by a baseline module: compiled five times sooner,
    it renders the same at half of the speed. Only a text or a refusal is taken of it. It needs another stack and counts
    some 5 % less fuel, so it gets less of that, and what it cannot render within limits is left to the usual module.
    """

    def __init__(
        self,
        wasm: Path | None,
        cache_dir: Path | None,
        limits: RenderLimits | None = None,
        *,
        may_compile: bool = True,
        baseline_roots: int = 0,
    ) -> None:
        self._wasm = wasm
        self._cache_dir = cache_dir
        self._limits = limits or RenderLimits()
        self._may_compile = may_compile
        self._baseline_roots = baseline_roots
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._baseline: _Loaded | None = None

    def load(self, roots: int | None = None) -> RenderProblem | None:
        """Makes ready to render so many roots, None for any number; the problem that every root will have, if any."""
        loaded = self._load(roots)
        return loaded if isinstance(loaded, RenderProblem) else None

    def render(self, batches: Sequence[RenderBatch], minor: int, limits: RenderLimits | None = None) -> list[Rendering]:
        """A rendering for each request: none reaches another one, whether it renders or not.

        `limits` are for this call, instead of the usual ones. Each of two threads may use all that they allow, but for
        the memory, which they share; roots that find too little of it are rendered once more, one after the other.
        """

        def ask(loaded: _Loaded, batches: Sequence[RenderBatch], limits: RenderLimits) -> list[Rendering]:
            return _render(loaded, batches, minor, limits)

        return self._ask(batches, limits or self._limits, ask)

    def render_all(
        self, batches: Sequence[RenderBatch], minor: int, threads: int, on_answer: Callable[[], None]
    ) -> list[Rendering]:
        """As `render`, for any number of requests and any size of the trees: the limits are for each
        `limits.roots` of a tree, of which `threads` are rendered at once, and for each root that finds those of its
        neighbours used up. `on_answer` is called for each answer, in any thread."""

        def ask(loaded: _Loaded, batches: Sequence[RenderBatch], limits: RenderLimits) -> list[Rendering]:
            size, cluster = limits.roots, capabilities(minor)
            parts: list[tuple[_Tree, Sequence[RenderRequest]]] = []
            for batch in batches:
                tree = _Tree(loaded, cluster, tree_archive(batch.files), on_answer)
                parts += ((tree, batch.requests[start : start + size]) for start in range(0, len(batch.requests), size))
            with ThreadPoolExecutor(threads, "render") as pool:
                answers = [*pool.map(lambda part: part[0].own_answers(part[1], limits), parts)]
            return _renderings(batches, answers)

        return self._ask(batches, self._limits, ask)

    def _ask(self, batches: Sequence[RenderBatch], limits: RenderLimits, ask: _Ask) -> list[Rendering]:
        """What a module answers where it is asked, and the usual one to what the baseline module could not."""
        roots = sum(len(batch.requests) for batch in batches)
        loaded = self._load(roots) if batches else _NOT_BUILT
        if isinstance(loaded, RenderProblem):
            return _renderings(batches, [[loaded] * len(batch.requests) for batch in batches])
        if loaded is not self._baseline:
            return ask(loaded, batches, limits)
        self._baseline_roots -= roots
        fuel, root_fuel = (int(_BASELINE_FUEL * one) for one in (limits.fuel, limits.root_fuel))
        renderings = ask(loaded, batches, replace(limits, fuel=fuel, root_fuel=root_fuel))
        left = iter(renderings)
        failed = [[one for one in islice(left, len(batch.requests)) if not _is_certain(one)] for batch in batches]
        again = [
            replace(batch, requests=tuple(one.request for one in of_batch))
            for batch, of_batch in zip(batches, failed, strict=True)
            if of_batch
        ]
        usual = self._load() if again else _NOT_COMPILED
        if isinstance(usual, RenderProblem):
            return renderings
        rendered_again = iter(ask(usual, again, limits))
        return [one if _is_certain(one) else next(rendered_again) for one in renderings]

    def _load(self, roots: int | None = None) -> _Loaded | RenderProblem:
        if self._wasm is None:
            return _NOT_BUILT
        with self._lock:
            is_few = roots is not None and roots <= self._baseline_roots
            if (known := self._loaded or (self._baseline if is_few else None)) is not None:
                return known
            try:
                packed = self._wasm.read_bytes()
                name = module_cache.module_name(packed)
                engine = wasmtime.Engine(_config())
                folders = [one for one in (shared_cache_dir(self._wasm), self._cache_dir) if one is not None]
                module = module_cache.find_module(engine, name, folders)
                if module is None and not self._may_compile:
                    return _NOT_COMPILED
                if module is None and is_few:
                    self._baseline = _load_baseline(packed, name, self._cache_dir)
                    if self._baseline is not None:
                        return self._baseline
                if module is None:
                    module = module_cache.compile_module(engine, gzip.decompress(packed), name, self._cache_dir)
                    if self._cache_dir is not None:
                        (self._cache_dir / _baseline_name(name)).unlink(missing_ok=True)
            except (OSError, EOFError, zlib.error, wasmtime.WasmtimeError) as error:
                return RenderProblem("unavailable", f"the renderer cannot be loaded: {error}")
            self._loaded = engine, module
            return self._loaded


def _config() -> wasmtime.Config:
    config = wasmtime.Config()
    # Fuel, not time: the same input is stopped at the same place on every machine.
    config.consume_fuel = True
    if sys.platform == "linux":
        # What all CPUs of this architecture run: images are often compiled on another one.
        config.target = f"{platform.machine()}-unknown-linux-gnu"
    return config


def _load_baseline(packed: bytes, name: str, folder: Path | None) -> _Loaded | None:
    """The baseline module, kept in `folder`; None where wasmtime cannot make one for this machine."""
    known = getattr(_bindings, "wasmtime_strategy_enum", None)
    if platform.machine() not in _BASELINE_MACHINES or not hasattr(known, "WASMTIME_STRATEGY_WINCH"):
        return None
    config = _config()
    # `Config.strategy` does not know the name of this compiler yet, which the library has.
    _bindings.wasmtime_config_strategy_set(config.ptr(), _WINCH)
    try:
        engine, name = wasmtime.Engine(config), _baseline_name(name)
        kept = None if folder is None else module_cache.read_module(engine, folder / name)
        return engine, kept or module_cache.compile_module(engine, gzip.decompress(packed), name, folder)
    except wasmtime.WasmtimeError:
        return None


def _baseline_name(name: str) -> str:
    return f"baseline-{name}"


def _is_certain(rendering: Rendering) -> bool:
    """Whether a rendering of the baseline module is that of the usual one."""
    return rendering.problem is None or rendering.problem.code == "refused"


def _render(loaded: _Loaded, batches: Sequence[RenderBatch], minor: int, limits: RenderLimits) -> list[Rendering]:
    """See `WasmRenderer.render`."""
    too_many = RenderProblem("limit", f"at most {limits.roots} roots are rendered at once")
    too_large = RenderProblem("limit", f"its files are more than {limits.input_bytes // 1_000_000} MB")
    cluster = capabilities(minor)
    answers: list[list[str | RenderProblem]] = []
    trees: list[_Tree | None] = []
    for batch in batches:
        is_too_large = sum(map(len, batch.files.values())) > limits.input_bytes
        answers.append([too_large if is_too_large else too_many] * len(batch.requests))
        trees.append(None if is_too_large else _Tree(loaded, cluster, tree_archive(batch.files)))
    has_time = _time_limit(limits.seconds)

    def answer(parts: Iterable[_Part], limits: RenderLimits) -> None:
        for number, indexes in parts:
            if (tree := trees[number]) is not None:
                requests = [batches[number].requests[index] for index in indexes]
                for index, found in zip(indexes, tree.answers(requests, limits, has_time), strict=True):
                    answers[number][index] = found

    lanes = _lanes(batches, limits.roots)
    of_lane = replace(limits, memory_bytes=limits.memory_bytes // max(1, len(lanes)))
    with ThreadPoolExecutor(_LANES, "render") as pool:
        for done in [pool.submit(answer, lane, of_lane) for lane in lanes]:
            done.result()
    if len(lanes) > 1:
        too_little = out_of_memory(of_lane)
        alone = (
            (number, [index for index, found in enumerate(of_tree) if found == too_little])
            for number, of_tree in enumerate(answers)
        )
        answer(((number, indexes) for number, indexes in alone if indexes), limits)
    return _renderings(batches, answers)


def _time_limit(seconds: float | None) -> Callable[[], bool]:
    """Says whether there is still time, for so many seconds from now on."""
    end = inf if seconds is None else time.monotonic() + seconds
    return lambda: time.monotonic() < end


@dataclass(frozen=True, slots=True)
class _Tree:
    """Renders roots of one tree, which is packed in `archive`, for a `cluster`. Threads may share it."""

    loaded: _Loaded
    cluster: Mapping[str, object]
    archive: bytes
    on_answer: Callable[[], None] = lambda: None

    def answers(
        self, requests: Sequence[RenderRequest], limits: RenderLimits, has_time: Callable[[], bool]
    ) -> list[str | RenderProblem]:
        """A text or a problem for each request."""
        answers: list[str | RenderProblem] = []
        fuel, output_bytes = limits.fuel, limits.output_bytes
        while len(answers) < len(requests):
            if fuel <= 0 or output_bytes <= 0 or not has_time():
                why = _OUT_OF_SPACE if output_bytes <= 0 else _OUT_OF_FUEL if fuel <= 0 else _OUT_OF_TIME
                return answers + [why] * (len(requests) - len(answers))
            # The root that ended the last run has its answer: the others go on without it.
            left = requests[len(answers) :]
            run = Run(left, limits, fuel, output_bytes, has_time, self.on_answer)
            run.render(*self.loaded, request_archive(left, self.cluster, limits) + self.archive)
            answers += run.answers
            fuel, output_bytes = run.fuel, run.output_bytes
        return answers

    def own_answers(self, requests: Sequence[RenderRequest], limits: RenderLimits) -> list[str | RenderProblem]:
        """A text or a problem for each request; the problem is its own and not one of those before it."""
        answers = self.answers(requests, limits, _time_limit(limits.seconds))
        if len(requests) == 1:
            return answers
        return [
            self.answers([request], limits, _time_limit(limits.seconds))[0]
            if isinstance(answer, RenderProblem) and answer.code == "limit"
            else answer
            for request, answer in zip(requests, answers, strict=True)
        ]


def _lanes(batches: Sequence[RenderBatch], roots: int) -> list[list[_Part]]:
    """What each thread renders, at most so many roots of a tree: of several trees whole ones, of a single tree every
    other root. It is not what a thread has time for: on every machine the same roots have to find the same limits."""
    sizes = [min(len(batch.requests), roots) for batch in batches]
    lanes: list[list[_Part]]
    if len(sizes) == 1:
        lanes = [[(0, range(first, sizes[0], _LANES))] for first in range(_LANES)]
    else:
        lanes = [
            [(number, range(sizes[number])) for number in range(first, len(sizes), _LANES)] for first in range(_LANES)
        ]
    return [lane for lane in lanes if any(len(indexes) for _, indexes in lane)]


def _renderings(batches: Sequence[RenderBatch], answers: Iterable[Sequence[str | RenderProblem]]) -> list[Rendering]:
    """A rendering for each request of the answers, which are in their order."""
    requests = (request for batch in batches for request in batch.requests)
    return [
        Rendering(request, text=answer) if isinstance(answer, str) else Rendering(request, problem=answer)
        for request, answer in zip(requests, chain.from_iterable(answers), strict=True)
    ]
