"""Evaluate the rules on an OPA server: a remote one, or a child of this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gracegate.errors import EngineError, EngineUnavailable, ForeignRules, RuleFailed, RulesError
from gracegate.model import Engine
from gracegate.policy import Catalog
from gracegate.policy.engines.opa_connection import Connection, Undefined
from gracegate.policy.engines.opa_process import OpaProcess

_PREFIX = "gracegate/"
_RELEASE = "gracegate_release"
_VERSION_MODULE = "package gracegate_engine\n\nversion := opa.runtime().version\n"
_NOTHING: Mapping[str, Any] = {"documents": [], "unread": [], "rules": [], "params": {}, "cluster": {}}
_READY_SECONDS = 5.0

T = TypeVar("T")


class ServerEngine:
    """The rules of `catalog` on the OPA at `url`, into which they are loaded when they are not there.

    The server must serve this version of gracegate alone: what another version loaded is removed. A question may take
    `seconds`. Safe to share between threads. Raises ConfigError for an address that cannot be one.
    """

    def __init__(
        self, url: str, catalog: Catalog, *, token: str | None = None, ca_file: str | None = None, seconds: float = 60.0
    ) -> None:
        def connect(limit: float) -> Connection:
            return Connection(url, token=token, ca_file=ca_file, seconds=limit)

        self._connect = connect
        self._connection = connect(seconds)
        self._digest = catalog.digest
        self._modules = _modules(catalog)
        self._loading = threading.Lock()
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """OPA's version and the digest of the rules on it. Raises EngineError."""
        if self._engine is None:
            self.evaluate(_NOTHING)
            version = self._connection.value("gracegate_engine", "version", {})
            self._engine = Engine("opa", str(version), self._digest)
        return self._engine

    def evaluate(self, question: Mapping[str, Any]) -> Any:
        """The report of exactly our rules; where they are not there, they are loaded once. Raises EngineError."""
        return self._evaluate(self._connection, question)

    def ready(self) -> str | None:
        """What is missing before an evaluation can work, or None; within a few seconds."""
        try:
            with closing(self._connect(_READY_SECONDS)) as connection:
                self._evaluate(connection, _NOTHING)
        except EngineError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _evaluate(self, connection: Connection, question: Mapping[str, Any]) -> Any:
        report = self._ours(connection, question)
        if report is None:
            self._load(connection)
            report = self._ours(connection, question)
        if report is None:
            raise ForeignRules("OPA does not answer from the rules that were just loaded into it")
        return report

    def _ours(self, connection: Connection, question: Mapping[str, Any]) -> Any:
        """The report, or None where OPA has other rules than ours or none."""
        try:
            report = connection.value("gracegate.main", "report", question)
        except Undefined:
            return None
        except RuleFailed:
            if question is not _NOTHING and self._ours(connection, _NOTHING) is None:
                return None
            raise
        return report if isinstance(report, Mapping) and report.get("digest") == self._digest else None

    def _load(self, connection: Connection) -> None:
        with self._loading:
            if self._ours(connection, _NOTHING) is not None:
                return  # another thread was faster
            try:
                self._put_all(connection)
            except RulesError as error:
                raise EngineError(f"OPA does not take the rules: {error}") from error

    def _put_all(self, connection: Connection) -> None:
        def put(identity: str) -> None:
            connection.put_module(identity, self._modules[identity])

        # The digest goes first and comes last, so that it never vouches for a part of the rules.
        ours, there = sorted(self._modules), _modules_on(connection)
        connection.put_data(_RELEASE, {"modules": sorted({*ours, *there})})
        try:
            _in_some_order(put, ours)
        except RulesError:
            # Modules of an older version need what ours replace.
            _in_some_order(connection.delete_module, there)
            _in_some_order(put, ours)
        _in_some_order(connection.delete_module, set(there).difference(ours))
        connection.put_data(_RELEASE, _release(self._digest, ours))


class ChildEngine:
    """The rules on a child OPA, which is started again when it died."""

    def __init__(self, process: OpaProcess, catalog: Catalog, seconds: float) -> None:
        self._process = process
        self._catalog = catalog
        self._seconds = seconds
        self._reviving = threading.Lock()
        self._server = self._connected()

    @property
    def engine(self) -> Engine:
        """OPA's version and the digest of the rules on it. Raises EngineError."""
        return self._alive(lambda server: server.engine)

    @property
    def address(self) -> tuple[str, str]:
        """URL and token of the OPA that runs now, for other processes of ours."""
        return self._process.url, self._process.token

    def evaluate(self, question: Mapping[str, Any]) -> Any:
        """The report; asked again once where OPA died meanwhile. Raises EngineError."""
        return self._alive(lambda server: server.evaluate(question))

    def ready(self) -> str | None:
        """What is missing before an evaluation can work, or None."""
        try:
            self.evaluate(_NOTHING)
        except EngineError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Close the connections; the process belongs to `child`."""
        self._server.close()

    def _alive(self, action: Callable[[ServerEngine], T]) -> T:
        server = self._server
        try:
            return action(server)
        except EngineUnavailable:
            if not self._process.ended():
                raise
        with self._reviving:
            if server is self._server:
                self._process.restart()
                self._server.close()
                self._server = self._connected()
        return action(self._server)

    def _connected(self) -> ServerEngine:
        return ServerEngine(self._process.url, self._catalog, token=self._process.token, seconds=self._seconds)


@contextmanager
def child(binary: Path, catalog: Catalog, *, seconds: float = 60.0) -> Iterator[ChildEngine]:
    """An engine on an OPA of its own that runs as long as the context. Raises EngineUnavailable."""
    modules = _modules(catalog)
    # All at once from files: put one by one, OPA would compile all of them for each.
    release = json.dumps({_RELEASE: _release(catalog.digest, sorted(modules))})
    with (
        OpaProcess(binary, {**modules, "release.json": release}) as process,
        closing(ChildEngine(process, catalog, seconds)) as engine,
    ):
        yield engine


def _modules(catalog: Catalog) -> dict[str, str]:
    """What is loaded, by its id on the server."""
    own = {f"{_PREFIX}{path}": text for path, text in catalog.modules.items()}
    return {**own, f"{_PREFIX}engine.rego": _VERSION_MODULE}


def _release(digest: str, modules: list[str]) -> dict[str, Any]:
    return {"digest": digest, "modules": modules}


def _modules_on(connection: Connection) -> list[str]:
    """The modules that some version of gracegate loaded, as it left word; listing them would bring their whole text."""
    try:
        left = connection.value(_RELEASE, "modules", {})
    except Undefined:
        return []
    return [identity for identity in left if isinstance(identity, str)] if isinstance(left, list) else []


def _in_some_order(action: Callable[[str], None], identities: Iterable[str]) -> None:
    """Each module once, those later whose neighbours must come or go first. Raises RulesError where none works."""
    pending = sorted(identities)
    while pending:
        left = []
        for identity in pending:
            try:
                action(identity)
            except RulesError as error:
                left.append(identity)
                reason = error
        if len(left) == len(pending):
            raise reason
        pending = left
