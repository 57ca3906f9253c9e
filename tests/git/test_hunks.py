"""Patches -> the head's lines that they show."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.git import hunks_of_patch
from gracegate.git.hunks import hunks_by_path
from gracegate.model import Hunk

NOTHING = [
    pytest.param("", id="an empty patch"),
    pytest.param("@@ -1,2 +0,0 @@\n-a\n-b", id="a file that was removed"),
    pytest.param("@@ -4 +3,0 @@\n-a", id="a removal without context"),
    pytest.param("Binary files a/x and b/x differ", id="binary"),
]
SHOWN = [
    pytest.param("@@ -0,0 +1 @@\n+a\n\\ No newline at end of file", [(1, 1)], id="one line without a newline"),
    pytest.param("@@ -0,0 +1,2 @@\n+a\n+b", [(1, 2)], id="a new file"),
    pytest.param("@@ -7,4 +7,5 @@ kind: Service\n a\n b\n+c\n d\n e", [(7, 11)], id="context counts"),
    pytest.param("@@ -1,3 +1,2 @@\n a\n-b\n c\n@@ -9,1 +8,2 @@\n x\n+y", [(1, 2), (8, 9)], id="two hunks"),
    pytest.param("@@ -1,1 +1,2 @@\n a\r\n+b\u2028c\x85d\x0ce\r", [(1, 2)], id="only a line feed ends a line"),
    pytest.param("@@ -1,1 +1,2 @@\n a\n+@@ -9,9 +9,9 @@", [(1, 2)], id="a line that looks like a header"),
    pytest.param("@@ -1,9 +1,9 @@\n a\n b", [(1, 2)], id="a patch that was cut"),
    pytest.param("@@ -1,1 +1,1 @@\n a\n b\n c", [(1, 1)], id="more lines than announced"),
]


@pytest.mark.parametrize("patch", NOTHING)
def test_a_patch_that_shows_no_line_of_the_head(patch: str) -> None:
    assert hunks_of_patch(patch) == ()


@pytest.mark.parametrize(("patch", "shown"), SHOWN)
def test_hunks_of_a_patch(patch: str, shown: list[tuple[int, int]]) -> None:
    assert hunks_of_patch(patch) == tuple(Hunk(start, end) for start, end in shown)


LINES = st.lists(st.text(st.sampled_from("ab @+-\\\u2028\x85\x0c\r")), max_size=30)


@given(LINES, LINES)
def test_every_added_line_is_shown_and_what_is_not_shown_is_unchanged(old: list[str], new: list[str]) -> None:
    patch = "\n".join(list(difflib.unified_diff(old, new, n=3, lineterm=""))[2:])
    hunks = hunks_of_patch(patch)
    shown = {line for hunk in hunks for line in range(hunk.start, hunk.end + 1)}
    matched = difflib.SequenceMatcher(None, old, new).get_matching_blocks()
    same = {block.b + offset + 1 for block in matched for offset in range(block.size)}
    assert set(range(1, len(new) + 1)) - same <= shown <= set(range(1, len(new) + 1))


def test_hunks_by_path() -> None:
    diff = """\
diff --git a/web.yaml b/web.yaml
index 1..2 100644
--- a/web.yaml
+++ b/web.yaml
@@ -1 +1,2 @@
 a
++++ b/not-a-file.yaml
diff --git a/old.yaml b/new.yaml
similarity index 100%
rename from old.yaml
rename to new.yaml
diff --git a/gone.yaml b/gone.yaml
deleted file mode 100644
--- a/gone.yaml
+++ /dev/null
@@ -1 +0,0 @@
-a
diff --git "a/s\\303\\244\\"\\t.yaml" "b/s\\303\\244\\"\\t.yaml"
--- /dev/null
+++ "b/s\\303\\244\\"\\t.yaml"
@@ -0,0 +5 @@
+a
diff --git a/with space.yaml b/with space.yaml
--- a/with space.yaml\t
+++ b/with space.yaml\t
@@ -3 +3 @@
-a
+b
"""
    assert hunks_by_path(diff) == {
        "web.yaml": (Hunk(1, 2),),
        'sä"\t.yaml': (Hunk(5, 5),),
        "with space.yaml": (Hunk(3, 3),),
    }
