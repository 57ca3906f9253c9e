"""An empty database for each test: a SQLite file, and one of a PostgreSQL server that runs while the tests do."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gracegate.store import Store

PROGRAMS = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server on loopback, without the name of a database."""
    initdb, server = (shutil.which(program, path=PROGRAMS) for program in ("initdb", "postgres"))
    if initdb is None or server is None:
        pytest.skip("PostgreSQL is not installed (initdb, postgres)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="gracegate-postgresql-") as folder:
        user = _unprivileged_user(folder)
        done = subprocess.run(
            [initdb, "--pgdata", f"{folder}/data", "--username", "gracegate", "--auth", "trust", "--no-sync"],
            user=user, cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        if done.returncode != 0:
            pytest.skip(f"PostgreSQL cannot be set up here: {done.stderr.strip()}")
        settings = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off",
        }  # fmt: skip
        options = [f"--{name}={value}" for name, value in settings.items()]
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(
                [server, "-D", f"{folder}/data", *options], user=user, cwd=folder, stdout=log, stderr=log
            )
        try:
            url = f"postgresql://gracegate@127.0.0.1:{port}"
            _wait_until_ready(url)
            yield url
        finally:
            # Ends it without waiting for its clients.
            process.send_signal(signal.SIGINT)
            process.wait()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'gracegate.db'}"
    server = request.getfixturevalue("postgresql")
    name = f"test_{secrets.token_hex(6)}"
    with _connect(server) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    store = Store(database)
    store.migrate()
    yield store
    store.close()


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


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        with contextlib.suppress(sa.exc.OperationalError), _connect(url):
            return
        assert time.monotonic() < deadline, "PostgreSQL does not answer"
        time.sleep(0.1)


@contextlib.contextmanager
def _connect(server: str) -> Iterator[sa.Connection]:
    url = sa.make_url(f"{server}/postgres").set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        yield connection
