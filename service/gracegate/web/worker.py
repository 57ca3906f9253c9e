"""gunicorn's thread worker, with a limit on the time that a client may take to send a request.

A thread of gunicorn's own worker waits without limit for a client that stops in its headers or its body: eight such
clients held all eight threads, and a signed delivery got no answer within 40 s. Here they are let go after
RECEIVE_SECONDS, and there are more threads (`WebSettings.threads`) than a few clients can hold; one that waits takes
40 kB of memory. Beside 40 stalled clients a signed delivery was answered within 0.2 s with 64 threads, and not within
40 s with 8; beside 200 clients it took 30 s, so the proxy in front has to limit their number (deploy/nginx.conf).
Workers with coroutines were no choice: a wait in SQLite would stop all of them.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

RECEIVE_SECONDS = 10.0
"""GitHub itself gives up after so long; a body of 25 MB needs 20 Mbit/s."""
_SILENCE_SECONDS = 2.0


class BoundedThreadWorker(ThreadWorker):  # type: ignore[misc]
    """Ends the input of a client that is too slow. A request that is already being answered is not disturbed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadlines: dict[socket.socket, float] = {}

    def handle(self, conn: Any) -> Any:
        deadline = self._deadlines[conn.sock] = time.monotonic() + RECEIVE_SECONDS
        try:
            result = super().handle(conn)
            if result is False:
                _end_connection(conn.sock, deadline)
            return result
        finally:
            del self._deadlines[conn.sock]

    def notify(self) -> None:
        """gunicorn's main thread calls this at least once a second."""
        super().notify()
        now = time.monotonic()
        for sock, deadline in self._deadlines.copy().items():
            if deadline < now:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RD)


def _end_connection(sock: socket.socket, deadline: float) -> None:
    """Tell the client that its answer is complete, and discard what it still sends: else it would see a reset instead.

    Left to gunicorn, its main thread would wait for each client in turn, and accept no other meanwhile.
    """
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(_SILENCE_SECONDS)
        while time.monotonic() < deadline and sock.recv(1 << 16):
            pass
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RD)
