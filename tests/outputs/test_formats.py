"""The table of formats: each one renders any report from the report alone."""

from __future__ import annotations

import pytest

from gracegate.outputs import FORMATS, TextStyle
from tests.outputs import sample_reports as samples


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_needs_nothing_but_the_report(name: str) -> None:
    for report in (samples.FAIL, samples.CLEAN, samples.INCOMPLETE, samples.PRESENT, samples.HOSTILE):
        assert isinstance(FORMATS[name].render(report), str)


def test_only_a_format_for_terminals_has_styles() -> None:
    assert [name for name, one in FORMATS.items() if one.render_styled is not None] == ["text"]
    styled = FORMATS["text"].render_styled
    assert styled is not None
    assert "\x1b[" in styled(samples.FAIL, TextStyle(has_colour=True))
    assert "\x1b[" not in FORMATS["text"].render(samples.FAIL)
