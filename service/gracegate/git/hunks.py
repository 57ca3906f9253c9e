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
    """The head's side of one file's patch, as GitHub sends it.

    Lines end at a line feed alone: manifests hold other characters that Python takes for line ends. Lines are counted
    up to what the header promises, so a patch that was cut does not show more than it does.
    """
    return tuple(_hunks(patch.split("\n")))


def hunks_by_path(diff: str) -> dict[str, tuple[Hunk, ...]]:
    """The hunks of each file of a whole diff that has any, by the head's path."""
    found: dict[str, tuple[Hunk, ...]] = {}
    for section in _sections(diff.split("\n")):
        path = next((_path(line) for line in section[:8] if line.startswith("+++ ")), None)
        if path is not None:
            found[path] = tuple(_hunks(section))
    return found


def _sections(lines: Iterable[str]) -> Iterator[list[str]]:
    section: list[str] = []
    for line in lines:
        # A line of content starts with a blank, a plus, a minus or a backslash, so this can only be a header.
        if _FILE.match(line) and section:
            yield section
            section = []
        section.append(line)
    yield section


def _hunks(lines: Iterable[str]) -> Iterator[Hunk]:
    start = seen = promised = 0
    for line in lines:
        header = _HEADER.match(line)
        if header:
            yield from _shown(start, seen)
            start, seen = int(header[1]), 0
            promised = int(header[2]) if header[2] is not None else 1
        elif line.startswith((" ", "+")) and seen < promised:
            seen += 1
    yield from _shown(start, seen)


def _shown(start: int, seen: int) -> Iterator[Hunk]:
    if seen:
        yield Hunk(start, start + seen - 1)


def _path(line: str) -> str | None:
    name = line.removeprefix("+++ ").removesuffix("\t")
    if name.startswith('"'):
        name = _unquoted(name[1:-1])
    return name[2:] if name.startswith("b/") else None


def _unquoted(name: str) -> str:
    def byte(match: re.Match[str]) -> bytes:
        code = match[1]
        return bytes([_LETTERS[code] if code in _LETTERS else int(code, 8)])

    parts: list[bytes] = []
    end = 0
    for match in _ESCAPE.finditer(name):
        parts += [name[end : match.start()].encode(errors="surrogateescape"), byte(match)]
        end = match.end()
    return b"".join([*parts, name[end:].encode(errors="surrogateescape")]).decode(errors="surrogateescape")
