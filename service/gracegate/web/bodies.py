"""How much memory the bodies of all requests may take together. Anybody can send a body that claims to be signed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MAX_BODY_BYTES = 25 * 1024 * 1024
"""GitHub sends no larger payload."""
_OWN_BYTES = 1024 * 1024
_SHARED_BYTES = 4 * MAX_BODY_BYTES


class BodiesFull(Exception):
    """Other bodies take all the memory that there is for bodies; it is free again within seconds."""


class BodyMemory:
    """The memory for bodies in one process: 1 MB for each, and 100 MB that all share for what is larger.

    Few of GitHub's payloads are larger, so they find room whatever else is being sent. Only bytes that have arrived
    count: what a client announces and does not send takes nothing from others.
    """

    def __init__(self, shared_bytes: int = _SHARED_BYTES) -> None:
        self._free = shared_bytes
        self._lock = threading.Lock()

    @contextmanager
    def body(self) -> Iterator[Body]:
        """The memory of one body, until it and what was parsed of it are not needed any more."""
        body = Body(self)
        try:
            yield body
        finally:
            self.take(-body.shared)

    def take(self, size: int) -> None:
        """Take so many bytes, or give them back if negative. Raises BodiesFull."""
        with self._lock:
            if size > self._free:
                raise BodiesFull
            self._free -= size


class Body:
    """One body while it arrives; `shared` is how much it takes of the shared memory."""

    def __init__(self, memory: BodyMemory) -> None:
        self._memory = memory
        self.data = bytearray()
        self.shared = 0

    def append(self, chunk: bytes) -> None:
        """Raises BodiesFull."""
        more = max(0, len(self.data) + len(chunk) - _OWN_BYTES) - self.shared
        self._memory.take(more)
        self.shared += more
        self.data += chunk
