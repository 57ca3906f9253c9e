"""Middleware in front of the fake: faults on demand, and the log of all requests."""

from __future__ import annotations

import io
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from werkzeug import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ADDRESS = "fakegithub.address"
"""Where the path of a request is kept as it was sent."""
SHOWN = ("Accept", "User-Agent", "X-GitHub-Api-Version")
"""The headers that the log keeps."""
PAGE: Mapping[str, Any] = {
    "status": 200,
    "headers": {"Content-Type": "text/html; charset=utf-8"},
    "body": "<!DOCTYPE html><title>Sign in</title>",
}
"""The fault of a page in place of an answer."""


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that match, once `skip` have passed.

    `when="after"`: the request takes effect, only its answer is lost. `when="late"`: it takes effect `late` seconds of
    the fake's clock after the answer, before the first request from then on. Without a `status` the request is just
    delayed by `delay` seconds, or, with `drop`, its connection is cut without an answer.
    """

    method: str = "*"
    path: str = ".*"
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"message": "Server Error"}'
    when: Literal["before", "after", "late"] = "before"
    late: float = 1.0
    delay: float = 0.0
    drop: bool = False
    times: int = 1
    skip: int = 0

    def matches(self, method: str, path: str) -> bool:
        return self.method in {"*", method} and re.search(self.path, path) is not None


@dataclass(frozen=True)
class Logged:
    """One request; `status` is 0 where the connection was cut; `seconds` is how long the answer took.

    `path` names a repository that was addressed by its id; `address` is the path as it was sent.
    """

    method: str
    path: str
    query: str
    status: int
    seconds: float
    at: float
    address: str
    headers: Mapping[str, str]


class FaultInjector:
    """WSGI middleware around the API and git; requests for pages and the control API pass through."""

    def __init__(self, inner: WSGIApplication, is_affected: Callable[[str], bool], now: Callable[[], float]) -> None:
        self._inner = inner
        self._is_affected = is_affected
        self._now = now
        self._late: list[tuple[float, Request]] = []
        self._lock = threading.Lock()
        self.faults: list[Fault] = []
        self.log: list[Logged] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._land()
        request = Request(environ)
        if not self._is_affected(request.path):
            return self._inner(environ, start_response)
        started, at = time.monotonic(), time.time()
        response = self._answer(request)
        status = response.status_code if response else 0
        with self._lock:
            seconds = time.monotonic() - started
            query = request.query_string.decode()
            shown = {name: request.headers.get(name, "") for name in SHOWN}
            address = environ.get(ADDRESS, request.path)
            self.log.append(Logged(request.method, request.path, query, status, seconds, at, address, shown))
        if response is None:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionError("cut on demand")
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response | None:
        fault = self._take(request.method, request.path)
        if fault is None:
            return self._real(request)
        if fault.when == "after":
            self._real(request)
        if fault.when == "late":
            self._keep(request, fault.late)
        time.sleep(fault.delay)
        if fault.drop:
            if fault.when == "before":
                # Left unread, the server would take the body for another request.
                request.get_data()
            return None
        if fault.status is None:
            return self._real(request)
        headers = {"Content-Type": "application/json; charset=utf-8", **fault.headers}
        return Response(fault.body, fault.status, headers)

    def _keep(self, request: Request, seconds: float) -> None:
        """Keep a request, with its body, which is gone when the connection ends."""
        kept = Request({**request.environ, "wsgi.input": io.BytesIO(request.get_data())})
        with self._lock:
            self._late.append((self._now() + seconds, kept))

    def _land(self) -> None:
        """Let the requests take effect whose time has come."""
        with self._lock:
            now = self._now()
            due = [request for at, request in self._late if at <= now]
            self._late = [(at, request) for at, request in self._late if at > now]
        for request in due:
            self._real(request)

    def _real(self, request: Request) -> Response:
        return Response.from_app(self._inner, request.environ, buffered=True)

    def _take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if not fault.matches(method, path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return fault
        return None
