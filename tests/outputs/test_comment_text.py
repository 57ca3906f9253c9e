"""Comments: untrusted text has no effect, size is bounded, lines are resolved one by one, the marker comes last."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from gracegate.model import GITHUB_COMMENT_BYTES, Finding, Fix, ObjectRef, Operation, Suggestion
from gracegate.outputs import comment_text
from gracegate.outputs.markdown import size
from tests.outputs import sample_reports as samples

POD = ("spec", "template", "spec")
WEB = (*POD, "containers", 0)
OPEN = comment_text.comment_body((samples.NO_PROBE, samples.NO_DRAIN), samples.REVIEWS_FIX, marker=samples.MARKER)
RESOLVED = comment_text.resolved_body(OPEN, commit="0123456789", is_fixed=True, marker=samples.FIXED_MARKER)

OPEN_LINE = "❌ Error: Container `reviews` stops before traffic does: it has no preStop delay. `prestop-drain-missing`"
RESOLVED_LINE = (
    "✅ ~~Container `reviews` gets requests before it can answer them: it has no readinessProbe. "
    "`readiness-probe-missing`~~ Fixed in 0123456."
)


def blocks(body: str) -> list[str]:
    """What a comment says before it collapses the reasons."""
    return body.partition("\n\n<details>")[0].split("\n\n")


def test_a_resolved_comment_stays_as_it_is() -> None:
    again = comment_text.resolved_body(RESOLVED, commit="fedcba9876", is_fixed=True, marker=samples.FIXED_MARKER)
    assert again.split("\n\n")[0] == RESOLVED.split("\n\n")[0]


def test_a_resolved_comment_has_no_suggestion_to_apply() -> None:
    assert "```suggestion" not in RESOLVED
    assert RESOLVED.endswith(samples.FIXED_MARKER)
    assert RESOLVED.count("<!-- gracegate:") == 1


@pytest.mark.parametrize(
    ("still_open", "resolved", "lines"),
    [
        pytest.param(
            samples.NO_DRAIN,
            1,
            [
                OPEN_LINE,
                RESOLVED_LINE,
            ],
            id="one is still open",
        ),
        pytest.param(
            replace(samples.NO_DRAIN, message="It drains for 5 s now."),
            1,
            [
                "❌ Error: It drains for 5 s now. `prestop-drain-missing`",
                RESOLVED_LINE,
            ],
            id="the open finding has a new message",
        ),
        pytest.param(
            samples.NO_DRAIN,
            2,
            [
                OPEN_LINE,
                "✅ 2 findings of this comment fixed in 0123456.",
            ],
            id="somebody edited the comment",
        ),
    ],
)
def test_an_updated_comment(still_open: Finding, resolved: int, lines: list[str]) -> None:
    body = comment_text.updated_body(
        OPEN, (still_open,), resolved, commit="0123456789", is_fixed=True, marker=samples.MARKER
    )
    assert body.split("\n\n")[0].split("\n") == lines
    assert body.endswith(samples.MARKER)
    assert "```suggestion" not in body


def test_carriage_returns_of_a_browser_do_not_matter() -> None:
    assert (
        comment_text.resolved_body(
            OPEN.replace("\n", "\r\n"), commit="0123456789", is_fixed=True, marker=samples.FIXED_MARKER
        )
        == RESOLVED
    )


def test_a_suggestion_that_is_too_long_is_left_out_and_the_marker_stays() -> None:
    long = Suggestion("s-reviews", "apps/reviews.yaml", 1, 1, "x" * 70_000)
    body = comment_text.comment_body((samples.NO_PROBE,), long, marker=samples.MARKER)
    assert size(body) <= GITHUB_COMMENT_BYTES
    assert body.startswith("❌ Error: Container `reviews` gets requests")
    assert body.endswith(samples.MARKER)


def test_untrusted_text_has_no_effect_in_a_comment() -> None:
    body = comment_text.comment_body((samples.HOSTILE_FINDING,), None, marker=samples.MARKER)
    tokens = [
        t for block in MarkdownIt("commonmark").enable("table").parse(body) for t in (block, *(block.children or []))
    ]
    html = [t.content.strip() for t in tokens if t.type.startswith("html")]
    assert html == ["<details><summary>Why? Not a problem here?</summary>", "</details>", samples.MARKER]
    assert {t.type for t in tokens} & {"link_open", "image", "heading_open", "em_open", "strong_open"} == set()


def test_a_patch_that_is_not_verified_is_described() -> None:
    fix = Fix(
        "assumes", (Operation("add", ("spec", "x", 0), {"a": 1}), Operation("remove", ("y",))), assumption="it is"
    )
    body = comment_text.comment_body(
        (replace(samples.EXHAUSTED, fix=fix, no_suggestion="assumes", related=()),), None, marker=""
    )
    assert blocks(body)[1:] == [
        "A change to consider:",
        '- set `spec.x.0` to `{"a": 1}`\n- remove `y`',
        "This is right if: it is",
    ]


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        pytest.param(Operation("add", (*WEB, "readinessProbe"), {}), None, id="the message names the field"),
        pytest.param(
            Operation("add", (*WEB, "lifecycle"), {"readinessProbe": {"a": 1}}),
            None,
            id="the message names what is in it",
        ),
        pytest.param(
            Operation("replace", (*POD, "terminationGracePeriodSeconds"), 50, reason="the drain has to fit"),
            "The fix sets `terminationGracePeriodSeconds` to `50`: the drain has to fit.",
            id="a number with its reason",
        ),
        pytest.param(
            Operation("add", (*WEB, "ports", 0, "name"), "http"), "The fix sets `ports[0].name` to `http`.", id="a text"
        ),
        pytest.param(
            Operation("add", (*WEB, "startupProbe"), {"a": 1}), "The fix adds `startupProbe`.", id="an object is added"
        ),
        pytest.param(
            Operation("replace", (*WEB, "command"), ["a"]), "The fix changes `command`.", id="a list is replaced"
        ),
        pytest.param(
            Operation("remove", (*WEB, "livenessProbe", "initialDelaySeconds")),
            "The fix removes `livenessProbe.initialDelaySeconds`.",
            id="a removal",
        ),
        pytest.param(Operation("replace", ("data", "a"), True), "The fix sets `data.a` to `true`.", id="no spec"),
    ],
)
def test_what_no_message_names_is_named_below_the_fix(operation: Operation, sentence: str | None) -> None:
    finding = replace(samples.NO_PROBE, fix=Fix("safe", (operation,), diff=samples.REVIEWS_DIFF), related=())
    body = comment_text.comment_body((finding,), samples.REVIEWS_FIX, marker="")
    assert blocks(body)[2:] == ([sentence] if sentence else [])


def test_of_two_numbers_for_a_field_the_larger_one_is_named() -> None:
    path = (*POD, "terminationGracePeriodSeconds")
    findings = [
        replace(samples.NO_PROBE, id=str(n), fix=Fix("safe", (Operation("add", path, n),), diff=samples.REVIEWS_DIFF))
        for n in (40, 60, 50)
    ]
    body = comment_text.comment_body(findings, samples.REVIEWS_FIX, marker="")
    assert blocks(body)[3:] == ["The fix sets `terminationGracePeriodSeconds` to `60`."]


def test_findings_that_the_fix_covers_without_a_line_of_their_own_are_named() -> None:
    info = replace(samples.NO_DRAIN, severity="info")
    others = (samples.NO_PROBE, info, samples.EXHAUSTED)
    body = comment_text.comment_body((samples.NO_PROBE,), samples.REVIEWS_FIX, marker="", others=others)
    assert blocks(body)[3:] == [
        "The fix also covers:",
        "- ℹ️ Info: Container `reviews` stops before traffic does: it has no preStop delay. `prestop-drain-missing`",  # noqa: RUF001
    ]


def test_the_review_counts_the_findings_without_a_comment() -> None:
    body = comment_text.review_body(samples.COMMENTED, 20, commit="1a2b3c4d5e", uncommented=3)
    assert "20 comments below, 3 more findings in the check" in body


def test_rollouts_are_told_worst_first_and_only_where_the_fixes_help() -> None:
    cured = samples.REVIEWS_ROLLOUT.after
    no_drain = replace(
        samples.REVIEWS_ROLLOUT, object=ObjectRef("Deployment", "shop", "b:a`d\n#"), before=replace(cured, prestop=0)
    )
    rollouts = (no_drain, samples.REVIEWS_ROLLOUT, replace(no_drain, before=cured), replace(no_drain, after="unserved"))
    body = comment_text.comment_body((samples.NO_PROBE,), None, marker="", rollouts=rollouts)
    lines = [line for line in body.splitlines() if line.startswith(("<details><summary>What", "**", "    title"))]
    assert lines == [
        "<details><summary>What each rollout loses: like 10 s of outage</summary>",
        (
            "**`Deployment shop/reviews`: like 10 s of outage in each rollout** (about 510 of 900 requests at 50/s). "
            "With all fixes of this review: no request lost in the model."
        ),
        "    title Deployment shop/reviews - As it is - like 10 s of outage in every rollout",
        "    title Deployment shop/reviews - With all fixes - no request lost in the model",
        (
            "**``Deployment shop/b:a`d #``: like 1.6 s of outage in each rollout** (about 82 of 2,400 requests at "
            "50/s; 0.9 s to 7.8 s, depending on cluster and app). With all fixes of this review: no request lost in "
            "the model."
        ),
        "    title Deployment shop/b a d - As it is - like 1.6 s of outage in every rollout",
        "    title Deployment shop/b a d - With all fixes - no request lost in the model",
    ]
