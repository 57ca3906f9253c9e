"""Evaluate the rules on an OPA server: a remote one, or a child of this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gracegate.errors import EngineUnavailable, RuleFailed
from gracegate.model import Engine
from gracegate.policy import Catalog
from gracegate.policy.engines.bundle import RELEASE, owns_rules
from gracegate.policy.engines.opa_connection import Connection, Undefined
from gracegate.policy.engines.opa_process import VERSION_MODULE, VERSION_PACKAGE, OpaProcess

_PREFIX = "gracegate/"
_NO_RULES: Mapping[str, Any] = {"documents": [], "unread": [], "rules": [], "params": {}, "cluster": {}}
_REMEDY = (
    "let it load the bundle of this gracegate, which `gracegate policy bundle` writes and the service has at"
    " /bundles/gracegate.tar.gz"
)

T = TypeVar("T")


class ServerEngine:
    """The rules of `catalog` on the OPA at `url`, which has loaded them: this only asks.

    With a `token` it is an OPA of our own. One evaluation may take `seconds`, where it is not given another limit. Safe
    to share between threads. Raises ConfigError for an invalid URL.
    """

    def __init__(
        self, url: str, catalog: Catalog, *, token: str | None = None, ca_file: str | None = None, seconds: float = 60.0
    ) -> None:
        self._connection = Connection(url, token=token, ca_file=ca_file, seconds=seconds)
        self._digest = catalog.digest
        self._is_own = token is not None
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """OPA's version and the digest of the rules on it, to which nobody can have added any. Raises EngineError."""
        if self._engine is None:
            self.evaluate(_NO_RULES)
            if not self._is_own and not owns_rules(self._bundles(), self._digest):
                raise EngineUnavailable(f"the rules on OPA are in no bundle, so others can add to them: {_REMEDY}")
            version = self._connection.query(VERSION_PACKAGE, "version", {})
            self._engine = Engine("opa", str(version), self._digest)
        return self._engine

    def evaluate(self, opa_input: Mapping[str, Any], seconds: float | None = None) -> Any:
        """The report of exactly the catalogue's rules. Raises EngineUnavailable if OPA has others, or EngineError."""
        try:
            report = self._connection.query("gracegate.main", "report", opa_input, seconds)
        except Undefined as error:
            raise EngineUnavailable(f"OPA has no rules of gracegate: {_REMEDY}") from error
        except RuleFailed:
            if opa_input is not _NO_RULES:
                self.evaluate(_NO_RULES)  # other rules may fail for other inputs
            raise
        found = report.get("digest") if isinstance(report, Mapping) else None
        if found != self._digest:
            raise EngineUnavailable(f"OPA has the rules {str(found)[:12]}, not {self._digest[:12]}: {_REMEDY}")
        return report

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _bundles(self) -> Any:
        try:
            return self._connection.query("system", "bundles", {})
        except Undefined:
            return None


class ChildEngine:
    """The rules on a child OPA, which is started again if it has ended."""

    def __init__(self, process: OpaProcess, catalog: Catalog, seconds: float) -> None:
        self._process = process
        self._catalog = catalog
        self._seconds = seconds
        self._restart_lock = threading.Lock()
        self._server = self._connect()

    @property
    def engine(self) -> Engine:
        """OPA's version and the digest of the rules on it. Raises EngineError."""
        return self._call_or_restart(lambda server: server.engine)

    @property
    def address(self) -> tuple[str, str]:
        """URL and token of the OPA that runs now, for child processes."""
        return self._process.url, self._process.token

    def evaluate(self, opa_input: Mapping[str, Any], seconds: float | None = None) -> Any:
        """The report; evaluated once more if OPA has ended meanwhile. Raises EngineError."""
        return self._call_or_restart(lambda server: server.evaluate(opa_input, seconds))

    def ensure_running(self) -> None:
        """Starts OPA again if it has ended. Raises EngineError unless it can evaluate."""
        self.evaluate(_NO_RULES)

    def close(self) -> None:
        """Close the connections; the process belongs to `start_child`."""
        self._server.close()

    def _call_or_restart(self, action: Callable[[ServerEngine], T]) -> T:
        """The result of the action; if OPA has ended, it is restarted and the action runs once more."""
        server = self._server
        try:
            return action(server)
        except EngineUnavailable:
            if not self._process.has_ended():
                raise
        with self._restart_lock:
            if server is self._server:
                self._process.restart()
                self._server.close()
                self._server = self._connect()
        return action(self._server)

    def _connect(self) -> ServerEngine:
        return ServerEngine(self._process.url, self._catalog, token=self._process.token, seconds=self._seconds)


@contextmanager
def start_child(binary: Path, catalog: Catalog, *, seconds: float = 60.0) -> Iterator[ChildEngine]:
    """An engine on an OPA of its own that runs as long as the context. Raises EngineUnavailable."""
    modules = _modules(catalog)
    release = json.dumps({**catalog.data, RELEASE: {"digest": catalog.digest}})
    with (
        OpaProcess(binary, {**modules, "release.json": release}) as process,
        closing(ChildEngine(process, catalog, seconds)) as engine,
    ):
        yield engine


def _modules(catalog: Catalog) -> dict[str, str]:
    """The text of each module by its id on the server."""
    rules = {f"{_PREFIX}{path}": text for path, text in catalog.modules.items()}
    return {**rules, f"{_PREFIX}engine.rego": VERSION_MODULE}
