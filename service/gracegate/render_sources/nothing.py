"""The tree of what was not fetched."""

from __future__ import annotations

from gracegate.model import Problem, Tree


def not_fetched(why: str) -> Tree:
    """A tree without files, with the reason."""
    return Tree({}, (Problem("", 0, "not_fetched", f"not fetched: {why}"),))
