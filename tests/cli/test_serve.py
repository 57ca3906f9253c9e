"""What a process of the service does before it starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import requests

from gracegate import rendering
from gracegate.cli import serve
from gracegate.settings import Settings
from gracegate.store import Store
from tests.jobs.harness import environment
from tests.processes import WAIT_SECONDS, Running, is_healthy, wait_for


def test_the_start_warns_of_old_names_and_creates_the_tables(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings.from_environment(environment(tmp_path, GRACEGATE_DRAIN_SECONDS="7"))
    serve.prepare_database(settings)
    assert caplog.messages == ["GRACEGATE_DRAIN_SECONDS is an old name: write GRACEGATE_SHUTDOWN_SECONDS instead"]
    store = Store(settings.database)
    assert store.check_readiness() is None
    store.close()


def test_a_start_without_a_renderer_says_what_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "find_renderer", lambda: None)
    serve.prepare_renderer(Settings.from_environment(environment(tmp_path)))
    assert caplog.messages == ["kustomizations and charts are not rendered: run `make tools`"]


def test_a_start_without_an_app_serves_the_page_that_says_how_to_get_one(tmp_path: Path, free_port: int) -> None:
    bind = f"127.0.0.1:{free_port}"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GRACEGATE_BIND": bind}
    with Running([sys.executable, "-m", "gracegate", "serve"], env, tmp_path / "serve.log") as running:
        wait_for("the server to answer", lambda: is_healthy(f"http://{bind}"))
        page = requests.get(f"http://{bind}/", timeout=WAIT_SECONDS)
        assert (page.status_code, "gracegate setup --url" in page.text) == (200, True)
        assert running.end() == 0
    log = (tmp_path / "serve.log").read_text()
    assert f"gracegate: no GitHub App is set: http://{bind}/ says how to register one" in log
    assert not (tmp_path / ".local").exists()
