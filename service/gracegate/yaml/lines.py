"""Lines as GitHub counts them: only \\n ends a line (libyaml and str.splitlines also break at U+2028)."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from itertools import chain
from typing import Literal

NewlineStyle = Literal["\n", "\r\n", "mixed"]


class LineIndex:
    """Maps offsets of a text to line numbers, which count from 1, and to where their lines start and end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = array("I", chain((0,), (match.end() for match in re.finditer("\n", text))))

    def line(self, offset: int) -> int:
        return bisect_right(self.starts, offset)

    def start(self, offset: int) -> int:
        """The offset where the line with `offset` starts."""
        return self.starts[bisect_right(self.starts, offset) - 1]

    def end(self, offset: int) -> int:
        """The offset where the content of the line with `offset` ends, before its line break."""
        next_line = bisect_right(self.starts, offset)
        if next_line == len(self.starts):
            return len(self.text)
        end = self.starts[next_line] - 1
        return end - 1 if end > self.starts[next_line - 1] and self.text[end - 1] == "\r" else end

    def column(self, offset: int) -> int:
        """How many characters are before `offset` on its line, without a byte order mark."""
        start = self.start(offset)
        return offset - start - (1 if start == 0 and self.text.startswith("\ufeff") else 0)

    def newline(self, offset: int) -> str:
        """The line break of the line with `offset`, or of the line before if it has none."""
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
