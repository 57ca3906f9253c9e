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


@contextlib.contextmanager
def start_server() -> Iterator[str]:
    """The URL of a running server, without the name of a database. Raises ServerMissing."""
    initdb, postgres = (shutil.which(program, path=PROGRAMS) for program in ("initdb", "postgres"))
    if initdb is None or postgres is None:
        raise ServerMissing("initdb and postgres are not installed")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="gracegate-postgresql-") as folder:
        user = _unprivileged_user(folder)
        done = subprocess.run(
            [initdb, "--pgdata", f"{folder}/data", "--username", "gracegate", "--auth", "trust", "--no-sync"],
            user=user, cwd=folder, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS,
        )  # fmt: skip
        if done.returncode != 0:
            raise ServerMissing(f"initdb failed: {done.stderr.strip()}")
        settings = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off",
        }  # fmt: skip
        options = [f"--{name}={value}" for name, value in settings.items()]
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(
                [postgres, "-D", f"{folder}/data", *options], user=user, cwd=folder, stdout=log, stderr=log
            )
        try:
            url = f"postgresql://gracegate@127.0.0.1:{port}"
            wait_for("PostgreSQL to answer", lambda: _answers(url))
            yield url
        finally:
            # Ends it without waiting for its clients.
            process.send_signal(signal.SIGINT)
            process.wait()


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
