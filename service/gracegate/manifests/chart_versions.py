"""Versions of charts, and the ranges of them that charts ask for, as Helm reads both."""

from __future__ import annotations

import re
from typing import NamedTuple

_PART = r"(?:\d+|[xX*])"
_VERSION = rf"v?({_PART})(?:\.({_PART}))?(?:\.({_PART}))?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
_EXACT = re.compile(_VERSION)
_BOUND = re.compile(rf"(!=|>=|=>|<=|=<|~>|[=<>~^]?)\s*{_VERSION}")
_HYPHEN = re.compile(rf"\s*({_VERSION})\s+-\s+({_VERSION})\s*")
_SEPARATORS = " ,\t"
_SAME = {"=>": ">=", "=<": "<=", "~>": "~"}
_FIRST: tuple[float, ...] = (0, 0, 0)
_NO_END: tuple[float, ...] = (float("inf"),)
Numbers = tuple[int, int, int]


class _Version(NamedTuple):
    """`known` is how many of the numbers are written, the others are 0 and stand for any."""

    numbers: Numbers
    known: int
    is_prerelease: bool


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version is in a range such as `^1.2.0`, `1.x.x` or `>=1.2 <3`; False for what is neither.

    Prereleases are in no range: which of them is newer matters to nobody who keeps both charts in one tree.
    """
    match = _EXACT.fullmatch(version.strip())
    if match is None or version.strip() == wanted.strip():
        return match is not None
    found = _read(match.groups())
    if found.is_prerelease or found.known < len(found.numbers):
        return False
    return any(_is_in_all(found.numbers, part) for part in wanted.split("||"))


def _is_in_all(numbers: Numbers, bounds: str) -> bool:
    if hyphen := _HYPHEN.fullmatch(bounds):
        bounds = f">={hyphen[1]} <={hyphen[6]}"
    rest = bounds.strip(_SEPARATORS)
    is_in = bool(rest)
    while rest and is_in:
        bound = _BOUND.match(rest)
        if bound is None:
            return False
        is_in = _is_in(numbers, bound[1], _read(bound.groups()[1:]))
        rest = rest[bound.end() :].lstrip(_SEPARATORS)
    return is_in


def _is_in(numbers: Numbers, operator: str, bound: _Version) -> bool:
    low, known = bound.numbers, bound.known
    if bound.is_prerelease and operator in {"", "="}:
        return False
    leading = next((index for index, number in enumerate(low[:known]) if number), max(known, 1) - 1)
    first, end = {
        ">": (_next(low, known), _NO_END),
        ">=": (low, _NO_END),
        "<": (_FIRST, low),
        "<=": (_FIRST, _next(low, known)),
        "~": (low, _next(low, min(known, 2))),
        "^": (low, _next(low, min(known, leading + 1))),
    }.get(_SAME.get(operator, operator), (low, _next(low, known)))
    return (first <= numbers < end) is (operator != "!=")


def _next(numbers: Numbers, known: int) -> tuple[float, ...]:
    """The first numbers that no longer begin with the first `known` ones."""
    if not known:
        return _NO_END
    return (*numbers[: known - 1], numbers[known - 1] + 1)


def _read(groups: tuple[str | None, ...]) -> _Version:
    numbers: list[int] = []
    for part in groups[:3]:
        if part is None or not part.isdecimal():
            break
        numbers.append(int(part))
    known = len(numbers)
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return _Version((major, minor, patch), known, groups[3] is not None)
