"""One run of the renderer: a batch of roots of one tree, its answers, and what ended it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import wasmtime

from gracegate.model import RenderProblem, RenderRequest
from gracegate.rendering.wasi import ONE_AT_A_TIME, Host

_OUT_OF_FUEL = RenderProblem("limit", "rendering takes longer than its limit")
_INTERRUPTED = RenderProblem("interrupted", "rendering took longer than there is time for on this machine")
_TOO_NESTED = RenderProblem("limit", "it is nested too deeply")


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """The bounds of each thread of one call of `render`, but for `memory_bytes`, which they share.

    Fuel is instructions of Wasm, some 5,000,000,000 a second; `seconds` are of real time, for machines that are too
    busy to use up the fuel in it, None for no limit.

    Of the 2,084 kustomizations of two large GitOps repositories that render, half take less than 80,000,000 and the
    largest 31,000,000,000.
    """

    roots: int = 200
    input_bytes: int = 64_000_000
    root_output_bytes: int = 10_000_000
    output_bytes: int = 100_000_000
    memory_bytes: int = 512 << 20
    root_fuel: int = 100_000_000_000
    fuel: int = 200_000_000_000
    seconds: float | None = None


def out_of_memory(limits: RenderLimits) -> RenderProblem:
    """The problem of a root that needs more memory than these limits allow."""
    return RenderProblem("limit", f"rendering needs more than {limits.memory_bytes >> 20} MB")


class Run:
    """A run of the renderer over `requests`, and what it may use up, which is less after it.

    `answers` has a text or a problem for each request, up to the one that ended the run or used up what there was.
    """

    def __init__(
        self,
        requests: Sequence[RenderRequest],
        limits: RenderLimits,
        fuel: int,
        output_bytes: int,
        has_time: Callable[[], bool],
        on_answer: Callable[[], None],
    ) -> None:
        self._requests = requests
        self._limits = limits
        self._has_time = has_time
        self._on_answer = on_answer
        self.fuel = fuel
        self.output_bytes = output_bytes
        self.answers: list[str | RenderProblem] = []

    def render(self, engine: wasmtime.Engine, module: wasmtime.Module, archive: bytes) -> None:
        """Adds to the answers; a root that ends the run has a problem, and those after it have no answer."""
        memory = self._limits.memory_bytes
        with _open_store(engine) as store:
            self._store = store
            store.set_limits(memory_size=memory)
            self._refuel()
            # Close to its limit Go collects garbage more often, instead of asking for memory that it does not get.
            environment = [f"GOMEMLIMIT={memory * 3 // 4}"]
            host = Host(store, memoryview(archive), environment, self._add, self._has_time)
            try:
                host.start(module)
                ended = RenderProblem("crashed", "the renderer ended without an answer")
            except wasmtime.Trap as trap:
                ended = self._problem(trap, host)
            except wasmtime.WasmtimeError as error:
                ended = RenderProblem("crashed", f"the renderer crashed: {error}")
            if host.exit_code is None and not host.is_interrupted:
                self._account()
        if len(self.answers) < len(self._requests) and self._given > 0:
            self.answers.append(ended)

    def _add(self, line: bytes) -> None:
        answer = json.loads(line)
        self.output_bytes -= len(line)
        if self.output_bytes < 0:
            self.answers.append(RenderProblem("limit", "all roots together render to more than the limit"))
        elif answer.get("too_long"):
            most = self._limits.root_output_bytes // 1_000_000
            self.answers.append(RenderProblem("limit", f"it renders to more than {most} MB"))
        elif "error" in answer:
            self.answers.append(RenderProblem("refused", answer["error"]))
        else:
            self.answers.append(answer["text"])
        self._on_answer()
        self._account()
        self._refuel()

    def _account(self) -> None:
        self.fuel -= self._given - self._store.get_fuel()

    def _refuel(self) -> None:
        self._given = max(0, min(self._limits.root_fuel, self.fuel)) if self.output_bytes >= 0 else 0
        self._store.set_fuel(self._given)

    def _problem(self, trap: wasmtime.Trap, host: Host) -> RenderProblem:
        errors = host.stderr.decode(errors="replace")
        if host.is_interrupted:
            return _INTERRUPTED
        if host.exit_code is None and trap.trap_code is wasmtime.TrapCode.OUT_OF_FUEL:
            return _OUT_OF_FUEL
        if trap.trap_code is wasmtime.TrapCode.STACK_OVERFLOW or "stack exceeds" in errors:
            return _TOO_NESTED
        if "out of memory" in errors:
            return out_of_memory(self._limits)
        first_line = (errors or str(trap)).strip().partition("\n")[0]
        return RenderProblem("crashed", f"the renderer crashed: {first_line[:500]}")


@contextmanager
def _open_store(engine: wasmtime.Engine) -> Iterator[wasmtime.Store]:
    store = wasmtime.Store(engine)
    try:
        yield store
    finally:
        with ONE_AT_A_TIME:
            store.close()


def request_archive(requests: Sequence[RenderRequest], cluster: Mapping[str, object], limits: RenderLimits) -> bytes:
    """The first entry of the renderer's input; `tree_archive` follows it."""
    request = {
        "roots": [
            {
                "kind": one.root.renderer,
                "path": one.folder or one.root.directory,
                "values": one.values,
                "release": one.release,
                "namespace": one.namespace,
                "replaced": {**one.replaced},
                "post_renderers": one.post_renderers,
                "substitution": one.substitution
                and {"variables": dict(one.substitution.variables), "is_complete": one.substitution.is_complete},
            }
            for one in requests
        ],
        "capabilities": cluster,
        "max_output_bytes": limits.root_output_bytes,
    }
    header, content = tarfile.TarInfo("request"), json.dumps(request).encode()
    header.size = len(content)
    return header.tobuf() + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def tree_archive(files: Mapping[str, bytes]) -> bytes:
    """The files of a tree for the renderer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
