"""What was read a moment ago, for readers whose sources are asked by every review."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class RecentlyRead(Generic[Key, Value]):
    """Keeps what was read for `seconds`, of the `most` keys that were read last. Threads may share it, and may read the
    same at the same time."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[Key, tuple[float, Value]] = {}

    def get(self, key: Key, read: Callable[[Value | None], Value]) -> Value:
        """What was read of a key, or what `read` gives, which gets what was read before if that is kept."""
        with self._lock:
            known = self._known.get(key)
        if known is not None and self._clock() - known[0] < self._seconds:
            return known[1]
        found = read(None if known is None else known[1])
        with self._lock:
            self._known.pop(key, None)
            self._known[key] = (self._clock(), found)
            while len(self._known) > self._most:
                del self._known[next(iter(self._known))]
        return found
