"""The database: a SQLite file, or PostgreSQL if one machine is not enough."""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from gracegate.errors import ConfigError, GracegateError
from gracegate.store.tables import EXECUTOR, METADATA

BUSY_SECONDS = 30
"""How long a statement waits for the locks of other transactions."""

_LOOK_AGAIN_SECONDS = 0.001
"""How soon a process that waits for SQLite's write lock looks again."""

_ONLY_READS = "gracegate_only_reads"
"""The execution option of a connection that takes no write lock."""

_POOL_SIZE = 15
"""Connections of a process to PostgreSQL, at most; its threads wait for them."""

Transaction = sa.Connection
"""A connection inside Store.transaction() or Store.reading()."""


class DatabaseUnavailable(GracegateError):
    """The database cannot be reached or is locked. Nothing was written, and it is worth another try."""


class Store:
    """The database at `url`. One per process: never carried over a fork.

    On SQLite a transaction is on the disk when it has ended, so that it survives a power failure. Without
    `syncs_at_once` it is there with the next one of another process that is: the lock is held for 1 ms in place of 4,
    and what a power failure has undone is done again.
    """

    def __init__(self, url: str, *, syncs_at_once: bool = True) -> None:
        self.url = database_url(url)
        self.engine = _engine(self.url, syncs_at_once=syncs_at_once)
        self._reading_engine = self.engine.execution_options(**{_ONLY_READS: True})
        self._turn = _SqliteTurn() if self.engine.dialect.name == "sqlite" else nullcontext()

    def migrate(self) -> None:
        """Create the tables, or bring those of an earlier version up to date."""
        from gracegate.store.migrations import upgrade  # noqa: PLC0415 - only the start of the service needs Alembic

        with self.transaction() as tx:
            upgrade(tx)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Everything in the block is written, or nothing. Opening a second one inside it deadlocks on SQLite."""
        with translate_errors(), self._turn, self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that only reads. On SQLite it does not wait for the one that writes, and none waits for it."""
        with translate_errors(), self._reading_engine.begin() as connection:
            yield connection

    def check_readiness(self) -> str | None:
        """Why the database cannot be used, in words; None if it can."""
        try:
            with self.reading() as tx:
                missing = set(METADATA.tables) - set(sa.inspect(tx).get_table_names())
        except DatabaseUnavailable as error:
            return f"the database does not answer: {error}"
        if not missing:
            return None
        return f"tables are missing: {', '.join(sorted(missing))}; the service makes them when it starts"

    def check_writes(self) -> str | None:
        """As check_readiness, and whether the tables are those of this version and take a row, which is not kept."""
        from gracegate.store.migrations import is_current  # noqa: PLC0415 - as above

        if problem := self.check_readiness():
            return problem
        try:
            with translate_errors(), self.engine.connect() as connection, connection.begin() as transaction:
                if not is_current(connection):
                    return "the tables are of another version of gracegate; the service migrates them when it starts"
                connection.execute(sa.insert(EXECUTOR).values(id=secrets.token_hex(16), heartbeat_at=0.0))
                transaction.rollback()
        except (DatabaseUnavailable, DBAPIError) as error:
            return f"the database takes no rows: {error}"
        return None

    def close(self) -> None:
        self.engine.dispose()


class _SqliteTurn:
    """The turn of a thread to ask for SQLite's one write lock, so that few ask for it at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise DatabaseUnavailable("the database is locked")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise errors of the driver that go away by themselves as DatabaseUnavailable."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable(str(error)) from error
    except DBAPIError as error:
        # PostgreSQL ends a connection that was idle for too long with an InternalError.
        if isinstance(error, (OperationalError, InterfaceError)) or error.connection_invalidated:
            raise DatabaseUnavailable(str(error.orig)) from error
        raise


def database_url(url: str) -> str:
    """The URL with the driver that we ship. Creates the folder of a SQLite file, and the file, for this user alone."""
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigError(
                "GRACEGATE_DATABASE is in memory: web and workers share the database, so write the path of a file"
            )
        _make_private(Path(parsed.database))
        return url
    if parsed.get_backend_name() != "postgresql":
        raise ConfigError("GRACEGATE_DATABASE is neither sqlite nor postgresql: only these are supported")
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for another database. Raises ConfigError if `url` is none."""
    parsed = _parse(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _parse(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except sa.exc.ArgumentError as error:
        message = (
            "GRACEGATE_DATABASE is not a database URL: write sqlite:////path/to/file.db or postgresql://user@host/name"
        )
        raise ConfigError(message) from error


def _make_private(file: Path) -> None:
    """SQLite gives the files beside the database its mode; earlier versions let other users read all of them."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    for path in (file, *(file.with_name(f"{file.name}{suffix}") for suffix in ("-wal", "-shm"))):
        # What cannot be changed is another user's, or no file: SQLite says what is wrong, and the doctor who may read.
        with suppress(OSError):
            if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077:
                path.chmod(0o600)


def url_without_password(url: str) -> str:
    """The URL without its password."""
    return sa.make_url(url).render_as_string(hide_password=True)


def _engine(url: str, *, syncs_at_once: bool) -> sa.Engine:
    if not url.startswith("sqlite"):
        # Without an overflow, whose connections are closed after each use: to open one takes longer than to use it. And
        # the one that was used last comes first: its server process has the statements prepared.
        engine = sa.create_engine(url, pool_pre_ping=True, pool_size=_POOL_SIZE, max_overflow=0, pool_use_lifo=True)
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    engine = sa.create_engine(url, pool_use_lifo=True)
    event.listen(engine, "connect", partial(_prepare_sqlite, "FULL" if syncs_at_once else "NORMAL"))
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_sqlite(synchronous: str, connection: Any, _entry: ConnectionPoolEntry) -> None:
    # We begin transactions ourselves: one that reads first and writes later would fail on a busy database.
    connection.isolation_level = None
    waiting, modes = f"busy_timeout={BUSY_SECONDS * 1000}", ("journal_mode=WAL", f"synchronous={synchronous}")
    # From then on only BEGIN IMMEDIATE has to wait.
    for pragma in (waiting, *modes, "foreign_keys=ON", "busy_timeout=0"):
        connection.execute(f"PRAGMA {pragma}").close()


def _prepare_postgresql(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # By default a statement waits for ever, and a process that stops inside a transaction holds its locks for ever.
    connection.execute(f"SET lock_timeout = {BUSY_SECONDS * 1000}")
    connection.execute(f"SET idle_in_transaction_session_timeout = {2 * BUSY_SECONDS * 1000}")
    connection.commit()


def _begin(connection: sa.Connection) -> None:
    if connection.get_execution_options().get(_ONLY_READS):
        connection.exec_driver_sql("BEGIN")
    else:
        _begin_immediate(connection)


def _begin_immediate(connection: sa.Connection) -> None:
    """Wait for the write lock. SQLite itself looks again after up to 0.1 s, so that the lock is free most of the time
    that others wait for it: webhooks waited for 60 ms beside a worker."""
    begin = "BEGIN IMMEDIATE"
    sqlite = connection.connection.driver_connection
    deadline = time.monotonic() + BUSY_SECONDS
    while sqlite is not None and time.monotonic() < deadline:
        try:
            sqlite.execute(begin).close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                break
            time.sleep(_LOOK_AGAIN_SECONDS)
        else:
            return
    # Through SQLAlchemy, which makes its own error of what is wrong.
    connection.exec_driver_sql(begin)
