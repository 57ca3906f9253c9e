"""Patterns of paths as Argo CD has them."""

from __future__ import annotations

import re
from functools import cache

_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]")


def matches(pattern: str, path: str) -> bool:
    """Whether a path is one of a pattern: `*` and `?` stop at a slash, `**` does not.

    Takes time in proportion to both lengths, whatever the pattern is.
    """
    tokens = _tokens(pattern)
    states = _entered({0}, tokens)
    for character in path:
        after = set()
        for state in states:
            part = tokens[state] if state < len(tokens) else ""
            if part == "**/":
                after |= {state, state + 1} if character == "/" else {state}
            elif part == "**" or (part == "*" and character != "/"):
                after.add(state)
            elif part == character or (part == "?" and character != "/"):
                after.add(state + 1)
        # In the middle of a directory's name, `**/` is not over yet.
        states = _entered(after, tokens, at_start=character == "/")
    return len(tokens) in states


def _entered(states: set[int], tokens: tuple[str, ...], *, at_start: bool = True) -> set[int]:
    """The states, and those behind what may stand for nothing."""
    found: set[int] = set()
    for state in states:
        found.add(state)
        while state < len(tokens) and (tokens[state] in {"*", "**"} or (tokens[state] == "**/" and at_start)):
            state += 1  # noqa: PLW2901
            found.add(state)
    return found


@cache
def _tokens(pattern: str) -> tuple[str, ...]:
    return tuple(_TOKENS.findall(pattern))
