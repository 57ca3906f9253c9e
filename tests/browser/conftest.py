"""The browser of all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.browser import Browser, BrowserMissing


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """These tests are skipped by name where there is no browser, or no axe-core."""
    try:
        with Browser(tmp_path_factory.mktemp("profile")) as started:
            yield started
    except BrowserMissing as missing:
        pytest.skip(str(missing))
