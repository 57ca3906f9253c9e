"""Patterns of paths, as .gitignore has them: `*`, `?`, `**`, a leading `/`, a `/` at the end, a leading `!`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_TOKENS = re.compile(r"(?P<deep>(?:^|(?<=/))\*\*/)|(?P<all>(?<=/)\*\*$)|(?P<star>\*+)|(?P<one>\?)|.", re.DOTALL)
_MEANING = {"deep": "(?:.*/)?", "all": ".+", "star": "[^/]*", "one": "[^/]"}


@lru_cache(maxsize=64)
def matchers(patterns: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], bool], ...]:
    """Expressions over whole paths, in order, and whether a match leaves a path out or (`!`) takes it back in."""
    return tuple((re.compile(_expression(p.removeprefix("!")), re.DOTALL), not p.startswith("!")) for p in patterns)


def _expression(glob: str) -> str:
    """A pattern without a slash matches at any depth; one that matches a directory holds all below it."""
    anywhere = "" if "/" in glob.rstrip("/") else "(?:.*/)?"
    below = "/.*" if glob.endswith("/") else "(?:/.*)?"
    return anywhere + "".join(_tokens(glob.strip("/"))) + below


def _tokens(path: str) -> Iterable[str]:
    for match in _TOKENS.finditer(path):
        yield _MEANING[match.lastgroup] if match.lastgroup else re.escape(match[0])
