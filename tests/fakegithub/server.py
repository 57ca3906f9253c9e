"""The fake in a thread of the test: `with FakeGitHub(tmp_path) as fake: ...`."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.fakegithub.app import application, is_api
from tests.fakegithub.events import Events
from tests.fakegithub.faults import ADDRESS, Fault, FaultInjector, Logged
from tests.fakegithub.people import People
from tests.fakegithub.state import App, Clock, Delivery
from tests.fakegithub.web import FAKE
from tests.fakegithub.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


BY_ID = re.compile(r"/repositories/(\d+)(?=/)")
ENTERPRISE_API = "/api/v3"
"""A GitHub Enterprise Server has its API there; the fake answers there too."""


class Handler(WSGIRequestHandler):
    """Silent: the middleware keeps the log. One request per connection, so that nothing lives on after `stop`."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class FakeGitHub(People):
    """A GitHub on 127.0.0.1. At its end it raises AssertionError if a request or an answer broke the OpenAPI
    description, unless the test has failed already; a test that breaks it on purpose clears `violations`."""

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.world = World(folder)
        self.events = Events(self.world)
        self.violations: list[str] = []
        """What did not fit GitHub's OpenAPI description, of requests and of answers."""
        self.used: dict[tuple[int, object], int] = {}
        """How many requests a caller has made, by hour and caller."""
        self._injector = FaultInjector(self._application, is_api, self.world.clock.now)
        self._server = make_server(host, port, self._by_name, threaded=True, request_handler=Handler)
        self.url = self.world.base_url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def _application(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return application().wsgi_app({**environ, FAKE: self}, start_response)

    def _by_name(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Routes the paths below `/repositories/<id>` to those below the repository's name."""
        path = environ["PATH_INFO"].removeprefix(ENTERPRISE_API) or "/"
        environ = {**environ, "PATH_INFO": path}
        found = BY_ID.match(path)
        one = self.world.repositories.get(int(found[1])) if found else None
        if found and one:
            environ = {**environ, "PATH_INFO": f"/repos/{one.full_name}{path[found.end() :]}", ADDRESS: path}
        return self._injector(environ, start_response)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()
        if kind is None and self.violations:
            raise AssertionError("GitHub's OpenAPI description was broken:\n" + "\n".join(self.violations))

    def stop(self) -> None:
        self.events.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def git_url(self) -> str:
        """The clone address of a repository is `{git_url}/{owner}/{name}.git`."""
        return self.url

    @property
    def app(self) -> App:
        return self.world.app

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def log(self) -> list[Logged]:
        """All requests to the API and to git, oldest first."""
        return self._injector.log

    @property
    def deliveries(self) -> list[Delivery]:
        return self.world.deliveries

    @property
    def webhook_url(self) -> str | None:
        return self.events.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.events.url = url

    def settle(self) -> None:
        """Waits until every webhook was answered or has failed."""
        self.events.settle()

    def fault(self, method: str = "*", path: str = ".*", **more: Any) -> Fault:
        """Makes the next matching request fail; see Fault for the rest."""
        fault = Fault(method, path, **more)
        self._injector.faults.append(fault)
        return fault

    def clear_faults(self) -> None:
        self._injector.faults.clear()
