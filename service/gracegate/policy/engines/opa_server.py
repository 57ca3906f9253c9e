"""Evaluate the rules on an OPA server: a remote one, or a child of this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gracegate.errors import EngineError, EngineUnavailable, RuleFailed, RulesError, RulesMismatch
from gracegate.model import Engine
from gracegate.policy import Catalog
from gracegate.policy.engines.opa_connection import Connection, Undefined
from gracegate.policy.engines.opa_process import VERSION_MODULE, VERSION_PACKAGE, OpaProcess

_PREFIX = "gracegate/"
_RELEASE = "gracegate_release"
_NO_RULES: Mapping[str, Any] = {"documents": [], "unread": [], "rules": [], "params": {}, "cluster": {}}

T = TypeVar("T")


class ServerEngine:
    """The rules of `catalog` on the OPA at `url`, into which they are loaded when they are not there.

    The server must serve this version of gracegate alone: modules of other versions are removed. One evaluation may
    take `seconds`, where it is not given another limit. Safe to share between threads. Raises ConfigError for an
    invalid URL.
    """

    def __init__(
        self, url: str, catalog: Catalog, *, token: str | None = None, ca_file: str | None = None, seconds: float = 60.0
    ) -> None:
        self._connection = Connection(url, token=token, ca_file=ca_file, seconds=seconds)
        self._digest = catalog.digest
        self._modules = _modules(catalog)
        self._load_lock = threading.Lock()
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """OPA's version and the digest of the rules on it. Raises EngineError."""
        if self._engine is None:
            self.evaluate(_NO_RULES)
            version = self._connection.query(VERSION_PACKAGE, "version", {})
            self._engine = Engine("opa", str(version), self._digest)
        return self._engine

    def evaluate(self, opa_input: Mapping[str, Any], seconds: float | None = None) -> Any:
        """The report of exactly the catalog's rules, which are loaded once if OPA has others. Raises EngineError."""
        report = self._query_report(opa_input, seconds)
        if report is None:
            self._load_rules()
            report = self._query_report(opa_input, seconds)
        if report is None:
            raise RulesMismatch("OPA does not answer from the rules that were just loaded into it")
        return report

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _query_report(self, opa_input: Mapping[str, Any], seconds: float | None = None) -> Any:
        """The report, or None if OPA has other rules than the catalog's, or none."""
        try:
            report = self._connection.query("gracegate.main", "report", opa_input, seconds)
        except Undefined:
            return None
        except RuleFailed:
            if opa_input is not _NO_RULES and self._query_report(_NO_RULES) is None:
                return None
            raise
        return report if isinstance(report, Mapping) and report.get("digest") == self._digest else None

    def _load_rules(self) -> None:
        with self._load_lock:
            if self._query_report(_NO_RULES) is not None:
                return  # another thread was faster
            try:
                self._replace_modules()
            except RulesError as error:
                raise EngineError(f"OPA rejects the rules: {error}") from error

    def _replace_modules(self) -> None:
        def put(identity: str) -> None:
            self._connection.put_module(identity, self._modules[identity])

        # The digest goes first and comes last, so that it never vouches for a part of the rules.
        wanted, loaded = sorted(self._modules), self._loaded_modules()
        self._connection.put_data(_RELEASE, {"modules": sorted({*wanted, *loaded})})
        try:
            _apply_in_dependency_order(put, wanted)
        except RulesError:
            # Modules of an older version need what the new ones replace.
            _apply_in_dependency_order(self._connection.delete_module, loaded)
            _apply_in_dependency_order(put, wanted)
        _apply_in_dependency_order(self._connection.delete_module, set(loaded).difference(wanted))
        self._connection.put_data(_RELEASE, _release(self._digest, wanted))

    def _loaded_modules(self) -> list[str]:
        """The modules that any version of gracegate recorded here; to list OPA's own would transfer their texts."""
        try:
            recorded = self._connection.query(_RELEASE, "modules", {})
        except Undefined:
            return []
        return [identity for identity in recorded if isinstance(identity, str)] if isinstance(recorded, list) else []


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
    # All at once from files: put one by one, OPA would compile all of them for each.
    release = json.dumps({**catalog.data, _RELEASE: _release(catalog.digest, sorted(modules))})
    with (
        OpaProcess(binary, {**modules, "release.json": release}) as process,
        closing(ChildEngine(process, catalog, seconds)) as engine,
    ):
        yield engine


def _modules(catalog: Catalog) -> dict[str, str]:
    """The text of each module by its id on the server."""
    rules = {f"{_PREFIX}{path}": text for path, text in catalog.modules.items()}
    return {**rules, f"{_PREFIX}engine.rego": VERSION_MODULE}


def _release(digest: str, modules: list[str]) -> dict[str, Any]:
    return {"digest": digest, "modules": modules}


def _apply_in_dependency_order(action: Callable[[str], None], identities: Iterable[str]) -> None:
    """Applies the action to each module, again and again to those that fail, as modules import each other.

    Raises RulesError if it fails for all that are left.
    """
    pending = sorted(identities)
    while pending:
        failed = []
        for identity in pending:
            try:
                action(identity)
            except RulesError as error:
                failed.append(identity)
                reason = error
        if len(failed) == len(pending):
            raise reason
        pending = failed
