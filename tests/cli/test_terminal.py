"""The state of a progress bar."""

from __future__ import annotations

import pytest

from gracegate.cli import terminal
from gracegate.cli.terminal import Progress


def test_a_step_is_shown_and_then_the_whole_again() -> None:
    shown = Progress("Checking")
    with shown.step("Rendering", 3):
        shown.done += 2
        assert (shown.title, shown.done, shown.total) == ("Rendering", 2, 3)
    assert (shown.title, shown.done, shown.total) == ("Checking", 0, None)


def test_the_clock_stands_still_during_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([10.0, 11.0, 18.0, 20.0])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(now))
    shown = Progress("Checking")
    before = shown.clock()
    with shown.step("Rendering"):
        pass
    assert (before, shown.clock()) == (10.0, 13.0)
