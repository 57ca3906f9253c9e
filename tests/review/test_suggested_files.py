"""The suggestions of a report in the files of a commit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gracegate.model import Finding, ObjectRef, SourceFile, Suggestion, Tree
from gracegate.review.reviewer import unevaluated_report
from gracegate.review.suggested_files import (
    CHANGED,
    HEADLINE,
    OVERLAPS,
    SuggestedFiles,
    applied_note,
    apply_suggestions,
    commit_message,
    is_cured,
    with_files,
)

TEXT = b"a\nb\r\nc\n\xffd"
REPORT = replace(unevaluated_report("stub"), verdict="fail", problems=())


def suggestion(name: str, start: int, end: int, text: str = "new", file: str = "a.yaml") -> Suggestion:
    return Suggestion(name, file, start, end, text)


def finding(name: str, suggested: str | None, rule: str = "r", file: str = "a.yaml") -> Finding:
    place = {"file": file, "line": 1, "end_line": 1, "object": ObjectRef("Deployment", "", "web"), "container": None}
    return Finding(name, rule, "error", "introduced", **place, message="m", comment_anchor=name, suggestion=suggested)


APPLIED = {
    "nothing": ((), None, ()),
    "a line": ((suggestion("1", 3, 3),), b"a\nb\r\nnew\n\xffd", ()),
    "lines": ((suggestion("1", 1, 2, "x\ny\nz"),), b"x\ny\nz\nc\n\xffd", ()),
    "lines that go": ((suggestion("1", 2, 3, ""),), b"a\n\xffd", ()),
    "an empty line": ((suggestion("1", 1, 1, "\n"),), b"\n\nb\r\nc\n\xffd", ()),
    "two": ((suggestion("2", 3, 3, "z"), suggestion("1", 1, 1, "x\ny")), b"x\ny\nb\r\nz\n\xffd", ()),
    "two that overlap": (
        (suggestion("2", 2, 3), suggestion("1", 1, 2, "x")),
        b"x\nc\n\xffd",
        (("2", OVERLAPS),),
    ),
    "in a changed file": ((suggestion("1", 1, 1, file="b.yaml"),), None, (("1", CHANGED),)),
    "in a file that is gone": ((suggestion("1", 1, 1, file="c.yaml"),), None, (("1", CHANGED),)),
}


@pytest.mark.parametrize(("suggestions", "text", "left_out"), APPLIED.values(), ids=APPLIED)
def test_suggestions_replace_their_lines_alone(
    suggestions: tuple[Suggestion, ...], text: bytes | None, left_out: tuple[tuple[str, str], ...]
) -> None:
    head = Tree({path: SourceFile(path, TEXT, "blob") for path in ("a.yaml", "b.yaml")})
    findings = tuple(finding(one.id, one.id) for one in suggestions)
    applied = apply_suggestions(
        replace(REPORT, suggestions=suggestions, findings=findings), head, frozenset({"b.yaml"})
    )
    assert applied.files == ({} if text is None else {"a.yaml": text})
    assert tuple((one.id, reason) for one, reason in applied.left_out) == left_out
    assert {f.suggestion for f in applied.findings} == {one.id for one in suggestions} - {name for name, _ in left_out}
    assert {path: file.data for path, file in with_files(head, applied.files).files.items()} == {
        "a.yaml": TEXT if text is None else text,
        "b.yaml": TEXT,
    }


FIXED, LEFT, NEW = finding("fixed", "1"), finding("left", None), finding("new", None)
CURED = {
    "all gone": ((), True),
    "another left": ((LEFT,), True),
    "itself left": ((FIXED,), False),
    "a new one": ((NEW,), False),
    "a new note": ((replace(NEW, severity="info"),), True),
}


@pytest.mark.parametrize(("after", "expected"), CURED.values(), ids=CURED)
def test_only_a_cure_is_committed(after: tuple[Finding, ...], expected: bool) -> None:
    before = replace(REPORT, findings=(FIXED, LEFT))
    assert is_cured(before, replace(before, findings=after), (FIXED,)) == expected
    assert not is_cured(before, replace(before, findings=after, verdict="incomplete"), (FIXED,))


SUGGESTED = SuggestedFiles(
    {},
    (
        finding("1", "1", "r-b", "b.yaml"),
        finding("2", "2", "r-a"),
        finding("3", "2", "r-c"),
        finding("4", "3", "r-a", "@org/fixes #1"),
    ),
    ((suggestion("9", 7, 8), CHANGED), (suggestion("8", 1, 1, file="x`y"), OVERLAPS)),
)


def test_the_message_names_rules_and_nothing_that_github_acts_on() -> None:
    headline, body = commit_message(SUGGESTED, "ada")
    assert (headline, body.split("\n")) == (
        HEADLINE,
        [
            "a file with an unusual name: r-a",
            "a.yaml: r-a, r-c",
            "b.yaml: r-b",
            "",
            "Left out:",
            "a.yaml:7, its file changed after this check",
            "a file with an unusual name:1, it overlaps another one",
            "",
            "Asked for by ada with the button of the check.",
        ],
    )


def test_the_note_counts_suggestions_and_names_what_is_left_out() -> None:
    assert applied_note(replace(SUGGESTED, left_out=()), "a" * 40) == "3 suggestions were committed as aaaaaaa."
    assert applied_note(SUGGESTED, "a" * 40).endswith(
        'Left out: "a.yaml:7", because its file changed after this check; "x`y:1", because it overlaps another one.'
    )
