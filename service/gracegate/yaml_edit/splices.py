"""A text under edit that remembers which of its lines are the original's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from gracegate.yaml import LineIndex


class Splice(NamedTuple):
    """The characters from `start` to before `end` become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, order=True)
class LineEdit:
    """Lines `start_line` to `end_line` (from 1, at least one) become `lines`, which may be none.

    Lines end at \\n alone: in a file with \\r\\n they keep their \\r.
    """

    start_line: int
    end_line: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EditedText:
    """`origins` holds, for each line of `text`, its number in the original, 0 for one that is new or changed."""

    text: str
    origins: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> EditedText:
        return cls(text, tuple(range(1, text.count("\n") + 2)))

    def spliced(self, splices: Iterable[Splice]) -> EditedText:
        """Applies splices that do not overlap, in the order of their offsets, which are of this text."""
        edited = self
        for splice in reversed([*splices]):
            edited = edited._spliced(splice)
        return edited

    def _spliced(self, splice: Splice) -> EditedText:
        lines = LineIndex(self.text)
        first, last = lines.line(splice.start) - 1, lines.line(splice.end) - 1
        begin = lines.starts[first]
        stop = lines.starts[last + 1] - 1 if last + 1 < len(lines.starts) else len(self.text)
        changed = self.text[begin : splice.start] + splice.text + self.text[splice.end : stop]
        old, new = self.text[begin:stop].split("\n"), changed.split("\n")
        head = _common(old, new)
        tail = _common(old[head:][::-1], new[head:][::-1])
        origins = self.origins[first : last + 1]
        kept = (*origins[:head], *(0,) * (len(new) - head - tail), *origins[len(origins) - tail :])
        text = self.text[:begin] + changed + self.text[stop:]
        return EditedText(text, (*self.origins[:first], *kept, *self.origins[last + 1 :]))

    def original_line(self, line: int) -> int:
        """The original's number of a line (both from 1), or of the nearest line above that is the original's."""
        return next((origin for origin in reversed(self.origins[:line]) if origin), 0)


def _common(one: list[str], other: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class _Change(NamedTuple):
    """Lines of the original and the lines of the edited text that replace them; all from 1, ends excluded."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def line_edits(original: str, edited: EditedText, is_preferred: Callable[[int], bool]) -> Iterator[LineEdit]:
    """The edited text as edits of the original, disjoint and in order.

    An insertion needs a line to replace: the one before it, or the one after it where only that is preferred.
    """
    count = original.count("\n") + (0 if original.endswith("\n") else 1)
    lines = edited.text.split("\n")
    merged: list[_Change] = []
    for change in _changes(edited, original.count("\n") + 1):
        anchored = _anchored(change, count, is_preferred)
        if merged and anchored.old_start < merged[-1].old_end:
            anchored = _Change(merged[-1].old_start, anchored.old_end, merged[-1].new_start, anchored.new_end)
            merged.pop()
        merged.append(anchored)
    for change in merged:
        end_line = change.old_end - 1
        yield LineEdit(change.old_start, end_line, tuple(lines[change.new_start - 1 : change.new_end - 1]))


def _changes(edited: EditedText, count: int) -> Iterator[_Change]:
    old, new = 1, 1
    for number, origin in enumerate((*edited.origins, count + 1), start=1):
        if origin:
            if origin > old or number > new:
                yield _Change(old, origin, new, number)
            old, new = origin + 1, number + 1


def _anchored(change: _Change, count: int, is_preferred: Callable[[int], bool]) -> _Change:
    before, after = change.old_start - 1, change.old_end
    if change.old_start < change.old_end:
        return change
    follows = after <= count and (before < 1 or (is_preferred(after) and not is_preferred(before)))
    if follows:
        return change._replace(old_end=after + 1, new_end=change.new_end + 1)
    return change._replace(old_start=before, new_start=change.new_start - 1)
