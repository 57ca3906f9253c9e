"""Which comments are posted and updated, each finding once; and the markers that recognise them."""

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
from gracegate.review.comment_plan import (
    MAX_LINE_COMMENTS,
    CommentMarker,
    CommentUpdate,
    NewComment,
    expected_comments,
    plan_comments,
)

MARKER = CommentMarker((b"new key", b"old key"), "shop/web#7")
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
    engine, totals = Engine("wasm", "1", "d"), Totals(1, 1, 1)
    live = ("0a",)
    return Report(
        "fail", False, "enforce", engine, findings, suggestions, (), problems, totals, True, None, "introduced", live
    )


def posted_comment(*ids: str, resolved: bool = False, target: str = "0a") -> PostedComment:
    return PostedComment(1, "web.yaml", 12, "text\n\n" + MARKER.write(dict.fromkeys(ids, target), resolved=resolved))


SUGGESTION = Suggestion("s1", "web.yaml", 12, 14, "…")

NEW_COMMENTS = {
    "no findings, no comments": ([], []),
    "a pre-existing finding is not commented": ([finding("a", status="pre-existing")], []),
    "an info is not commented": ([finding("a", severity="info")], []),
    "a comment is on the line of its finding": ([finding("a")], [("web.yaml", 12, None, ["a"])]),
    "two findings of one place are one comment, the worse first": (
        [finding("a", severity="warning", comment_anchor="x"), finding("b", line=13, comment_anchor="x")],
        [("web.yaml", 13, None, ["b", "a"])],
    ),
    "else on the first line of its range that the diff shows": (
        [finding("a", line=8, end_line=30)],
        [("web.yaml", 10, None, ["a"])],
    ),
    "outside every hunk the comment is on the file": (
        [finding("a", line=30, end_line=35)],
        [("web.yaml", None, None, ["a"])],
    ),
    "a comment with a suggestion is on its lines": ([finding("a", suggestion="s1")], [("web.yaml", 14, 12, ["a"])]),
    "one suggestion for two places is one comment": (
        [finding("a", suggestion="s1"), finding("b", line=13, suggestion="s1")],
        [("web.yaml", 14, 12, ["a", "b"])],
    ),
    "a finding without a suggestion joins the comment of its place": (
        [finding("a", suggestion="s1", comment_anchor="x"), finding("b", line=13, comment_anchor="x")],
        [("web.yaml", 14, 12, ["a", "b"])],
    ),
    "what is said alike of one line is one comment": (
        [finding("a"), finding("b"), finding("c", rule="pdb-missing"), finding("d", line=13)],
        [("web.yaml", 12, None, ["a", "b"]), ("web.yaml", 12, None, ["c"]), ("web.yaml", 13, None, ["d"])],
    ),
    "a file that is not in the diff gets no comment": ([finding("a", file="far.yaml")], []),
}


def place_and_ids(comment: NewComment) -> tuple[str, int | None, int | None, list[str]]:
    return (comment.path, comment.line, comment.start_line, [f.id for f in comment.findings])


@pytest.mark.parametrize(("findings", "new_comments"), NEW_COMMENTS.values(), ids=NEW_COMMENTS.keys())
def test_new_comments(findings, new_comments) -> None:
    plan = plan_comments(report(*findings, suggestions=(SUGGESTION,)), DIFF, [], MARKER.read)
    assert [place_and_ids(comment) for comment in plan.new_comments] == new_comments


A, B = finding("a"), finding("b")
UPDATES = {
    "a comment whose findings are open is left alone": ([A], [posted_comment("a")], []),
    "a comment whose finding is fixed is resolved": ([], [posted_comment("a")], [((), ("a",), True)]),
    "a finding of a container that is gone is not fixed": (
        [],
        [posted_comment("a", target="0b")],
        [((), ("a",), False)],
    ),
    "a comment without a target may be of such a container": (
        [],
        [posted_comment("a", target="")],
        [((), ("a",), False)],
    ),
    "a comment of which one finding is fixed is updated": ([A], [posted_comment("a", "b")], [((A,), ("b",), True)]),
    "a resolved comment is left alone": ([], [posted_comment("a", resolved=True)], []),
    "somebody else's comment is left alone": ([], [PostedComment(1, "web.yaml", 1, "hello")], []),
    "a forged marker is left alone": (
        [],
        [PostedComment(1, "web.yaml", 1, CommentMarker((b"guess",), "shop/web#7").write({"a": "0a"}))],
        [],
    ),
    "a marker of another pull request is left alone": (
        [],
        [PostedComment(1, "web.yaml", 1, CommentMarker((b"new key",), "shop/web#8").write({"a": "0a"}))],
        [],
    ),
    "an old key is still read": (
        [],
        [PostedComment(1, "web.yaml", 1, CommentMarker((b"old key",), "shop/web#7").write({"a": "0a"}))],
        [((), ("a",), True)],
    ),
    "a waived finding is not open any more": (
        [replace(A, waiver=object())],  # type: ignore[arg-type]
        [posted_comment("a")],
        [((), ("a",), True)],
    ),
}


@pytest.mark.parametrize(("findings", "earlier", "updates"), UPDATES.values(), ids=UPDATES.keys())
def test_updates(findings, earlier, updates) -> None:
    plan = plan_comments(report(*findings), DIFF, earlier, MARKER.read)
    assert (plan.new_comments, [(u.open, u.resolved, u.is_fixed) for u in plan.updates]) == ((), updates)


@pytest.mark.parametrize(
    "problem",
    [Problem("web.yaml", 3, "syntax", "…"), Problem("", 0, "rule_failed", "…")],
    ids=["the file could not be read", "a rule failed"],
)
def test_a_finding_that_was_not_evaluated_again_is_not_fixed(problem) -> None:
    assert plan_comments(report(problems=(problem,)), DIFF, [posted_comment("a")], MARKER.read).updates == ()


def test_a_finding_that_comes_back_is_commented_again() -> None:
    plan = plan_comments(report(A), DIFF, [posted_comment("a", resolved=True)], MARKER.read)
    assert [place_and_ids(comment) for comment in plan.new_comments] == [("web.yaml", 12, None, ["a"])]


def test_a_review_has_a_limit_and_the_rest_is_counted() -> None:
    many = [
        finding(f"f{i:02}", rule=f"r{i}", severity="error" if i else "warning") for i in range(MAX_LINE_COMMENTS + 3)
    ]
    plan = plan_comments(report(*many), DIFF, [], MARKER.read)
    assert (len(plan.new_comments), plan.uncommented) == (MAX_LINE_COMMENTS, 3)
    assert "f00" not in {finding.id for comment in plan.new_comments for finding in comment.findings}


def test_what_has_a_comment() -> None:
    many = [finding(f"f{i:02}", rule=f"r{i}") for i in range(MAX_LINE_COMMENTS + 5)]
    found = report(*many, finding("far", file="far.yaml"), finding("info", severity="info"))
    ids = [f.id for f in many]
    assert expected_comments(found, DIFF) == frozenset(ids[:MAX_LINE_COMMENTS])
    later = plan_comments(found, DIFF, [posted_comment(*ids[:3])], MARKER.read)
    assert later.commented == frozenset(ids[: MAX_LINE_COMMENTS + 3])


HEX = st.text("0123456789abcdef", min_size=8, max_size=12)


@given(marked=st.dictionaries(HEX, HEX, min_size=1) | st.dictionaries(HEX, st.just(""), min_size=1), body=st.text())
def test_a_marker_is_read_as_it_was_written(marked, body) -> None:
    assert MARKER.read(f"{body}\n{MARKER.write(marked)}") == marked


@given(st.text())
def test_no_other_text_is_read_as_a_marker(text) -> None:
    assert MARKER.read(text) is None


def test_an_update_holds_its_comment() -> None:
    comment = posted_comment("a")
    assert plan_comments(report(), DIFF, [comment], MARKER.read).updates == (
        CommentUpdate(comment, (), ("a",), is_fixed=True),
    )
