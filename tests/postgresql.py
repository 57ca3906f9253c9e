"""A PostgreSQL server of the tests' own, on loopback: Debian's package or what is on PATH."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from tests.processes import WAIT_SECONDS, free_port, wait_for

PROGRAMS = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])


class ServerMissing(Exception):
    """PostgreSQL is not installed, or cannot be set up here."""


class Server:
    """A server on a port of its own; `url` is without the name of a database."""

    def __init__(self, folder: Path, user: int | None) -> None:
        port = free_port()
        self.url = f"postgresql://gracegate@127.0.0.1:{port}"
        settings = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off",
        }  # fmt: skip
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._command = [_program("postgres"), "-D", f"{folder}/data", *options]
        self._folder = folder
        self._user = user
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("a") as log:
            process = subprocess.Popen(self._command, user=self._user, cwd=self._folder, stdout=log, stderr=log)
        wait_for("PostgreSQL to answer", lambda: _answers(self.url))
        return process

    def restart(self) -> None:
        """Ends it as a crash would, and starts it again: all connections are lost, and no transaction is."""
        self._end(signal.SIGQUIT)
        self._process = self._start()

    def stop(self) -> None:
        """Ends it without waiting for its clients."""
        self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        self._process.wait()


@contextlib.contextmanager
def start_server() -> Iterator[Server]:
    """A running server. Raises ServerMissing."""
    initdb = _program("initdb")
    with tempfile.TemporaryDirectory(prefix="gracegate-postgresql-") as folder:
        user = _unprivileged_user(folder)
        done = subprocess.run(
            [initdb, "--pgdata", f"{folder}/data", "--username", "gracegate", "--auth", "trust", "--no-sync"],
            user=user, cwd=folder, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS,
        )  # fmt: skip
        if done.returncode != 0:
            raise ServerMissing(f"initdb failed: {done.stderr.strip()}")
        server = Server(Path(folder), user)
        try:
            yield server
        finally:
            server.stop()


def create_database(server: str, template: str | None = None) -> str:
    """The URL of a new database: an empty one, or a copy of the one whose URL is `template`."""
    source = sa.make_url(template).database if template else "template1"
    name = f"test_{secrets.token_hex(6)}"
    with connect(f"{server}/postgres") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {source}")
    return f"{server}/{name}"


@contextlib.contextmanager
def connect(database: str | sa.URL) -> Iterator[sa.Connection]:
    """A connection of the test's own, on which each statement is a transaction."""
    url = sa.make_url(database).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        yield connection


def _program(name: str) -> str:
    path = shutil.which(name, path=PROGRAMS)
    if path is None:
        raise ServerMissing(f"{name} is not installed")
    return path


def _answers(server: str) -> bool:
    with contextlib.suppress(sa.exc.OperationalError), connect(f"{server}/postgres"):
        return True
    return False


def _unprivileged_user(folder: str) -> int | None:
    """PostgreSQL refuses to run as root: then the user that owns `folder` from now on; else None."""
    if os.getuid() != 0:
        return None
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return user.pw_uid
