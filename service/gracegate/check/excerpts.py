"""The lines of the head that findings are about, for outputs that have no files to show them from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gracegate.model import Excerpt, Finding, Tree

MAX_EXCERPTS = 3_000
_LINES_BEFORE = 3
_LINES_AFTER = 6
_LINE_CHARACTERS = 240


def find_excerpts(findings: Iterable[Finding], head: Tree) -> tuple[Excerpt, ...]:
    """An excerpt for each place of the findings, and for each related place its line alone: the first MAX_EXCERPTS."""
    wanted: dict[str, dict[int, bool]] = {}
    places = list(dict.fromkeys(_places(findings)))[:MAX_EXCERPTS]
    for file, line, is_related in places:
        of_file = wanted.setdefault(file, {})
        of_file[line] = is_related and of_file.get(line, True)
    return tuple(
        _excerpt(file, line, lines, is_related=is_related)
        for file, places_of_file in sorted(wanted.items())
        if (lines := _lines(file, head))
        for line, is_related in sorted(places_of_file.items())
        if 0 < line <= len(lines)
    )


def _places(findings: Iterable[Finding]) -> Iterator[tuple[str, int, bool]]:
    for finding in findings:
        yield finding.file, finding.line, False
        for place in finding.related:
            yield place.file, place.line, True


def _lines(file: str, head: Tree) -> Sequence[str]:
    source = head.files.get(file)
    return () if source is None else source.data.decode(errors="replace").removeprefix("\ufeff").split("\n")


def _excerpt(file: str, line: int, lines: Sequence[str], *, is_related: bool) -> Excerpt:
    before, after = (0, 0) if is_related else (_LINES_BEFORE, _LINES_AFTER)
    start, end = max(1, line - before), min(len(lines), line + after)
    while end > line and not lines[end - 1].strip():
        end -= 1
    return Excerpt(file, line, start, tuple(map(_shown, lines[start - 1 : end])))


def _shown(line: str) -> str:
    shown = line.removesuffix("\r")
    return shown if len(shown) <= _LINE_CHARACTERS else f"{shown[: _LINE_CHARACTERS - 1]}…"
