"""The terminal report: its last line says what was found, and no name in it controls the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gracegate.model import Fix, Report, Totals
from gracegate.outputs import text
from tests.outputs import sample_reports as samples

PRE_EXISTING_ONLY = replace(samples.CLEAN, findings=(samples.OLD, samples.WAIVED))


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(samples.CLEAN, "No new problems in 3 workloads.\n", id="clean"),
        pytest.param(
            replace(samples.CLEAN, verdict="incomplete"),
            "Not everything was evaluated, so this check cannot pass.\n",
            id="incomplete",
        ),
        pytest.param(
            replace(samples.NOTHING, totals=Totals(0, 0, 0)), "No Kubernetes manifests changed.\n", id="nothing changed"
        ),
        pytest.param(samples.NOTHING, "No Kubernetes workloads in 1 file.\n", id="nothing to check"),
        pytest.param(
            replace(samples.NOTHING, problems=(samples.TEMPLATE,), has_base=False),
            "charts/edge/deployment.yaml:4: note: This is a Helm template; it is not rendered yet. [template]\n"
            "No Kubernetes workloads in 1 file.\n",
            id="notes alone",
        ),
        pytest.param(
            replace(PRE_EXISTING_ONLY, verdict="incomplete"),
            "No new findings (1 finding already there, 1 finding waived). "
            "Not everything was evaluated, so this check cannot pass.\n",
            id="incomplete, and pre-existing",
        ),
        pytest.param(
            PRE_EXISTING_ONLY,
            "No new findings (1 finding already there, 1 finding waived).\n",
            id="pre-existing and waived",
        ),
    ],
)
def test_what_is_said_without_findings(report: Report, expected: str) -> None:
    assert text.render(report) == expected


def test_many_findings_are_shown_without_diffs() -> None:
    rendered = text.render(samples.BIG)
    assert "terminationGracePeriodSeconds: 75" not in rendered
    assert "`gracegate fix` fixes 900 of them" in rendered


def test_a_line_of_windows_is_shown_without_its_end() -> None:
    diff = samples.GRACE_DIFF.replace("\n", "\r\n")
    report = replace(samples.PRESENT, findings=(replace(samples.EXHAUSTED, fix=Fix("safe", diff=diff)),))
    assert "\N{REPLACEMENT CHARACTER}" not in text.render(report)


def test_no_control_character_of_a_manifest_reaches_the_terminal() -> None:
    rendered = text.render(samples.HOSTILE)
    assert [c for c in rendered if not c.isprintable() and c != "\n"] == []


def test_colours_change_no_text() -> None:
    coloured = text.render(samples.PRESENT, text.TextStyle(has_colour=True))
    for escape in text._COLOURS.values():
        coloured = coloured.replace(escape, "")
    assert coloured.replace("\x1b[0m", "") == text.render(samples.PRESENT)
