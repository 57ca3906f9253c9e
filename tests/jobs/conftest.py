"""A service for each test, on both databases unless the test says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gracegate.store import Store
from tests.jobs.harness import Service, make_service
from tests.postgresql import create_database


@pytest.fixture(scope="session")
def prepared_database(postgresql_server: str) -> str:
    """The URL of a database to copy: making all tables takes longer than most of the tests."""
    url = create_database(postgresql_server)
    store = Store(url)
    store.migrate()
    store.close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without runs."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gracegate.db'}"
    template = request.getfixturevalue("prepared_database")
    return create_database(request.getfixturevalue("postgresql_server"), template)


@pytest.fixture
def service(tmp_path: Path, database: str) -> Iterator[Service]:
    service = make_service(tmp_path, GRACEGATE_DATABASE=database)
    yield service
    service.stop()
