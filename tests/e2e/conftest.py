"""The real service as processes, a fake GitHub in a thread: what one of them does to the other is the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.layers import layer
from tests.e2e.scene import Scene, started

# Nobody is spammed here, and nobody waits for the sake of politeness.
AT_ONCE = {"GRACEGATE_WRITE_GAP": "0", "GRACEGATE_NOTIFY_GAP": "0"}


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One service for all tests that leave it whole."""
    with started(tmp_path_factory.mktemp("e2e"), **AT_ONCE) as scene:
        yield scene


@pytest.fixture
def scene(standing: Scene) -> Iterator[Scene]:
    """The standing service and a repository of the test's own, which holds the shop."""
    number = len(standing.fake.world.repositories) + 1
    yield standing.in_repository(f"shop/manifests-{number}", layer("base"))
    standing.fake.clear_faults()
    standing.over()


@pytest.fixture
def own_scene(tmp_path: Path) -> Iterator[Scene]:
    """A service that the test may break."""
    with started(tmp_path, **AT_ONCE) as scene:
        yield scene.in_repository("shop/own", layer("base"))


@pytest.fixture
def own_opa(tmp_path: Path, opa: Path) -> Path:
    """An `opa` that the test may take away."""
    binary = tmp_path / "opa"
    binary.symlink_to(opa)
    return binary


@pytest.fixture
def opa_scene(tmp_path: Path, own_opa: Path) -> Iterator[Scene]:
    """A service whose rules are evaluated by an OPA that is its child."""
    with started(tmp_path, **AT_ONCE, GRACEGATE_OPA=str(own_opa)) as scene:
        yield scene.in_repository("shop/opa", layer("base"))
