"""The terminal report: quiet when there is nothing to say, harmless whatever the names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gracegate.model import Report
from gracegate.outputs import text
from tests.outputs import sample_reports as samples

OLD_ONLY = replace(samples.CLEAN, findings=(samples.OLD, samples.WAIVED))


@pytest.mark.parametrize(
    ("report", "said"),
    [
        pytest.param(samples.CLEAN, "", id="clean"),
        pytest.param(samples.NOTHING, "No Kubernetes workloads in changed files.\n", id="nothing changed"),
        pytest.param(
            replace(samples.NOTHING, has_base=False), "No Kubernetes workloads in 1 file.\n", id="nothing to judge"
        ),
        pytest.param(OLD_ONLY, "No new findings (1 finding already there, 1 finding waived).\n", id="old and waived"),
    ],
)
def test_quiet(report: Report, said: str) -> None:
    assert text.render(report) == said


def test_many_findings_are_shown_without_their_changes() -> None:
    rendered = text.render(samples.BIG)
    assert "terminationGracePeriodSeconds: 75" not in rendered
    assert "`gracegate fix` mends 900 of them" in rendered


def test_a_terminal_is_never_told_anything_by_a_manifest() -> None:
    rendered = text.render(samples.HOSTILE)
    assert [c for c in rendered if not c.isprintable() and c != "\n"] == []


def test_colours_change_nothing_but_colours() -> None:
    coloured = text.render(samples.PRESENT, colour=True)
    for escape in text._COLOURS.values():
        coloured = coloured.replace(escape, "")
    assert coloured.replace("\x1b[0m", "") == text.render(samples.PRESENT)
