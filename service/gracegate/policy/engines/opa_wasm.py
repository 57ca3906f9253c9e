"""Evaluate the built-in rules, compiled by OPA to Wasm, inside this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import wasmtime

from gracegate import module_cache
from gracegate.errors import EngineError, EngineOutOfMemory, EngineTimeout, RuleFailed, RulesMismatch
from gracegate.model import Engine
from gracegate.policy import WASM, Catalog, load_builtin
from gracegate.policy.engines.error_parsing import rules_named_in
from gracegate.policy.engines.wasm_abi import Aborted, BuiltinFailed, Instance
from gracegate.policy.engines.wasm_builtins import HOST_BUILTINS

ENTRYPOINT = "gracegate/main/report"

# wasmtime passes on exceptions of host functions through one variable of the whole process.
_ONE_AT_A_TIME = threading.Lock()


class WasmEngine:
    """The rules of `catalog`, as they were compiled by `gracegate.policy.build`; by default the built-in ones.

    An evaluation may take `seconds` of wall time, where it is not given another limit, and `memory_bytes` for the
    policy's values, which are some 80 kB for each document; the limit of the process, where it has one, is the lower
    one. Compiled code is kept in `cache_dir`.
    Nothing is compiled before the first evaluation or `warm_up`. Safe to share between threads.
    """

    def __init__(
        self,
        catalog: Catalog | None = None,
        cache_dir: Path | None = None,
        *,
        seconds: float = 60.0,
        # An address beyond 2 GB is negative to wasmtime.
        memory_bytes: int = 2 << 30,
    ) -> None:
        rules = catalog or load_builtin()
        self._wasm = rules.folder / WASM
        self._data = rules.data
        self._cache_dir = cache_dir
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._load_lock = threading.Lock()
        self._loaded: tuple[wasmtime.Engine, wasmtime.Module] | None = None
        self._warm_up: threading.Thread | None = None
        self.engine = Engine("opa-wasm", module_cache.version(), rules.digest)

    def evaluate(self, opa_input: Mapping[str, Any], seconds: float | None = None) -> Any:
        """The report. Raises EngineTimeout, RuleFailed, RulesMismatch where it is undefined, else EngineError."""
        data = encode_json({**self._data, "gracegate_release": {"digest": self.engine.digest}})
        text = encode_json(opa_input)
        with _ONE_AT_A_TIME, _translate_errors():
            engine, module = self._load()
            with (
                closing(Instance(engine, module, HOST_BUILTINS, self._memory_bytes)) as instance,
                _deadline(engine, self._seconds if seconds is None else seconds),
            ):
                results = json.loads(instance.evaluate(ENTRYPOINT, data, text))
        if not results:
            raise RulesMismatch("the rules gave no report: it is undefined")
        return results[0]["result"]

    def warm_up(self) -> None:
        """Load and compile in the background, so that the first evaluation finds it done."""

        def load() -> None:
            with suppress(EngineError), _translate_errors():  # the first evaluation raises the same error
                self._load()

        self._warm_up = threading.Thread(target=load, name="load-rules", daemon=True)
        self._warm_up.start()

    def close(self) -> None:
        """Wait for a warm-up that still runs: a process that ends while wasmtime compiles is aborted."""
        if self._warm_up is not None:
            self._warm_up.join()

    def _load(self) -> tuple[wasmtime.Engine, wasmtime.Module]:
        with self._load_lock:
            if self._loaded is None:
                wasm = self._wasm.read_bytes()
                if self._cache_dir is None:
                    self._loaded = _compile(wasm)
                else:
                    engine = _new_engine()
                    self._loaded = engine, module_cache.load_module(engine, wasm, self._cache_dir)
            return self._loaded


@lru_cache(maxsize=2)
def _compile(wasm: bytes) -> tuple[wasmtime.Engine, wasmtime.Module]:
    """Compiled code that is kept nowhere else. A new policy set is compiled for what it calls, for its examples, and
    often for manifests after that: these follow each other."""
    engine = _new_engine()
    return engine, wasmtime.Module(engine, wasm)


def _new_engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.epoch_interruption = True
    return wasmtime.Engine(config)


def missing_builtins(wasm: bytes) -> tuple[str, ...]:
    """The builtins that a policy calls and that are neither in its Wasm nor in this host."""
    engine, module = _compile(wasm)
    with _ONE_AT_A_TIME, closing(Instance(engine, module, HOST_BUILTINS, 1 << 30)) as instance:
        return instance.missing_builtins()


def count_instructions(
    catalog: Catalog, inputs: Iterable[Mapping[str, Any]], most: int
) -> Iterator[tuple[int | None, Any]]:
    """How many Wasm instructions the evaluation of each input takes, None for more than `most`, and its report.

    The number is the same on every machine, however busy it is. Raises as `WasmEngine.evaluate`.
    """
    config = wasmtime.Config()
    config.consume_fuel = True
    engine = wasmtime.Engine(config)
    data = encode_json({**catalog.data, "gracegate_release": {"digest": catalog.digest}})
    module = wasmtime.Module(engine, (catalog.folder / WASM).read_bytes())
    for opa_input in inputs:
        text = encode_json(opa_input)
        with (
            _ONE_AT_A_TIME,
            _translate_errors(),
            closing(Instance(engine, module, HOST_BUILTINS, 2 << 30, most)) as instance,
        ):
            found: tuple[int | None, Any] = None, None
            try:
                results = json.loads(instance.evaluate(ENTRYPOINT, data, text))
            except wasmtime.Trap as trap:
                if trap.trap_code is not wasmtime.TrapCode.OUT_OF_FUEL:
                    raise
            else:
                found = most - instance.fuel_left, results[0]["result"] if results else None
        yield found


@contextmanager
def _deadline(engine: wasmtime.Engine, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, engine.increment_epoch)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # a late tick would end the next evaluation


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except Aborted as error:
        if "opa_malloc" in str(error):
            raise EngineOutOfMemory("the evaluation needs more memory than its limit") from error
        raise RuleFailed(str(error), rules_named_in(str(error))) from error
    except BuiltinFailed as error:
        raise RuleFailed(str(error)) from error
    except wasmtime.Trap as error:
        if error.trap_code is wasmtime.TrapCode.INTERRUPT:
            raise EngineTimeout("the evaluation took longer than its limit") from error
        raise EngineError(f"the evaluation ended early: {error}") from error
    except (wasmtime.WasmtimeError, OSError, ValueError) as error:
        raise EngineError(f"the rules cannot be evaluated: {error}") from error


def encode_json(value: Mapping[str, Any]) -> bytes:
    """`value` as JSON. Raises EngineError if JSON has no form for it (NaN, endless nesting)."""
    try:
        # Plain characters instead of \\u escapes: OPA's parser in Wasm mistakes a lone surrogate before a pair.
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError) as error:
        raise EngineError(f"the input cannot be written as JSON: {error}") from error
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Lone surrogates, which only a JSON escape can write: the replacement character, as OPA's server reads them.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
