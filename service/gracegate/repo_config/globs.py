"""Patterns of paths as in .gitignore (https://git-scm.com/docs/gitignore), matched in linear time.

Each `*` and `**` with the text after it is an atomic group: it matches at the first place where it fits, which leaves
the most to the rest of the pattern, and is never tried again. So one pattern costs at most its own length times the
length of the path. The expressions of pathspec and fnmatch-like translations try every combination of stars.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from itertools import groupby
from typing import NamedTuple

_TOKENS = re.compile(r"\\(?P<escaped>.)|(?P<star>\*+)|(?P<any>\?)|(?P<bracket>\[)|(?P<slash>/)|[^\\]", re.DOTALL)
_NAMED_SETS = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t-\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


class _Segment(NamedTuple):
    """What a pattern has between two slashes; `is_deep` for `**`, else the expressions between its stars."""

    chunks: list[str]
    is_deep: bool = False

    @property
    def expression(self) -> str:
        first, *rest = self.chunks
        middle = "".join(f"(?>[^/]*?{chunk})" for chunk in rest[:-1] if chunk)
        return f"{first}{middle}[^/]*{rest[-1]}" if rest else first


class _Incomplete(ValueError):
    """The pattern ends within a bracket or after a backslash: git then matches nothing."""


@lru_cache(maxsize=16)
def path_matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether the patterns match a file's path: the last match decides, and a matched directory holds all below it."""
    expressions = tuple(_expressions(patterns))

    @cache
    def is_matched(path: str) -> bool:
        return next((matches for expression, matches in expressions if expression.fullmatch(path)), False)

    def is_matched_or_below(path: str) -> bool:
        path = _as_git_compares(path)
        return any(is_matched(path[: slash.end()]) for slash in re.finditer("/", path)) or is_matched(path)

    return is_matched_or_below


def _as_git_compares(text: str) -> str:
    """One character per byte of UTF-8."""
    return text if text.isascii() else text.encode(errors="surrogatepass").decode("latin-1")


def _expressions(patterns: Iterable[str]) -> Iterator[tuple[re.Pattern[str], bool]]:
    """Expressions for paths, which end with a slash if they are directories; False for those that `!` takes back.

    The last patterns come first, and neighbours of one kind are one expression.
    """
    lines = [_as_git_compares(pattern) for pattern in reversed(tuple(patterns)) if not pattern.startswith("#")]
    for takes_back, group in groupby(lines, key=lambda pattern: pattern.startswith("!")):
        expressions = [e for pattern in group if (e := _expression(pattern.removeprefix("!"))) is not None]
        if expressions:
            yield re.compile("|".join(expressions), re.DOTALL), not takes_back


def _expression(pattern: str) -> str | None:
    """The expression of one pattern, or None where it matches nothing."""
    end = "/" if pattern.endswith("/") else "/?"
    pattern = pattern.removesuffix("/")
    is_name = "/" not in pattern
    try:
        segments = list(_segments(pattern.removeprefix("/")))
    except _Incomplete:
        return None
    if is_name:
        chunks = segments[0].chunks if not segments[0].is_deep else ["", ""]
        return f"(?>(?:[^/]+/)*(?=[^/])){_Segment(chunks).expression}{end}"
    return _path_expression(segments) + end


def _path_expression(segments: list[_Segment]) -> str:
    groups = [list(group) for _, group in groupby(segments, key=lambda segment: segment.is_deep)]
    output = ""
    for number, group in enumerate(groups):
        is_last = number == len(groups) - 1
        follows_deep = number > 0 and groups[number - 1][0].is_deep
        if group[0].is_deep:
            output += ".+" if is_last else ""
            continue
        names = "/".join(segment.expression for segment in group)
        if not follows_deep:
            output += names if is_last else f"{names}/"
        elif is_last:
            # Exactly so many names are left for the end of the pattern.
            output += f"(?>(?:[^/]+/)*?(?=[^/]+(?:/[^/]+){{{len(group) - 1}}}/?\\Z)){names}"
        else:
            output += f"(?>(?:[^/]+/)*?{names}/)"
    return output


def _segments(pattern: str) -> Iterator[_Segment]:
    chunks, stars, start = [""], 0, 0
    while start < len(pattern):
        token = _TOKENS.match(pattern, start)
        if token is None:
            raise _Incomplete
        start = token.end()
        if token["slash"]:
            yield _segment(chunks, stars)
            chunks, stars = [""], 0
        elif token["star"]:
            chunks.append("")
            stars += len(token[0])
        elif token["bracket"]:
            expression, start = _bracket(pattern, start)
            chunks[-1] += expression
        else:
            chunks[-1] += "[^/]" if token["any"] else re.escape(token["escaped"] or token[0])
    yield _segment(chunks, stars)


def _segment(chunks: list[str], stars: int) -> _Segment:
    return _Segment(chunks, is_deep=stars > 1 and chunks == ["", ""])


_MEMBERS = re.compile(
    r"\[:(?P<named>[^\]]*):\]|(?:\\(?P<escaped>.)|(?P<plain>[^\\]))(?:-(?:\\(?P<escaped_end>.)|(?P<end>[^\]\\])))?",
    re.DOTALL,
)


def _bracket(pattern: str, start: int) -> tuple[str, int]:
    """The expression of a bracket whose members begin at `start`, and where the pattern goes on after it."""
    is_negated = pattern[start : start + 1] in {"!", "^"}
    first = start = start + is_negated
    members = ""
    while start == first or pattern[start : start + 1] != "]":
        member = _MEMBERS.match(pattern, start)
        if member is None or (member["named"] is not None and member["named"] not in _NAMED_SETS):
            raise _Incomplete
        start = member.end()
        if member["named"] is not None:
            members += _NAMED_SETS[member["named"]]
            continue
        low = member["escaped"] or member["plain"]
        high = member["escaped_end"] or member["end"] or low
        # As git has it, `b` is in `[b-a]`, though no range is.
        members += f"{re.escape(low)}-{re.escape(high)}" if low <= high else re.escape(low)
    if is_negated:
        return f"[^/{members}]", start + 1
    return f"(?!/)[{members}]", start + 1
