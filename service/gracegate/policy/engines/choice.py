"""Which engine evaluates the rules: the built-in Wasm, an OPA server, or an OPA that is started as a child process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gracegate.errors import EngineError, EngineUnavailable
from gracegate.policy import Catalog, PolicySet, load_builtin
from gracegate.policy.engines.time_budget import TimeBudget

if TYPE_CHECKING:
    from gracegate.policy.engines.opa_server import ChildEngine


@dataclass(frozen=True, slots=True)
class OpaAddress:
    """A running OPA that belongs to gracegate alone."""

    url: str
    token: str | None = field(default=None, repr=False)


@contextmanager
def open_policy_set(
    opa: OpaAddress | Path | None,
    catalog: Catalog,
    *,
    seconds: float = 240.0,
    cache_dir: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[PolicySet]:
    """The rules of `catalog` on an engine: a running OPA, a binary to start, or None for Wasm.

    Wasm is what was compiled of the catalogue's folder. All evaluations together may take `seconds` of `clock`, see
    TimeBudget; `cache_dir` keeps machine code between processes.
    """
    if opa is None:
        from gracegate.policy.engines.opa_wasm import WasmEngine  # noqa: PLC0415 - wasmtime is slow to import

        with closing(WasmEngine(catalog, cache_dir=cache_dir)) as wasm:
            wasm.warm_up()
            yield PolicySet(catalog, wasm.engine, TimeBudget(seconds, clock).limited(wasm.evaluate))
        return
    from gracegate.policy.engines import opa_server  # noqa: PLC0415 - its HTTP client is slow to import

    if isinstance(opa, Path):
        with opa_server.start_child(opa, catalog) as child:
            yield PolicySet(catalog, child.engine, TimeBudget(seconds, clock).limited(child.evaluate))
    else:
        with closing(opa_server.ServerEngine(opa.url, catalog, token=opa.token)) as server:
            yield PolicySet(catalog, server.engine, TimeBudget(seconds, clock).limited(server.evaluate))


class PolicyEngines:
    """Which OPA the reviews of a worker process use, if any.

    A child OPA is started at its first use, and again if it has ended.
    """

    def __init__(self, url: str | None, binary: Path | None, seconds: float) -> None:
        self._url = url
        self._binary = binary
        self._seconds = seconds
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._child: ChildEngine | None = None

    def opa(self) -> OpaAddress | None:
        """The OPA to ask now, None for the built-in Wasm. Raises EngineUnavailable if the child cannot run."""
        if self._url is not None:
            return OpaAddress(self._url)
        if self._binary is None:
            return None
        from gracegate.policy.engines import opa_server  # noqa: PLC0415 - its HTTP client is slow to import

        with self._lock:
            if self._child is None:
                child = opa_server.start_child(self._binary, load_builtin(), seconds=self._seconds)
                self._child = self._stack.enter_context(child)
            try:
                self._child.ensure_running()
            except EngineError as error:
                raise EngineUnavailable(str(error)) from error
            return OpaAddress(*self._child.address)

    def close(self) -> None:
        """Ends the child OPA, if one runs."""
        with self._lock:
            self._child = None
            self._stack.close()
