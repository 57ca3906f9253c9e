"""Following references, each place once, in circles too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator


def reach(starts: Iterable[str], next_places: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """The starts and all places that they lead to, each once."""
    pending = [*starts]
    seen: set[str] = set()
    while pending:
        place = pending.pop()
        if place not in seen:
            seen.add(place)
            yield place
            pending += next_places(place)
