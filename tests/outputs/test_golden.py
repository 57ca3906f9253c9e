"""Complete outputs as users see them: `python -m tests.outputs.golden_files` writes the files again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.outputs.golden_files import FOLDER, RENDERED


@pytest.mark.parametrize(("name", "render"), [pytest.param(n, r, id=n) for n, r in RENDERED.items()])
def test_golden(name: str, render: Callable[[], str]) -> None:
    assert render() == (FOLDER / name).read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(RENDERED)
