"""Comments: inert, bounded, struck line by line, with the marker at their end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from gracegate.model import GITHUB_COMMENT_BYTES, Finding, Fix, Operation, Suggestion
from gracegate.outputs import comment_text
from gracegate.outputs.markdown import size
from tests.outputs import sample_reports as samples

OPEN = comment_text.comment_body((samples.NO_PROBE, samples.NO_DRAIN), samples.REVIEWS_FIX, marker=samples.MARKER)
FIXED = comment_text.fixed_body(OPEN, commit="0123456789", marker=samples.FIXED_MARKER)

STRUCK = (
    "✅ ~~Container `reviews` gets requests before it can answer them: it has no readinessProbe. "
    "`readiness-probe-missing`~~ Fixed in 0123456."
)


def test_a_fixed_comment_stays_as_it_is() -> None:
    again = comment_text.fixed_body(FIXED, commit="fedcba9876", marker=samples.FIXED_MARKER)
    assert again.split("\n\n")[0] == FIXED.split("\n\n")[0]


def test_a_struck_comment_offers_nothing_to_apply() -> None:
    assert "```suggestion" not in FIXED
    assert FIXED.endswith(samples.FIXED_MARKER)
    assert FIXED.count("<!-- gracegate:") == 1


@pytest.mark.parametrize(
    ("left", "gone", "titles"),
    [
        pytest.param(
            samples.NO_DRAIN,
            1,
            [
                "❌ Container `reviews` stops before traffic does: it has no preStop delay. `prestop-drain-missing`",
                STRUCK,
            ],
            id="one left",
        ),
        pytest.param(
            replace(samples.NO_DRAIN, message="It says something else now."),
            1,
            [
                "❌ It says something else now. `prestop-drain-missing`",
                STRUCK,
            ],
            id="the one left changed its words",
        ),
        pytest.param(
            samples.NO_DRAIN,
            2,
            [
                "❌ Container `reviews` stops before traffic does: it has no preStop delay. `prestop-drain-missing`",
                "✅ 2 findings of this comment fixed in 0123456.",
            ],
            id="somebody edited the comment",
        ),
    ],
)
def test_a_revised_comment(left: Finding, gone: int, titles: list[str]) -> None:
    body = comment_text.revised_body(OPEN, (left,), gone, commit="0123456789", marker=samples.MARKER)
    assert body.split("\n\n")[0].split("\n") == titles
    assert body.endswith(samples.MARKER)
    assert "```suggestion" not in body


def test_carriage_returns_that_a_browser_left_do_not_matter() -> None:
    assert (
        comment_text.fixed_body(OPEN.replace("\n", "\r\n"), commit="0123456789", marker=samples.FIXED_MARKER) == FIXED
    )


def test_a_change_that_is_too_long_is_left_out_and_the_marker_is_not() -> None:
    long = Suggestion("s-reviews", "apps/reviews.yaml", 1, 1, "x" * 70_000)
    body = comment_text.comment_body((samples.NO_PROBE,), long, marker=samples.MARKER)
    assert size(body) <= GITHUB_COMMENT_BYTES
    assert body.startswith("❌ Container `reviews` gets requests")
    assert body.endswith(samples.MARKER)


def test_a_hostile_comment_has_no_live_part() -> None:
    body = comment_text.comment_body((samples.HOSTILE_FINDING,), None, marker=samples.MARKER)
    tokens = [t for block in MarkdownIt("commonmark").parse(body) for t in (block, *(block.children or []))]
    assert [t.content.strip() for t in tokens if t.type.startswith("html")] == [samples.MARKER]
    assert {t.type for t in tokens} & {"link_open", "image", "heading_open", "em_open", "strong_open"} == set()


def test_a_patch_without_proof_is_told_in_words() -> None:
    fix = Fix(
        "assumes", (Operation("add", ("spec", "x", 0), {"a": 1}), Operation("remove", ("y",))), assumption="it is"
    )
    body = comment_text.comment_body((replace(samples.EXHAUSTED, fix=fix, no_suggestion="assumes"),), None, marker="")
    assert body.split("\n\n")[1:] == [
        "A change to consider:",
        '- set `spec.x.0` to `{"a": 1}`\n- remove `y`',
        "This is right if: it is",
    ]


def test_the_review_without_comments_points_at_the_check() -> None:
    report = replace(samples.FAIL, findings=(samples.EXHAUSTED,))
    assert (
        comment_text.review_body(report, 0) == "This pull request introduces **1 error** in 1 workload. See the check."
    )


def test_the_review_counts_the_findings_without_a_comment() -> None:
    body = comment_text.review_body(samples.FAIL, 20, uncommented=3)
    assert "20 comments below; for 3 more findings see the check." in body
