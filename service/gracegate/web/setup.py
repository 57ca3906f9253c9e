"""The two local pages of `gracegate setup`: one with the button that registers the App, and the one to come back to.

They are served on loopback, to a browser that calls it so: a website may let its own name lead here. Who comes back
has the `state` of the first page, once: else a website could make this machine take over an App of its own.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, make_response, render_template_string, request
from werkzeug.serving import WSGIRequestHandler

from gracegate.errors import GracegateError
from gracegate.web.local_server import HOST, has_other_name, open_server

_HEADERS = {
    "Cache-Control": "no-store",
    # The code of the new App is in the URL.
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem;
    overflow-wrap: anywhere }
  button { font: inherit; padding: .5rem 1rem }
</style>
<main>
  <h1>{{ title }}</h1>
  {%- if manifest %}
  <p>GitHub shows the App before it is registered, and lets you change its name. It will have:</p>
  <ul>
    {%- for name, level in manifest.default_permissions.items() %}
    <li>{{ name.replace("_", " ") }}: {{ level }}</li>
    {%- endfor %}
  </ul>
  <p>GitHub will send its events to <code>{{ manifest.hook_attributes.url }}</code>.</p>
  <form method="post" action="{{ action }}">
    <input type="hidden" name="manifest" value="{{ manifest | tojson | forceescape }}">
    <button>Register the App on {{ server }}</button>
  </form>
  {%- endif %}
  {%- for paragraph in paragraphs %}
  <p>{{ paragraph }}</p>
  {%- endfor %}
</main>
</html>
"""


@dataclass(frozen=True, slots=True)
class SetupPages:
    """What the pages need: the page of GitHub that takes a manifest, a manifest for the address to come back to, and
    what to do with the code of the new App; its result is shown."""

    registration_url: str
    manifest: Callable[[str], Mapping[str, Any]]
    register: Callable[[str], list[str]]


def serve_setup(pages: SetupPages, port: int, on_start: Callable[[int], None]) -> None:
    """Serve the pages until an App is registered. `on_start` is told the port: a free one where `port` is 0."""
    done = threading.Event()
    app = create_setup_app(pages, done.set)
    server = open_server(app, port, _Handler)
    thread = threading.Thread(target=server.serve_forever, name="setup", daemon=True)
    thread.start()
    try:
        on_start(server.server_port)
        done.wait()
    finally:
        server.shutdown()
        server.server_close()


def create_setup_app(pages: SetupPages, on_registered: Callable[[], None]) -> Flask:
    """`on_registered` is called when the browser has the last page."""
    app = Flask("gracegate.web.setup", static_folder=None, template_folder=None)
    state = _OneTimeState()

    @app.before_request
    def refuse_other_names() -> Response | None:
        if has_other_name():
            return _page(400, "This page is for this machine alone", f"Open it as http://{HOST}.")
        return None

    @app.get("/")
    def show_button() -> Response:
        manifest = pages.manifest(f"{request.host_url}registered")
        action = f"{pages.registration_url}?{urlencode({'state': state.value})}"
        server = urlsplit(pages.registration_url).netloc
        return _page(200, "Register the GitHub App of gracegate", manifest=manifest, action=action, server=server)

    @app.get("/registered")
    def receive_code() -> Response:
        if not state.use(request.args.get("state", "")):
            return _page(400, "This is not the App that you registered here", "Start again at the first page.")
        try:
            paragraphs = pages.register(request.args.get("code", ""))
        except GracegateError as error:
            return _page(502, "The App could not be set up", str(error))
        response = _page(200, "The App is registered", *paragraphs)
        response.call_on_close(on_registered)
        return response

    return app


class _OneTimeState:
    """A random value that is accepted once; the next one takes its place."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.value = secrets.token_urlsafe(32)

    def use(self, given: str) -> bool:
        with self._lock:
            is_right = hmac.compare_digest(given.encode(), self.value.encode())
            if is_right:
                self.value = secrets.token_urlsafe(32)
        return is_right


def _page(status: int, title: str, *paragraphs: str, **more: Any) -> Response:
    html = render_template_string(_PAGE, title=title, paragraphs=paragraphs, **more)
    return make_response(html, status, _HEADERS)


class _Handler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the code of the App is in the URL."""
