"""The service before it has a GitHub App: it is not ready, and its first page says how to get one.

Nothing is registered here. Whoever registers the App holds its keys, and the first who opens a fresh service need not
be its operator: behind a proxy even a stranger comes from this machine. `gracegate setup` has the button, on a page
that only its own machine reaches, and writes the keys into files of the person who runs it.
"""

from __future__ import annotations

import re
import shlex
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from gracegate.settings import SettingsWithoutApp, is_loopback
from gracegate.web import health, pages
from gracegate.web.responses import page

_EXAMPLE = "https://gracegate.example.com"
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_NOT_READY = "this service has no GitHub App yet: its page / says how to register one"


def create_app_without_github(settings: SettingsWithoutApp) -> Flask:
    """What needs no App is there too: the rules, the documentation, /healthz."""
    app = Flask("gracegate.web.no_app", static_folder=None, template_folder=None)

    @app.get("/")
    def show_next_steps() -> Response:
        url = settings.public_url or _address_of_visitor()
        return page(
            200,
            "no_app.html",
            title="This service has no GitHub App yet",
            command=f"gracegate setup --url {shlex.quote(url or _EXAMPLE)}",
            example="" if url else _EXAMPLE,
            missing=[problem.split(" is not set: write ", 1) for problem in settings.missing],
        )

    @app.post("/webhooks/github")
    def refuse_delivery() -> ResponseReturnValue:
        return jsonify(outcome="unavailable", reason=_NOT_READY), 503

    app.register_blueprint(health.blueprint({"app": lambda: _NOT_READY}))
    app.register_blueprint(pages.packaged_pages(has_playground=False))
    pages.answer_errors(app)
    return app


def _address_of_visitor() -> str | None:
    """Where the visitor sees this service, if GitHub can reach it there; proxies serve it over TLS."""
    host = request.host
    name = urlsplit(f"//{host}").hostname if _HOST.fullmatch(host) else None
    return None if name is None or "." not in name or is_loopback(f"//{host}") else f"https://{host}"
