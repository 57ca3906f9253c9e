"""A git server, and a registry."""

from __future__ import annotations

from tests.git.conftest import new_repository, server, shop
from tests.policy.sources.conftest import bundles

__all__ = ["bundles", "new_repository", "server", "shop"]
