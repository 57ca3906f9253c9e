"""Clients that stop in the middle of a request, over real sockets to the real server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.processes import WAIT_SECONDS
from tests.web.payloads import post, pull_request

if TYPE_CHECKING:
    from tests.web.conftest import Server

Open = Callable[[bytes], socket.socket]

START = b"POST /webhooks/github HTTP/1.1\r\nHost: gracegate\r\n"
JSON = b"Content-Type: application/json\r\n"
SIGNATURE = b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n"
EVENT = b"X-GitHub-Event: pull_request\r\nX-GitHub-Delivery: a\r\n"
LENGTH = b"Content-Length: 1000\r\n"

SIGNED = START + JSON + SIGNATURE + EVENT
# What a client sent before it stopped, and how the answer begins that it gets when it is let go.
STALLED = {
    b"": b"",
    START + JSON: b"",
    START + JSON + LENGTH + b"\r\n{": b"HTTP/1.1 401 ",
    SIGNED + LENGTH + b"\r\n{": b"HTTP/1.1 400 ",
    SIGNED + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{": b"HTTP/1.1 400 ",
}
REFUSED = {
    JSON + EVENT + LENGTH: b"HTTP/1.1 401 ",
    JSON + EVENT + b"X-Hub-Signature-256: sha1=00\r\n" + LENGTH: b"HTTP/1.1 403 ",
    SIGNATURE + EVENT + LENGTH: b"HTTP/1.1 415 ",
    JSON + SIGNATURE + LENGTH: b"HTTP/1.1 400 ",
    JSON + SIGNATURE + EVENT + b"Content-Length: 26214401\r\n": b"HTTP/1.1 413 ",
}


@pytest.fixture
def connect(server: Server) -> Iterator[Open]:
    """Opens a connection and sends the beginning of a request; nothing more follows."""
    with ExitStack() as stack:

        def open_connection(sent: bytes) -> socket.socket:
            address = urlsplit(server.url)
            connection = stack.enter_context(
                socket.create_connection((address.hostname, address.port), timeout=WAIT_SECONDS)
            )
            connection.sendall(sent)
            return connection

        yield open_connection


def test_40_stalled_clients_do_not_stop_a_signed_delivery(server: Server, connect: Open) -> None:
    stalled = [(sent, connect(sent)) for sent in STALLED for _ in range(8)]
    assert post(server.url, "pull_request", pull_request("opened"), "a") == (202, {"outcome": "queued"})
    assert [_read_to_end(client)[:13] for _, client in stalled] == [STALLED[sent] for sent, _ in stalled]
    assert post(server.url, "pull_request", pull_request("opened"), "a") == (202, {"outcome": "duplicate"})


def test_large_bodies_that_never_end_leave_room_for_a_signed_delivery(server: Server, connect: Open) -> None:
    half = SIGNED + b"Content-Length: 26214400\r\n\r\n" + b" " * (13 * 1024 * 1024)
    stalled = [connect(half) for _ in range(10)]
    assert post(server.url, "pull_request", pull_request("opened"), "a") == (202, {"outcome": "queued"})
    answers = [_read_to_end(client) for client in stalled]
    assert {answer[:13] for answer in answers} == {b"HTTP/1.1 400 ", b"HTTP/1.1 503 "}
    assert all((b"Retry-After: 10" in answer) == (b" 503 " in answer[:13]) for answer in answers)


def test_a_request_is_refused_before_its_body_is_sent(connect: Open) -> None:
    assert {sent: connect(START + sent + b"\r\n").recv(13) for sent in REFUSED} == REFUSED


def _read_to_end(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))
