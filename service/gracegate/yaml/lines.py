"""Lines as GitHub counts them: split at \\n alone (libyaml and str.splitlines break at U+2028 too)."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from itertools import chain
from typing import Literal

NewlineStyle = Literal["\n", "\r\n", "mixed"]


class LineIndex:
    """Offsets of a text to line numbers, from 1, and back."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = array("I", chain((0,), (match.end() for match in re.finditer("\n", text))))

    def line(self, offset: int) -> int:
        return bisect_right(self.starts, offset)

    def start(self, offset: int) -> int:
        """Where the line that holds `offset` starts."""
        return self.starts[bisect_right(self.starts, offset) - 1]

    def end(self, offset: int) -> int:
        """Where the content of the line that holds `offset` ends: before its line break."""
        following = bisect_right(self.starts, offset)
        if following == len(self.starts):
            return len(self.text)
        end = self.starts[following] - 1
        return end - 1 if end > self.starts[following - 1] and self.text[end - 1] == "\r" else end

    def column(self, offset: int) -> int:
        """How many characters stand before `offset` on its line; a byte order mark is none."""
        start = self.start(offset)
        return offset - start - (1 if start == 0 and self.text.startswith("\ufeff") else 0)

    def newline(self, offset: int) -> str:
        """The line break to use beside the line that holds `offset`: its own, else the one before it."""
        end = self.end(offset)
        if end < len(self.text):
            return "\r\n" if self.text[end] == "\r" else "\n"
        return "\r\n" if self.text.rfind("\r\n", 0, self.start(offset)) == self.start(offset) - 2 >= 0 else "\n"


def newline_style(text: str) -> NewlineStyle:
    windows = text.count("\r\n")
    if not windows:
        return "\n"
    return "\r\n" if windows == text.count("\n") else "mixed"


def has_final_newline(text: str) -> bool:
    return not text or text.endswith("\n")
