"""Unified diffs -> the lines of the head's file that they show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gracegate.model import Hunk

_HEADER = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_FILE = re.compile(r"diff --(?:git|cc|combined) ")
_ESCAPE = re.compile(r'\\([0-7]{3}|[abtnvfr"\\])')
_LETTERS = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}


def hunks_of_patch(patch: str) -> tuple[Hunk, ...]:
    """The hunks of one file's patch, as GitHub sends it, on the head's side.

    Only a line feed ends a line: manifests hold other characters that Python takes for line ends. No more lines count
    than the header announces, and no more than a patch that was cut has.
    """
    return _hunks(patch.split("\n"))


def hunks_by_path(diff: str) -> dict[str, tuple[Hunk, ...]]:
    """The hunks of each file of a diff of several files, by the head's path."""
    hunks: dict[str, tuple[Hunk, ...]] = {}
    for section in _sections(diff.split("\n")):
        path = next((_path(line) for line in section[:8] if line.startswith("+++ ")), None)
        if path is not None:
            hunks[path] = _hunks(section)
    return hunks


def _sections(lines: Iterable[str]) -> Iterator[list[str]]:
    section: list[str] = []
    for line in lines:
        # A line of content starts with a space, a plus, a minus or a backslash, so this can only be a header.
        if _FILE.match(line) and section:
            yield section
            section = []
        section.append(line)
    yield section


def _hunks(lines: Iterable[str]) -> tuple[Hunk, ...]:
    lengths: dict[int, int] = {}
    start = announced = 0
    for line in lines:
        header = _HEADER.match(line)
        if header:
            start, announced = int(header[1]), int(header[2] or 1)
            lengths[start] = 0
        elif line.startswith((" ", "+")) and lengths.get(start, announced) < announced:
            lengths[start] += 1
    return tuple(Hunk(start, start + length - 1) for start, length in lengths.items() if length)


def _path(line: str) -> str | None:
    name = line.removeprefix("+++ ").removesuffix("\t")
    if name.startswith('"'):
        name = _unquote(name[1:-1])
    return name[2:] if name.startswith("b/") else None


def _unquote(name: str) -> str:
    def byte(match: re.Match[str]) -> bytes:
        code = match[1]
        return bytes([_LETTERS[code] if code in _LETTERS else int(code, 8)])

    parts: list[bytes] = []
    end = 0
    for match in _ESCAPE.finditer(name):
        parts += [name[end : match.start()].encode(errors="surrogateescape"), byte(match)]
        end = match.end()
    return b"".join([*parts, name[end:].encode(errors="surrogateescape")]).decode(errors="surrogateescape")
