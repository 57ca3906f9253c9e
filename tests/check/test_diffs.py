"""Diffs that git takes: whatever the edits, what it makes of the file is what the edits make."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracegate.check.diffs import unified_diff
from gracegate.yaml_edit import apply_edits
from gracegate.yaml_edit.editor import LineEdit


def patched(folder: Path, text: str, diff: str) -> str:
    (folder / "a.yaml").write_bytes(text.encode())
    command = ["git", "apply", "--unidiff-zero", "--whitespace=nowarn", "-"]
    subprocess.run(command, cwd=folder, input=diff.encode() + b"\n", check=True, capture_output=True)
    return (folder / "a.yaml").read_bytes().decode()


@st.composite
def texts_and_edits(draw: st.DrawFn) -> tuple[str, list[LineEdit]]:
    lines = draw(st.lists(st.sampled_from(["a", "b", "  c", "# d", "e: 1"]), min_size=1, max_size=30))
    edits, at = [], 1
    while at <= len(lines) and draw(st.booleans()):
        start = draw(st.integers(at, len(lines)))
        end = draw(st.integers(start, min(start + 2, len(lines))))
        new = draw(st.lists(st.sampled_from(["x", "y", "  c", "e: 1"]), min_size=1, max_size=3))
        keep = draw(st.booleans())
        edits.append(LineEdit(start, end, tuple([*lines[start - 1 : end], *new] if keep else new)))
        at = end + 1
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"])), edits


@settings(max_examples=40)
@given(drawn=texts_and_edits())
def test_git_makes_of_a_diff_what_the_edits_make(tmp_path_factory: pytest.TempPathFactory, drawn) -> None:
    text, edits = drawn
    expected = apply_edits(text, edits)
    if expected != text:
        assert patched(tmp_path_factory.mktemp("git"), text, unified_diff("a.yaml", text, edits)) == expected


def test_a_diff_shows_three_lines_around_each_edit_and_joins_what_is_near() -> None:
    text = "".join(f"{n}\n" for n in range(1, 31))
    edits = [LineEdit(5, 5, ("5", "new")), LineEdit(9, 9, ("nine",)), LineEdit(25, 25, ("25", "last"))]
    assert unified_diff("a.yaml", text, edits).split("\n") == [
        "--- a/a.yaml",
        "+++ b/a.yaml",
        "@@ -2,11 +2,12 @@",
        *(" 2", " 3", " 4", " 5", "+new", " 6", " 7", " 8", "-9", "+nine", " 10", " 11", " 12"),
        "@@ -22,7 +23,8 @@",
        *(" 22", " 23", " 24", " 25", "+last", " 26", " 27", " 28"),
    ]
