"""Patches: which line is which, and where a line went."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakegithub.diff import FileChange, line_after, patch_lines

PATCH = "@@ -1,3 +1,4 @@ kind: Pod\n one\n-two\n+2\n+2b\n three\n\\ No newline at end of file\n@@ -10 +11,0 @@\n-ten"


def test_every_line_has_its_numbers() -> None:
    lines = [(one.sign, one.old, one.new, one.hunk, one.position) for one in patch_lines(PATCH)]
    assert lines == [
        ("@", None, None, 0, 0),
        (" ", 1, 1, 0, 1),
        ("-", 2, None, 0, 2),
        ("+", None, 2, 0, 3),
        ("+", None, 3, 0, 4),
        (" ", 3, 4, 0, 5),
        ("@", None, None, 1, 7),
        ("-", 10, None, 1, 8),
    ]


def test_no_patch_has_no_lines() -> None:
    assert list(patch_lines("")) == []


def test_lines_end_at_line_feeds_alone() -> None:
    patch = "@@ -1 +1,2 @@\n+a\u2028b\x0c\x85c\r\n one"
    assert [(one.text, one.new) for one in patch_lines(patch)][1:] == [("a\u2028b\x0c\x85c\r", 1), ("one", 2)]


@pytest.mark.parametrize(
    ("side", "line", "found"),
    [("RIGHT", 2, "2"), ("RIGHT", 1, "one"), ("LEFT", 2, "two"), ("LEFT", 1, None), ("RIGHT", 9, None)],
)
def test_left_holds_deletions_alone(side: str, line: int, found: str | None) -> None:
    one = FileChange("a", "modified", "0", patch=PATCH).find(side, line)  # type: ignore[arg-type]
    assert (one.text if one else None) == found


LINES = st.lists(st.sampled_from("abcdef"), max_size=12)


@given(LINES, LINES)
def test_a_line_is_followed_through_any_change(old: list[str], new: list[str]) -> None:
    """Whatever the patch keeps keeps its text; the matching blocks of difflib say what it keeps."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    patch = "\n".join(list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:])
    kept = {block.a + i + 1: block.b + i + 1 for block in matcher.get_matching_blocks() for i in range(block.size)}
    assert {line: line_after(patch, line) for line in range(1, len(old) + 1)} == {
        line: kept.get(line) for line in range(1, len(old) + 1)
    }
