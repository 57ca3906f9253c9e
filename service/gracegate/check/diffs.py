"""Unified diffs of edits and of texts; lines end at \\n alone, as git and GitHub count them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from gracegate.yaml_edit import LineEdit

CONTEXT = 3
NO_NEWLINE = "\n\\ No newline at end of file"


def unified_diff(path: str, text: str, edits: Sequence[LineEdit]) -> str:
    """The unified diff of edits that do not overlap, with three lines of context."""
    lines = _mark_missing_newline(text.split("\n"))
    hunks: list[list[LineEdit]] = []
    for one in sorted(edits, key=lambda e: e.start_line):
        if hunks and one.start_line - hunks[-1][-1].end_line <= 2 * CONTEXT:
            hunks[-1].append(one)
        else:
            hunks.append([one])
    shift, output = 0, [f"--- a/{path}", f"+++ b/{path}"]
    for hunk in hunks:
        body = _hunk(lines, hunk)
        first = max(1, hunk[0].start_line - CONTEXT)
        old, new = (sum(line[0] in kinds for line in body) for kinds in (" -", " +"))
        output += [f"@@ -{first},{old} +{first + shift},{new} @@", *body]
        shift += new - old
    return "\n".join(output)


def text_diff(path: str, old: str | None, new: str | None) -> str:
    """The unified diff of two texts of a file, None for one that is not there; empty where they are the same."""
    sides = ("/dev/null" if old is None else f"a/{path}", "/dev/null" if new is None else f"b/{path}")
    before, after = ([] if text is None else _mark_missing_newline(text.split("\n")) for text in (old, new))
    return "\n".join(difflib.unified_diff(before, after, *sides, lineterm="", n=CONTEXT))


def _hunk(lines: Sequence[str], edits: Sequence[LineEdit]) -> list[str]:
    body: list[str] = []
    position = max(0, edits[0].start_line - 1 - CONTEXT)
    for one in edits:
        old = lines[one.start_line - 1 : one.end_line]
        new = _mark_missing_newline(one.lines) if old[-1].endswith(NO_NEWLINE) else list(one.lines)
        head = _common_prefix_length(old, new)
        tail = _common_prefix_length(old[head:][::-1], new[head:][::-1])
        body += [f" {line}" for line in [*lines[position : one.start_line - 1], *old[:head]]]
        body += [f"-{line}" for line in old[head : len(old) - tail]]
        body += [f"+{line}" for line in new[head : len(new) - tail]]
        body += [f" {line}" for line in old[len(old) - tail :]]
        position = one.end_line
    return body + [f" {line}" for line in lines[position : position + CONTEXT]]


def _common_prefix_length(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _mark_missing_newline(lines: Sequence[str]) -> list[str]:
    """Without the empty line after a final newline, else with git's note that there is none."""
    return list(lines[:-1]) if not lines or lines[-1] == "" else [*lines[:-1], lines[-1] + NO_NEWLINE]
