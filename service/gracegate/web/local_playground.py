"""The playground on the machine of one person, with the pages about rules beside it.

It is served on loopback, to a browser that calls it so: a website may let its own name lead here.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, redirect, request
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response as AnyResponse

from gracegate.errors import ConfigError
from gracegate.outputs import PlaygroundForm
from gracegate.review import Playground
from gracegate.web import pages, playground

HOST = "127.0.0.1"
_LOOPBACK = frozenset({HOST, "localhost", "::1"})


def serve_playground(
    reviews: Playground, start: PlaygroundForm | None, port: int, on_start: Callable[[int], None]
) -> None:
    """Serve the playground until the process ends. `on_start` is told the port: a free one where `port` is 0."""
    try:
        server = make_server(HOST, port, create_local_app(reviews, start), threaded=True, request_handler=_Handler)
    except (OSError, SystemExit) as error:
        raise ConfigError(f"--port is {port}, where no server can listen") from error
    try:
        on_start(server.server_port)
        server.serve_forever()
    finally:
        server.server_close()


def create_local_app(reviews: Playground, start: PlaygroundForm | None) -> Flask:
    app = Flask("gracegate.web.local_playground", static_folder=None, template_folder=None)

    @app.before_request
    def refuse_other_names() -> Response | None:
        if (urlsplit(f"//{request.host}").hostname or "") in _LOOPBACK:
            return None
        return make_response(f"This page is for this machine alone. Open it as http://{HOST}.\n", 400)

    @app.get("/")
    def show_playground() -> AnyResponse:
        return redirect("/playground")

    app.register_blueprint(pages.packaged_pages(has_playground=True))
    app.register_blueprint(playground.blueprint(reviews, start))
    pages.answer_errors(app)
    return app


class _Handler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name in werkzeug
        """A line for each request would hide the address of the page."""
