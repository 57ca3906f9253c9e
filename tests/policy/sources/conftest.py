"""A server of bundles, and a git server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.git.conftest import new_repository, server
from tests.policy.sources.bundle_server import BundleServer, serve_bundles

__all__ = ["new_repository", "server"]


@pytest.fixture
def bundles() -> Iterator[BundleServer]:
    with serve_bundles() as state:
        yield state
