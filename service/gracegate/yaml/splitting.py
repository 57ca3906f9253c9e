"""A file to its YAML documents, without parsing them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MARKER = re.compile(r"^(?:---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
# Comments, blank lines and directives before a `---` belong to the document that it starts.
_PREAMBLE = re.compile(r"\ufeff?(?:[ \t]*+(?:#[^\n]*+)?\r?\n|%[^\n]*+\n)*+[ \t]*+(?:#[^\n]*+)?\Z")


class DocumentSpan(NamedTuple):
    """Offsets of one YAML document in its file: whole lines, with its `---` and the lines before that belong to it.

    `first_line` counts from 1.
    """

    start: int
    end: int
    first_line: int


def split_documents(text: str) -> Iterator[DocumentSpan]:
    """The YAML documents of a file: a `---` or `...` at column 0 always ends a document, even inside a scalar."""
    line, counted_to = 1, 0
    for start, end in _offsets(text):
        line += text.count("\n", counted_to, start)
        counted_to = start
        yield DocumentSpan(start, end, line)


def _offsets(text: str) -> Iterator[tuple[int, int]]:
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
