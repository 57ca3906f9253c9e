"""A report comes back from the store as it was, with its pictures; of one that is too large, what fits."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

import pytest

from gracegate.model import Report
from gracegate.outputs import draw_rollouts
from gracegate.review.report_pages import MAX_BYTES, read_page, write_page
from tests.outputs import sample_reports as samples


@pytest.mark.parametrize(
    "report",
    [samples.FAIL, samples.CLEAN, samples.INCOMPLETE, samples.SPLIT, samples.HOSTILE, samples.BIG],
)
def test_a_report_comes_back(report: Report) -> None:
    page = read_page(write_page(replace(report, seconds=1.5, shadow_findings=(samples.NO_DRAIN,))))
    assert page is not None
    assert page.report == replace(report, rollouts=(), suggestions=(), live_targets=())
    assert (page.report.seconds, page.left_out) == (1.5, 0)
    assert page.pictures == draw_rollouts(report.rollouts)


def test_of_a_report_that_is_too_large_the_first_findings_are_kept() -> None:
    finding = replace(samples.EXHAUSTED, description="x" * 20_000)
    report = replace(samples.FAIL, findings=(finding,) * 1000)
    content = write_page(report)
    page = read_page(content)
    assert page is not None
    assert len(zlib.decompress(content)) <= MAX_BYTES
    assert (page.left_out + len(page.report.findings), len(page.report.findings) >= 250) == (1000, True)


def test_a_report_of_another_version_is_not_read() -> None:
    assert read_page(zlib.compress(json.dumps({"format": 2}).encode())) is None
