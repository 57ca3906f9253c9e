"""A text under edit that knows which of its lines are unchanged, and the edits of the original's lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from gracegate.yaml import LineIndex


class Splice(NamedTuple):
    """Replaces the characters from `start` to before `end` by `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, order=True)
class LineEdit:
    """Replaces lines `start_line` to `end_line` (from 1, at least one line) by `lines`, which may be none.

    Only \\n ends a line: in a file with \\r\\n the lines keep their \\r.
    """

    start_line: int
    end_line: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EditedText:
    """`original_lines` has the number in the original of each line of `text`, or 0 for a new or changed line."""

    text: str
    original_lines: tuple[int, ...]

    @classmethod
    def unchanged(cls, text: str) -> EditedText:
        return cls(text, tuple(range(1, text.count("\n") + 2)))

    def apply(self, splices: Iterable[Splice]) -> EditedText:
        """The text after all splices, which do not overlap, are in order, and have offsets of this text."""
        edited = self
        for splice in reversed([*splices]):
            edited = edited._apply_one(splice)
        return edited

    def _apply_one(self, splice: Splice) -> EditedText:
        lines = LineIndex(self.text)
        first, last = lines.line(splice.start) - 1, lines.line(splice.end) - 1
        start = lines.starts[first]
        end = lines.starts[last + 1] - 1 if last + 1 < len(lines.starts) else len(self.text)
        changed = self.text[start : splice.start] + splice.text + self.text[splice.end : end]
        old, new = self.text[start:end].split("\n"), changed.split("\n")
        head = _common_prefix(old, new)
        tail = _common_prefix(old[head:][::-1], new[head:][::-1])
        numbers = self.original_lines[first : last + 1]
        kept = (*numbers[:head], *(0,) * (len(new) - head - tail), *numbers[len(numbers) - tail :])
        text = self.text[:start] + changed + self.text[end:]
        return EditedText(text, (*self.original_lines[:first], *kept, *self.original_lines[last + 1 :]))

    def original_line(self, line: int) -> int:
        """The number in the original of a line (both from 1), or of the nearest unchanged line above it."""
        return next((number for number in reversed(self.original_lines[:line]) if number), 0)


def _common_prefix(one: list[str], other: list[str]) -> int:
    """How many lines both lists start with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class _Change(NamedTuple):
    """Lines of the original and the lines of the edited text that replace them; from 1, the end lines not included."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def line_edits(original: str, edited: EditedText, is_preferred: Callable[[int], bool]) -> Iterator[LineEdit]:
    """The edited text as edits of the original's lines, disjoint and in order.

    An insertion has to replace a line: the line before it, or the line after it if only that is preferred.
    """
    count = original.count("\n") + (0 if original.endswith("\n") else 1)
    lines = edited.text.split("\n")
    merged: list[_Change] = []
    for change in _changes(edited, original.count("\n") + 1):
        widened = _widen_insertion(change, count, is_preferred)
        if merged and widened.old_start < merged[-1].old_end:
            previous = merged.pop()
            widened = _Change(previous.old_start, widened.old_end, previous.new_start, widened.new_end)
        merged.append(widened)
    for change in merged:
        new_lines = tuple(lines[change.new_start - 1 : change.new_end - 1])
        yield LineEdit(change.old_start, change.old_end - 1, new_lines)


def _changes(edited: EditedText, count: int) -> Iterator[_Change]:
    """What differs between the unchanged lines; `count` is the number of the original's lines."""
    old, new = 1, 1
    for number, original_line in enumerate((*edited.original_lines, count + 1), start=1):
        if original_line:
            if original_line > old or number > new:
                yield _Change(old, original_line, new, number)
            old, new = original_line + 1, number + 1


def _widen_insertion(change: _Change, count: int, is_preferred: Callable[[int], bool]) -> _Change:
    """The change with an unchanged line next to it if it replaces none."""
    before, after = change.old_start - 1, change.old_end
    if change.old_start < change.old_end:
        return change
    if after <= count and (before < 1 or (is_preferred(after) and not is_preferred(before))):
        return change._replace(old_end=after + 1, new_end=change.new_end + 1)
    return change._replace(old_start=before, new_start=change.new_start - 1)
