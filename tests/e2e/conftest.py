"""The real service as processes, and a fake GitHub in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.layers import layer
from tests.e2e.scene import Scene, start_scene
from tests.postgresql import create_database

# The fake GitHub has no rate limits, so the service need not pause between its writes.
AT_ONCE = {"GRACEGATE_WRITE_GAP": "0", "GRACEGATE_NOTIFY_GAP": "0"}


@pytest.fixture(scope="session")
def shared_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One service for all tests that leave it running."""
    with start_scene(tmp_path_factory.mktemp("e2e"), **AT_ONCE) as scene:
        yield scene


@pytest.fixture(scope="session")
def shared_postgresql_scene(tmp_path_factory: pytest.TempPathFactory, postgresql_server: str) -> Iterator[Scene]:
    """The same on PostgreSQL."""
    settings = {**AT_ONCE, "GRACEGATE_DATABASE": create_database(postgresql_server)}
    with start_scene(tmp_path_factory.mktemp("e2e"), **settings) as scene:
        yield scene


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """SQLite, unless the test is marked `on_both_databases`."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def scene(request: pytest.FixtureRequest, database: str) -> Iterator[Scene]:
    """The shared service, and a new repository for this test, which holds the shop."""
    shared_scene = request.getfixturevalue("shared_scene" if database == "sqlite" else "shared_postgresql_scene")
    number = len(shared_scene.fake.world.repositories) + 1
    yield shared_scene.in_repository(f"shop/manifests-{number}", layer("base"))
    shared_scene.fake.clear_faults()
    shared_scene.wait_until_reviewed()


@pytest.fixture
def own_scene(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> Iterator[Scene]:
    """A service that the test may break."""
    settings = dict(AT_ONCE)
    if database == "postgresql":
        settings["GRACEGATE_DATABASE"] = create_database(request.getfixturevalue("postgresql_server"))
    with start_scene(tmp_path, **settings) as scene:
        yield scene.in_repository("shop/own", layer("base"))


@pytest.fixture
def own_opa(tmp_path: Path, opa: Path) -> Path:
    """An `opa` that the test may delete."""
    binary = tmp_path / "opa"
    binary.symlink_to(opa)
    return binary


@pytest.fixture
def opa_scene(tmp_path: Path, own_opa: Path) -> Iterator[Scene]:
    """A service whose rules are evaluated by an OPA that is its child."""
    with start_scene(tmp_path, **AT_ONCE, GRACEGATE_OPA=str(own_opa)) as scene:
        yield scene.in_repository("shop/opa", layer("base"))
