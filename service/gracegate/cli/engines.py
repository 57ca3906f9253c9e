"""Which engine evaluates the rules on the command line: the built-in Wasm, or an OPA that the user names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gracegate import model, settings
from gracegate.policy.catalog import Catalog
from gracegate.policy.query import Evaluate


@contextmanager
def engine(named: str | None, catalog: Catalog) -> Iterator[tuple[model.Engine, Evaluate]]:
    """The engine at the address or of the binary `named`, else of OPA_URL or GRACEGATE_OPA, else the built-in one."""
    chosen: str | Path | None = named or settings.opa_url() or settings.opa_binary()
    if chosen is None:
        yield _wasm()
        return
    from gracegate.policy import opa_server  # noqa: PLC0415 - its HTTP client is slow to import

    if "://" in str(chosen):
        with closing(opa_server.ServerEngine(str(chosen), catalog)) as server:
            yield server.engine, server.evaluate
    else:
        with opa_server.child(Path(chosen), catalog) as own:
            yield own.engine, own.evaluate


def _wasm() -> tuple[model.Engine, Evaluate]:
    from gracegate.policy.opa_wasm import WasmEngine  # noqa: PLC0415 - wasmtime is slow to import

    wasm = WasmEngine(cache_dir=_cache())
    wasm.warm_up()
    return wasm.engine, wasm.evaluate


def _cache() -> Path | None:
    """The user's folder for what can be made again, where there is one."""
    env = settings.environment()
    if named := env.get("XDG_CACHE_HOME", ""):
        return Path(named) / "gracegate"
    return Path(env["HOME"]) / ".cache" / "gracegate" if env.get("HOME") else None
