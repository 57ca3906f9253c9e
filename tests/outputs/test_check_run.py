"""The check run's conclusion and title for each verdict, its annotations, and its size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gracegate.model import GITHUB_SUMMARY_BYTES, Problem, Report
from gracegate.outputs import Commenting, CommentState, check_run
from gracegate.outputs.markdown import size
from tests.outputs import sample_reports as samples

ADVISE = replace(samples.FAIL, gate="advise")
UNREAD = replace(samples.CLEAN, verdict="incomplete", problems=(samples.BROKEN,))
ENGINE_DOWN = replace(
    samples.CLEAN, verdict="incomplete", problems=(Problem("", 0, "engine_unavailable", "OPA did not answer"),)
)
TOO_SLOW = replace(
    samples.CLEAN, verdict="incomplete", problems=(Problem("", 0, "engine", "the check took longer than 120 s"),)
)


@pytest.mark.parametrize(
    ("report", "on_incomplete", "conclusion", "title"),
    [
        pytest.param(samples.NOTHING, "failure", "success", "No Kubernetes manifests changed", id="no manifests"),
        pytest.param(samples.CLEAN, "failure", "success", "No new problems in 3 workloads", id="clean"),
        pytest.param(samples.REMARKS, "failure", "neutral", "1 warning in 1 workload", id="remarks"),
        pytest.param(samples.FAIL, "neutral", "failure", "3 errors, 1 warning in 3 workloads", id="fail"),
        pytest.param(ADVISE, "failure", "neutral", "3 errors, 1 warning in 3 workloads", id="fail, gate advises"),
        pytest.param(UNREAD, "failure", "failure", "Incomplete: 1 file could not be read", id="unread file"),
        pytest.param(UNREAD, "neutral", "failure", "Incomplete: 1 file could not be read", id="the author's doing"),
        pytest.param(
            ENGINE_DOWN, "neutral", "neutral", "Incomplete: the rules were not all evaluated", id="operator's choice"
        ),
        pytest.param(
            replace(ENGINE_DOWN, problems=(*ENGINE_DOWN.problems, samples.BROKEN)),
            "neutral",
            "failure",
            "Incomplete: 1 file could not be read",
            id="both",
        ),
        pytest.param(
            TOO_SLOW, "neutral", "failure", "Incomplete: the rules were not all evaluated", id="the check was too slow"
        ),
        pytest.param(
            replace(UNREAD, gate="advise"),
            "failure",
            "neutral",
            "Incomplete: 1 file could not be read",
            id="advise",
        ),
        pytest.param(
            ENGINE_DOWN, "failure", "failure", "Incomplete: the rules were not all evaluated", id="engine down"
        ),
    ],
)
def test_conclusion_and_title(report: Report, on_incomplete: str, conclusion: str, title: str) -> None:
    output = check_run.render(report, on_incomplete)  # type: ignore[arg-type]
    assert (output.conclusion, output.title) == (conclusion, title)


@pytest.mark.parametrize(
    ("commenting", "end"),
    [("possible", "requests."), ("locked", "is locked."), ("refused", "commented on its line.")],
)
def test_the_opening_says_where_comments_are_missing(commenting: Commenting, end: str) -> None:
    opening = check_run.render(samples.FAIL, comments=CommentState(commenting)).summary.split("\n", maxsplit=1)[0]
    assert (opening.startswith("After this change, "), opening.endswith(end)) == (True, True)


def test_a_clean_check_has_no_annotations() -> None:
    assert check_run.render(samples.CLEAN).annotations == ()


def test_waived_and_pre_existing_findings_are_not_annotated() -> None:
    paths = {annotation["path"] for annotation in check_run.render(samples.FAIL).annotations}
    assert paths == {"apps/reviews.yaml", "apps/web.yaml", "apps/cart.yaml", "charts/edge/deployment.yaml"}


@pytest.mark.parametrize(
    ("comments", "annotated"),
    [
        pytest.param(samples.COMMENTS, ["apps/cart.yaml", "charts/edge/deployment.yaml"], id="commented"),
        pytest.param(
            samples.REFUSED_COMMENTS, ["apps/cart.yaml", "charts/edge/deployment.yaml", "apps/web.yaml"], id="refused"
        ),
    ],
)
def test_what_a_comment_says_is_not_annotated(comments: CommentState, annotated: list[str]) -> None:
    output = check_run.render(samples.FAIL, comments=comments)
    assert [annotation["path"] for annotation in output.annotations] == annotated


def test_what_a_comment_says_is_named_once_in_the_summary() -> None:
    summary = check_run.render(samples.FAIL, comments=samples.COMMENTS).summary
    parts = [f.title for f in samples.COMMENTED] + [f.message for f in samples.COMMENTED]
    assert [summary.count(part) for part in parts] == [1, 1, 1, 0, 0, 0]


def test_notes_are_one_line_for_each_rule_and_nowhere_else() -> None:
    note = replace(samples.UNSERVED, severity="info", is_note=True)
    notes = tuple(replace(note, id=str(line), line=line) for line in range(1, 13))
    output = check_run.render(replace(samples.CLEAN, findings=notes))
    (line,) = [line for line in output.summary.split("\n") if samples.UNSERVED.rule in line]
    names = ", ".join(f"`Deployment shop/cart` (`apps/cart.yaml:{line}`)" for line in range(1, 11))
    assert line == f"- Rollout stops every pod at once: {names} and 2 more (`rollout-drops-all-replicas`)"
    assert (output.title, output.annotations) == ("No new problems in 3 workloads", ())


def test_an_annotation_carries_the_patch() -> None:
    annotation = check_run.render(replace(samples.FAIL, findings=(samples.EXHAUSTED,), problems=())).annotations
    assert annotation == (
        {
            "path": "apps/web.yaml",
            "start_line": 31,
            "end_line": 31,
            "annotation_level": "failure",
            "message": f"{samples.EXHAUSTED.message} It was there before and got worse.",
            "title": "Container is killed before it can shut down (grace-period-exhausted)",
            "raw_details": samples.GRACE_DIFF,
        },
    )


def test_a_problem_without_a_line_is_annotated_on_the_first() -> None:
    problem = Problem("apps/big.yaml", 0, "too_large", "The file has 6 MB.")
    (annotation,) = check_run.render(replace(UNREAD, problems=(problem,))).annotations
    assert (annotation["start_line"], annotation["end_line"], annotation["annotation_level"]) == (1, 1, "failure")


def test_the_summary_is_bounded_and_keeps_its_footer() -> None:
    output = check_run.render(samples.BIG)
    assert size(output.summary) <= GITHUB_SUMMARY_BYTES
    assert "more, left out because this page is full." in output.summary
    assert output.summary.endswith("evaluated by `wasm 1.22.2`.</sub>")
    assert len(output.annotations) == 901


@pytest.mark.parametrize(
    ("code", "is_manifest", "blocks", "is_uncovered"),
    [
        pytest.param("syntax", True, True, False, id="unread"),
        pytest.param("syntax", False, False, False, id="unread, not a manifest"),
        pytest.param("template", True, False, True, id="not covered"),
        pytest.param("template", False, False, False, id="not covered, not a manifest"),
    ],
)
def test_a_problem_blocks_or_is_not_covered(code: str, is_manifest: bool, blocks: bool, is_uncovered: bool) -> None:
    problem = Problem("a.yaml", 1, code, "It cannot be read.", is_manifest)
    assert (problem.blocks, problem.is_uncovered) == (blocks, is_uncovered)
