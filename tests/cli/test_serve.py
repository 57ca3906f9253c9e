"""What a process of the service does before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate import rendering
from gracegate.cli import serve
from gracegate.settings import Settings
from gracegate.store import Store
from tests.jobs.harness import environment


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
