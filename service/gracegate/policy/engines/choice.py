"""Which engine evaluates the rules: the built-in Wasm, an OPA server, or an OPA that is started as a child process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


OWN_SECONDS = 30.0
"""For all evaluations of a policy set in one check. The built-in rules take a tenth of that for 1,000 workloads."""


@dataclass(frozen=True, slots=True)
class OwnPolicies:
    """A policy set of an organisation, see PolicySet; `opa` is the program that evaluates it where Wasm cannot."""

    name: str
    source: str
    catalog: Catalog
    opa: Path | None = None
    commit: str = ""

    @property
    def engine(self) -> Path | None:
        """The program that has to evaluate it, None for Wasm."""
        return self.opa if self.catalog.needs_opa else None


@contextmanager
def open_policy_sets(
    opa: OpaAddress | Path | None,
    own: Sequence[OwnPolicies],
    *,
    seconds: float = 240.0,
    cache_dir: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[PolicySet, ...]]:
    """The built-in rules on an engine, see `open_policy_set`, and each of the `own` sets on an engine of its own.

    Half of the time is for the built-in rules, the other half in equal parts for the own sets, at most OWN_SECONDS for
    each. These never go to a running OPA, which other sets may use.
    """
    share = 1.0 if not own else 0.5
    own_share = min(share / max(len(own), 1), OWN_SECONDS / seconds)
    with (
        open_policy_set(opa, load_builtin(), seconds=seconds, share=share, cache_dir=cache_dir, clock=clock) as builtin,
        open_own_policies(own, seconds=seconds, share=own_share, cache_dir=cache_dir, clock=clock) as others,
    ):
        yield (builtin, *others)


@contextmanager
def open_own_policies(
    own: Sequence[OwnPolicies],
    *,
    seconds: float = 240.0,
    share: float = 1.0,
    cache_dir: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[PolicySet, ...]]:
    """The `own` sets on engines of their own, see `open_policy_set`; each may take that share of the time."""
    with ExitStack() as stack:

        def opened(one: OwnPolicies) -> PolicySet:
            found = open_policy_set(
                one.engine, one.catalog, seconds=seconds, share=share, cache_dir=cache_dir, clock=clock
            )
            return replace(stack.enter_context(found), name=one.name, source=one.source, commit=one.commit)

        yield tuple(map(opened, own))


@contextmanager
def open_policy_set(
    opa: OpaAddress | Path | None,
    catalog: Catalog,
    *,
    seconds: float = 240.0,
    share: float = 1.0,
    cache_dir: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[PolicySet]:
    """The rules of `catalog` on an engine: a running OPA, a binary to start, or None for Wasm.

    Wasm is what was compiled of the catalogue's folder. All evaluations together may take a `share` of `seconds` of
    `clock`, see TimeBudget; `cache_dir` keeps machine code between processes.
    """
    if opa is None:
        from gracegate.policy.engines.opa_wasm import WasmEngine  # noqa: PLC0415 - wasmtime is slow to import

        with closing(WasmEngine(catalog, cache_dir=cache_dir)) as wasm:
            wasm.warm_up()
            yield PolicySet(catalog, wasm.engine, TimeBudget(seconds, clock, share=share).limited(wasm.evaluate))
        return
    from gracegate.policy.engines import foreign_policies, opa_server  # noqa: PLC0415 - the HTTP client is slow to import

    if isinstance(opa, Path) and catalog.foreign is not None:
        with foreign_policies.open_foreign_policies(opa, catalog) as (engine, evaluate):
            yield PolicySet(catalog, engine, TimeBudget(seconds, clock, share=share).limited(evaluate))
    elif isinstance(opa, Path):
        with opa_server.start_child(opa, catalog) as child:
            yield PolicySet(catalog, child.engine, TimeBudget(seconds, clock, share=share).limited(child.evaluate))
    else:
        with closing(opa_server.ServerEngine(opa.url, catalog, token=opa.token)) as server:
            yield PolicySet(catalog, server.engine, TimeBudget(seconds, clock, share=share).limited(server.evaluate))


def missing_builtins(wasm: bytes) -> tuple[str, ...]:
    """The builtins that rules call and that are neither in their Wasm nor in its host: an OPA has to evaluate them."""
    from gracegate.policy.engines import opa_wasm  # noqa: PLC0415 - wasmtime is slow to import

    return opa_wasm.missing_builtins(wasm)


def count_instructions(
    catalog: Catalog, inputs: Iterable[Mapping[str, Any]], most: int
) -> Iterator[tuple[int | None, Any]]:
    """What Wasm does for each input, see `opa_wasm.count_instructions`."""
    from gracegate.policy.engines import opa_wasm  # noqa: PLC0415 - wasmtime is slow to import

    return opa_wasm.count_instructions(catalog, inputs, most)


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
