"""The web application over a fresh database: in this process for tables of requests, and as the real server."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gracegate.settings import Settings
from gracegate.web import create_app
from tests.jobs.harness import Service, make_service
from tests.processes import WAIT_SECONDS, is_healthy, wait_for


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = make_service(tmp_path)
    yield service
    service.stop()


@pytest.fixture
def make_client(service: Service) -> Callable[..., FlaskClient]:
    def make(**env: str) -> FlaskClient:
        settings = Settings.from_environment({**service.env, **env})
        return create_app(settings, service.store, {}).test_client()

    return make


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client()


@dataclasses.dataclass
class Server:
    url: str
    process: subprocess.Popen[bytes]
    service: Service


@pytest.fixture
def server(service: Service, free_port: int) -> Iterator[Server]:
    port = free_port
    env = {**service.env, "GRACEGATE_BIND": f"127.0.0.1:{port}"}
    with (service.folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gracegate", "serve", "--web-only"], env=env, stdout=log, stderr=log
        )
    server = Server(f"http://127.0.0.1:{port}", process, service)
    wait_for("the server to answer", lambda: is_healthy(server.url))
    yield server
    process.terminate()
    assert process.wait(WAIT_SECONDS) == 0
