"""A fake with one repository, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import NUMBERS, REPOSITORY, Rest, app_jwt, mint, text


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    """`shop/web` with one file of thirty lines."""
    with FakeGitHub(tmp_path) as made:
        made.create_repository(REPOSITORY)
        made.push(REPOSITORY, "main", {"web.yaml": text(NUMBERS)}, "Start")
        yield made


@pytest.fixture
def client(fake: FakeGitHub) -> Iterator[Callable[[str | None], Rest]]:
    """Makes clients by their Authorization header."""
    with ExitStack() as open_clients:
        yield lambda authorization: open_clients.enter_context(closing(Rest(fake, authorization)))


@pytest.fixture
def app(fake: FakeGitHub, client: Callable[[str | None], Rest]) -> Rest:
    """The App by its JWT."""
    return client(f"Bearer {app_jwt(fake)}")


@pytest.fixture
def rest(fake: FakeGitHub, client: Callable[[str | None], Rest]) -> Rest:
    """The installation by a token with all permissions."""
    return client(f"token {mint(fake).json()['token']}")
