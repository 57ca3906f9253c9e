"""The real service as processes, and a fake GitHub in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.layers import layer
from tests.e2e.scene import Scene, start_scene

# The fake GitHub has no rate limits, so the service need not pause between its writes.
AT_ONCE = {"GRACEGATE_WRITE_GAP": "0", "GRACEGATE_NOTIFY_GAP": "0"}


@pytest.fixture(scope="session")
def shared_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One service for all tests that leave it running."""
    with start_scene(tmp_path_factory.mktemp("e2e"), **AT_ONCE) as scene:
        yield scene


@pytest.fixture
def scene(shared_scene: Scene) -> Iterator[Scene]:
    """The shared service, and a new repository for this test, which holds the shop."""
    number = len(shared_scene.fake.world.repositories) + 1
    yield shared_scene.in_repository(f"shop/manifests-{number}", layer("base"))
    shared_scene.fake.clear_faults()
    shared_scene.wait_until_reviewed()


@pytest.fixture
def own_scene(tmp_path: Path) -> Iterator[Scene]:
    """A service that the test may break."""
    with start_scene(tmp_path, **AT_ONCE) as scene:
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
