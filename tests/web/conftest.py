"""The web application over a fresh database: in this process for tables of requests, and as the real server."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from flask.testing import FlaskClient

from gracegate.settings import Settings
from gracegate.web import create_app
from tests.jobs.harness import Service, make_service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = make_service(tmp_path)
    yield service
    service.stop()


@pytest.fixture
def make_client(service: Service) -> Callable[..., FlaskClient]:
    def make(**env: str) -> FlaskClient:
        settings = Settings.from_environment({**service.env, **env})
        return create_app(settings, service.store, service.queue, {}).test_client()

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
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(service: Service, free_port: int) -> Iterator[Server]:
    port = free_port
    env = {**service.env, "GRACEGATE_BIND": f"127.0.0.1:{port}"}
    with (service.folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gracegate", "serve", "--web-only"], env=env, stdout=log, stderr=log
        )
    server = Server(f"http://127.0.0.1:{port}", process, service)
    _wait(server)
    yield server
    process.terminate()
    assert process.wait(20) == 0


def _wait(server: Server) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            requests.get(f"{server.url}/healthz", timeout=5)
        except requests.ConnectionError:
            assert time.monotonic() < deadline, (server.service.folder / "web.log").read_text()
            time.sleep(0.05)
        else:
            return
