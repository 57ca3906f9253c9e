"""The pods of a real rollout: HTTP servers that are processes, each at an address of its own on loopback.

All of 127.0.0.0/8 is loopback, so that one port serves all pods, as in a cluster. An interpreter takes a tenth of a
second to start, which is a second of a rollout here: servers are forked by a process that has done so already.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
from dataclasses import asdict, dataclass

from gracegate.processes import end_with_parent
from gracegate.rollout.assumptions import OnSigterm

PORT = 8080
# A connection that waits longer for `accept` would not be refused when the server ends, but time out.
_BACKLOG = 512


@dataclass(frozen=True)
class Server:
    """What a server does; times in seconds of this machine. It listens after `start`, answers 503 for `warm_up` more,
    and takes `request` for each request but the probes'. For `on_sigterm` see gracegate.rollout.Assumptions."""

    address: str
    start: float
    warm_up: float
    request: float
    on_sigterm: OnSigterm


class ServerFork:
    """Starts servers; they all end with it."""

    def __init__(self) -> None:
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            self._socket.close()
            end_with_parent(parent, signal.SIGKILL)
            _fork_servers(other)
        other.close()

    def start(self, server: Server) -> int:
        """The process id of the new server."""
        self._socket.send(json.dumps(asdict(server)).encode())
        return int(self._socket.recv(64))

    def close(self) -> None:
        self._socket.close()
        os.waitpid(self.pid, 0)


def _fork_servers(orders: socket.socket) -> None:
    # Nobody waits for the servers: the kernel forgets them when they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    own = os.getpid()
    while order := orders.recv(4096):
        pid = os.fork()
        if pid == 0:
            try:
                orders.close()
                end_with_parent(own, signal.SIGKILL)
                _serve(Server(**json.loads(order)))
            finally:
                os._exit(1)
        orders.send(str(pid).encode())
    os._exit(0)


def _serve(server: Server) -> None:
    if server.on_sigterm == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Until it listens SIGTERM ends it, as it does any program that has no handler yet.
    time.sleep(server.start)
    asyncio.run(_Connections(server).serve())


class _Connections:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._warm_at = time.monotonic() + server.warm_up
        self._idle: set[asyncio.StreamWriter] = set()
        self._busy: set[asyncio.StreamWriter] = set()

    async def serve(self) -> None:
        self._draining = asyncio.Event()
        listener = await asyncio.start_server(self._answer_all, self._server.address, PORT, backlog=_BACKLOG)
        if self._server.on_sigterm == "drain":
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._draining.set)
        await self._draining.wait()
        listener.close()
        for connection in [*self._idle]:
            connection.close()
        while self._busy:
            await asyncio.sleep(0.001)
        os._exit(0)

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer_next(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._idle.discard(writer)
            self._busy.discard(writer)
            writer.close()

    async def _answer_next(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection stays open after this request."""
        self._idle.add(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        self._idle.discard(writer)
        self._busy.add(writer)
        is_warm = time.monotonic() >= self._warm_at
        if is_warm and not head.startswith(b"GET /ready"):
            await asyncio.sleep(self._server.request)
        closes = b"Connection: close" in head or self._draining.is_set()
        status = b"200 OK" if is_warm else b"503 Service Unavailable"
        end = b"Connection: close\r\n\r\n" if closes else b"\r\n"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n" + end)
        await writer.drain()
        self._busy.discard(writer)
        return not closes
