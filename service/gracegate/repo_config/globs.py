"""Patterns of paths as in .gitignore: `*`, `?`, `**`, a leading or final `/`, a leading `!`."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKENS = re.compile(r"(?P<deep>(?:^|(?<=/))\*\*/)|(?P<all>(?<=/)\*\*$)|(?P<star>\*+)|(?P<one>\?)|.", re.DOTALL)
_REGEX = {"deep": "(?:.*/)?", "all": ".+", "star": "[^/]*", "one": "[^/]"}


@lru_cache(maxsize=64)
def compile_globs(patterns: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], bool], ...]:
    """For each pattern a regular expression for whole paths, and False where `!` includes the path again."""
    return tuple((re.compile(_expression(p.removeprefix("!")), re.DOTALL), not p.startswith("!")) for p in patterns)


def _expression(glob: str) -> str:
    """A pattern without a slash matches at any depth; one that matches a directory matches everything below it."""
    prefix = "" if "/" in glob.rstrip("/") else "(?:.*/)?"
    suffix = "/.*" if glob.endswith("/") else "(?:/.*)?"
    tokens = _TOKENS.finditer(glob.strip("/"))
    return prefix + "".join(_REGEX[t.lastgroup] if t.lastgroup else re.escape(t[0]) for t in tokens) + suffix
