"""A Flask view that does nothing, served as gracegate's web process is: what `make load` compares it with.

`python -m tests.bench.empty_view`, with the environment of the service.
"""

from __future__ import annotations

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from gracegate.settings import Settings
from gracegate.web import Server


def application() -> Flask:
    app = Flask(__name__)

    @app.get("/healthz")
    def report_health() -> ResponseReturnValue:
        return jsonify(status="ok")

    @app.post("/webhooks/github")
    def receive() -> ResponseReturnValue:
        request.get_data()
        return jsonify(outcome="queued"), 202

    return app


if __name__ == "__main__":
    Server(Settings.from_environment().web, application).run()
