"""A file to its YAML documents, without parsing any of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MARKER = re.compile(r"^(?:---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
# Comments, blank lines and directives before a `---` belong to the document that it starts.
_PREAMBLE = re.compile(r"\ufeff?(?:[ \t]*+(?:#[^\n]*+)?\r?\n|%[^\n]*+\n)*+[ \t]*+(?:#[^\n]*+)?\Z")


class Chunk(NamedTuple):
    """Offsets of one YAML document in its file: whole lines, its `---` and what stands before that included.

    `line` is the number of its first line, from 1.
    """

    start: int
    end: int
    line: int


def split_documents(text: str) -> Iterator[Chunk]:
    """YAML documents: a `---` or `...` at column 0 always ends one, even inside a scalar."""
    line, counted = 1, 0
    for start, end in _spans(text):
        line += text.count("\n", counted, start)
        counted = start
        yield Chunk(start, end, line)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for marker in _MARKER.finditer(text):
        if marker.group() == "...":
            end = text.find("\n", marker.start()) + 1 or len(text)
            if not _PREAMBLE.match(text[start : marker.start()]):
                yield start, end
            start = end
        elif not _PREAMBLE.match(text[start : marker.start()]):
            yield start, marker.start()
            start = marker.start()
    if not _PREAMBLE.match(text[start:]):
        yield start, len(text)
