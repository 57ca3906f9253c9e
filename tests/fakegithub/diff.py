"""Patches as GitHub serves them: which line of which side each patch line is, and where a line went later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Side = Literal["LEFT", "RIGHT"]
HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class PatchLine:
    """One line of a patch; `sign` is " ", "+", "-" or "@" for a header; `position` counts from the first header, 0."""

    sign: str
    text: str
    old: int | None
    new: int | None
    hunk: int
    position: int

    def number(self, side: Side) -> int | None:
        """The line's number on that side of the diff where a comment may point to it: LEFT holds deletions alone."""
        if side == "LEFT":
            return self.old if self.sign == "-" else None
        return self.new


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file of a diff; `patch` is None where GitHub sends none (binary, too large, no changed line)."""

    path: str
    status: str
    blob: str
    additions: int = 0
    deletions: int = 0
    previous_path: str | None = None
    patch: str | None = None

    def find(self, side: Side, line: int) -> PatchLine | None:
        return next((one for one in patch_lines(self.patch or "") if one.number(side) == line), None)

    def excerpt(self, last: PatchLine) -> str:
        """The `diff_hunk` of a comment: the header of its hunk and the lines down to the commented one."""
        lines = [one for one in patch_lines(self.patch or "") if one.hunk == last.hunk]
        return "\n".join(one.sign * (one.sign != "@") + one.text for one in lines if one.position <= last.position)


def patch_lines(patch: str) -> Iterator[PatchLine]:
    """Every line of a patch but the notes about a missing newline. Splits at \\n alone, as git does."""
    old = new = 0
    hunk = -1
    for position, raw in enumerate(patch.split("\n") if patch else ()):
        header = HUNK.match(raw)
        if header:
            hunk += 1
            old, new = int(header[1]), int(header[3])
            yield PatchLine("@", raw, None, None, hunk, position)
        elif raw[:1] in {" ", "+", "-"}:
            sign = raw[0]
            yield PatchLine(sign, raw[1:], old if sign != "+" else None, new if sign != "-" else None, hunk, position)
            old += sign != "+"
            new += sign != "-"


def line_after(patch: str, line: int) -> int | None:
    """Where a line of the old file is in the new one, None if the patch (any context) removed or changed it."""
    shift = 0
    for one in patch_lines(patch):
        if one.sign == "-" and one.old == line:
            return None
        if one.sign == "-" and one.old is not None and one.old < line:
            shift -= 1
        if one.sign == "+" and one.new is not None and one.new <= line + shift:
            shift += 1
    return line + shift
