"""The playground on the machine of one person, with the pages about rules beside it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, make_response, redirect
from werkzeug.serving import WSGIRequestHandler
from werkzeug.wrappers import Response as AnyResponse

from gracegate.outputs import PlaygroundForm
from gracegate.review import Playground
from gracegate.web import pages, playground
from gracegate.web.local_server import HOST, has_other_name, open_server


def serve_playground(
    reviews: Playground, start: PlaygroundForm | None, port: int, on_start: Callable[[int], None]
) -> None:
    """Serve the playground until the process ends. `on_start` is told the port: a free one where `port` is 0."""
    server = open_server(create_local_app(reviews, start), port, _Handler)
    try:
        on_start(server.server_port)
        server.serve_forever()
    finally:
        server.server_close()


def create_local_app(reviews: Playground, start: PlaygroundForm | None) -> Flask:
    app = Flask("gracegate.web.local_playground", static_folder=None, template_folder=None)

    @app.before_request
    def refuse_other_names() -> Response | None:
        if has_other_name():
            return make_response(f"This page is for this machine alone. Open it as http://{HOST}.\n", 400)
        return None

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
