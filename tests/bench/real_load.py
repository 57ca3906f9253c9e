"""The callers of a real rollout: requests at a steady rate whatever becomes of them, and how late this process is."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field

from gracegate.rollout.losses import LossKind
from tests.bench.real_cluster import Cluster
from tests.bench.real_servers import PORT

_HOPELESS_LAG = 1.0
"""Requests that come at a steady rate pile up behind a process that cannot keep up."""
_TICK = 0.01
_ANSWER_SECONDS = 3.0


@dataclass
class Losses:
    """What callers have seen: when, in seconds of the cluster since the update began, a request was lost and how.

    They have given up where they were too late to send all that was due.
    """

    sent: int = 0
    lost: list[tuple[float, LossKind]] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    has_given_up: bool = False

    @property
    def lag(self) -> float:
        """What 99 of a hundred timers were not later than, in seconds."""
        if self.has_given_up:
            return _HOPELESS_LAG
        return sorted(self.lags)[len(self.lags) * 99 // 100] if self.lags else 0.0

    def counts(self) -> Counter[LossKind]:
        return Counter(kind for _, kind in self.lost)


class Callers:
    """Send requests until they are stopped: each on a new connection, or on one of so many that are kept alive."""

    def __init__(self, cluster: Cluster) -> None:
        self.losses = Losses()
        self._cluster = cluster
        self._is_stopped = False
        self._lag = asyncio.create_task(self._measure_lag())
        self._load = asyncio.create_task(self._keep_alive() if cluster.assumed.kept_alive else self._connect())

    async def stop(self) -> Losses:
        """Waits for the answers that are due."""
        self._is_stopped = True
        await self._load
        await self._lag
        return self.losses

    async def _measure_lag(self) -> None:
        while not self._is_stopped:
            due = time.monotonic() + _TICK
            await asyncio.sleep(_TICK)
            self.losses.lags.append(time.monotonic() - due)

    async def _connect(self) -> None:
        cluster = self._cluster
        gap, due = cluster.scale / cluster.assumed.rate, time.monotonic()
        nodes = itertools.cycle(range(len(cluster.assumed.removals)))
        async with asyncio.TaskGroup() as requests:
            while not self._is_stopped:
                due += gap
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if time.monotonic() - due > _HOPELESS_LAG:
                    self.losses.has_given_up = True
                    return
                requests.create_task(self._request(next(nodes), None))

    async def _keep_alive(self) -> None:
        async with asyncio.TaskGroup() as connections:
            for number in range(self._cluster.assumed.kept_alive):
                connections.create_task(self._use_one_connection(number))

    async def _use_one_connection(self, number: int) -> None:
        assumed, scale = self._cluster.assumed, self._cluster.scale
        due = time.monotonic() + number * scale / assumed.rate
        connection: _Connection | None = None
        while not self._is_stopped:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            connection = await self._request(number % len(assumed.removals), connection)
            due += assumed.kept_alive * scale / assumed.rate
        if connection is not None:
            connection.close()

    async def _request(self, node: int, connection: _Connection | None) -> _Connection | None:
        """The connection if it can be used again."""
        self.losses.sent += 1
        try:
            if connection is None or connection.is_closed:
                address = self._cluster.choose(node)
                if address is None:
                    return self._lose("no_endpoint")
                _, connection = await asyncio.get_running_loop().create_connection(_Connection, address, PORT)
            is_kept = self._cluster.assumed.kept_alive > 0
            answer = await connection.ask(closes=not is_kept)
        except ConnectionRefusedError:
            return self._lose("refused")
        except (OSError, TimeoutError):
            return self._lose("reset")
        if b" 200 " not in answer:
            self._lose("error")
        if is_kept and b"Connection: close" not in answer:
            return connection
        connection.close()
        return None

    def _lose(self, kind: LossKind) -> None:
        self.losses.lost.append((self._cluster.now, kind))


class _Connection(asyncio.Protocol):
    """A connection with one request at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    @property
    def is_closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    async def ask(self, *, closes: bool) -> bytes:
        """The answer. Raises ConnectionResetError where the connection ends before it."""
        self._answer, self._received = asyncio.get_running_loop().create_future(), b""
        if self._transport is None:
            raise ConnectionResetError
        end = b"Connection: close\r\n\r\n" if closes else b"\r\n"
        self._transport.write(b"GET /work HTTP/1.1\r\nHost: web\r\n" + end)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._answer
        except TimeoutError:
            self._transport.abort()
            raise

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._received.endswith(b"\r\n\r\n") and self._answer is not None and not self._answer.done():
            self._answer.set_result(self._received)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())
