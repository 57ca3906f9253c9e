"""What is said, once: drafts, revisions and markers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.model import (
    Engine,
    FileDiff,
    Finding,
    Fix,
    Hunk,
    ObjectRef,
    PostedComment,
    Problem,
    Report,
    Suggestion,
    Totals,
)
from gracegate.review.comment_plan import MAX_LINE_COMMENTS, CommentMarker, CommentUpdate, NewComment, plan

MARKS = CommentMarker((b"new key", b"old key"), "shop/web#7")
WEB = ObjectRef("Deployment", "", "web", "apps")
DIFF = [FileDiff("web.yaml", "modified", None, (Hunk(10, 20), Hunk(40, 50)))]


def finding(identifier: str, line: int = 12, **more) -> Finding:
    values = {
        "rule": "prestop-drain-missing",
        "severity": "error",
        "status": "introduced",
        "file": "web.yaml",
        "end_line": line + 3,
        "object": WEB,
        "container": "web",
        "message": "…",
        "comment_anchor": identifier,
        "fix": Fix("safe"),
    }
    return Finding(id=identifier, line=line, **(values | more))


def report(*findings: Finding, suggestions: tuple[Suggestion, ...] = (), problems: tuple[Problem, ...] = ()) -> Report:
    engine, checked = Engine("wasm", "1", "d"), Totals(1, 1, 1)
    return Report("fail", False, "enforce", engine, findings, suggestions, (), problems, checked, has_base=True)


def posted(*ids: str, number: int = 1, path: str = "web.yaml", fixed: bool = False) -> PostedComment:
    return PostedComment(number, path, 12, "text\n\n" + MARKS.write(ids, fixed=fixed))


SUGGESTION = Suggestion("s1", "web.yaml", 12, 14, "…")

DRAFTS = {
    "nothing found, nothing said": ([], []),
    "what was there before is not said": ([finding("a", status="pre-existing")], []),
    "an info is not said": ([finding("a", severity="info")], []),
    "on its own line": ([finding("a")], [("web.yaml", 12, None, ["a"])]),
    "two findings of one spot are one comment, the worse first": (
        [finding("a", severity="warning", comment_anchor="x"), finding("b", line=13, comment_anchor="x")],
        [("web.yaml", 13, None, ["b", "a"])],
    ),
    "on the first line of its range that the diff shows": (
        [finding("a", line=8, end_line=30)],
        [("web.yaml", 10, None, ["a"])],
    ),
    "outside every hunk it is about the file": (
        [finding("a", line=30, end_line=35)],
        [("web.yaml", None, None, ["a"])],
    ),
    "a suggestion gives its lines": ([finding("a", suggestion="s1")], [("web.yaml", 14, 12, ["a"])]),
    "one suggestion of two spots is one comment": (
        [finding("a", suggestion="s1"), finding("b", line=13, suggestion="s1")],
        [("web.yaml", 14, 12, ["a", "b"])],
    ),
    "a finding without a suggestion joins its spot's comment": (
        [finding("a", suggestion="s1", comment_anchor="x"), finding("b", line=13, comment_anchor="x")],
        [("web.yaml", 14, 12, ["a", "b"])],
    ),
    "a file that is not in the diff gets no comment": ([finding("a", file="far.yaml")], []),
}


def shape(draft: NewComment) -> tuple[str, int | None, int | None, list[str]]:
    return (draft.path, draft.line, draft.start_line, [f.id for f in draft.findings])


@pytest.mark.parametrize(("findings", "drafts"), DRAFTS.values(), ids=DRAFTS.keys())
def test_drafts(findings, drafts) -> None:
    said = plan(report(*findings, suggestions=(SUGGESTION,)), DIFF, [], MARKS.read)
    assert [shape(d) for d in said.drafts] == drafts


A, B = finding("a"), finding("b")
REVISIONS = {
    "a comment that still holds is left alone": ([A], [posted("a")], []),
    "a fixed finding strikes its comment": ([], [posted("a")], [((), ("a",))]),
    "one of two fixed edits the comment": ([A], [posted("a", "b")], [((A,), ("b",))]),
    "a struck comment is left alone": ([], [posted("a", fixed=True)], []),
    "somebody else's comment is left alone": ([], [PostedComment(1, "web.yaml", 1, "hello")], []),
    "a forged marker is left alone": (
        [],
        [PostedComment(1, "web.yaml", 1, CommentMarker((b"guess",), "shop/web#7").write(["a"]))],
        [],
    ),
    "a marker of another pull request is left alone": (
        [],
        [PostedComment(1, "web.yaml", 1, CommentMarker((b"new key",), "shop/web#8").write(["a"]))],
        [],
    ),
    "an old key is still read": (
        [],
        [PostedComment(1, "web.yaml", 1, CommentMarker((b"old key",), "shop/web#7").write(["a"]))],
        [((), ("a",))],
    ),
    "a waived finding is not open any more": (
        [replace(A, waiver=object())],  # type: ignore[arg-type]
        [posted("a")],
        [((), ("a",))],
    ),
}


@pytest.mark.parametrize(("findings", "earlier", "revisions"), REVISIONS.values(), ids=REVISIONS.keys())
def test_revisions(findings, earlier, revisions) -> None:
    said = plan(report(*findings), DIFF, earlier, MARKS.read)
    assert (said.drafts, [(r.open, r.gone) for r in said.revisions]) == ((), revisions)


@pytest.mark.parametrize(
    "problem",
    [Problem("web.yaml", 3, "syntax", "…"), Problem("", 0, "rule_failed", "…")],
    ids=["the file could not be read", "a rule failed"],
)
def test_nothing_is_struck_that_could_not_be_evaluated(problem) -> None:
    assert plan(report(problems=(problem,)), DIFF, [posted("a")], MARKS.read).revisions == ()


def test_a_finding_that_comes_back_is_said_again() -> None:
    said = plan(report(A), DIFF, [posted("a", fixed=True)], MARKS.read)
    assert [shape(d) for d in said.drafts] == [("web.yaml", 12, None, ["a"])]


def test_a_review_is_bounded_and_the_rest_is_counted() -> None:
    many = [finding(f"f{i:02}", severity="error" if i else "warning") for i in range(MAX_LINE_COMMENTS + 3)]
    said = plan(report(*many), DIFF, [], MARKS.read)
    assert (len(said.drafts), said.left_over) == (MAX_LINE_COMMENTS, 3)
    assert "f00" not in {f.id for d in said.drafts for f in d.findings}


@given(ids=st.lists(st.text("0123456789abcdef", min_size=12, max_size=12), min_size=1), body=st.text())
def test_a_marker_is_read_as_it_was_written(ids, body) -> None:
    assert MARKS.read(f"{body}\n{MARKS.write(ids)}") == tuple(ids)


@given(st.text())
def test_no_text_is_taken_for_a_marker(text) -> None:
    assert MARKS.read(text) is None


def test_a_revision_names_its_comment() -> None:
    comment = posted("a")
    assert plan(report(), DIFF, [comment], MARKS.read).revisions == (CommentUpdate(comment, (), ("a",)),)
