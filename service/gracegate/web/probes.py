"""The small HTTP server in a worker that nothing supervises: health, readiness and metrics.

The standard library's server is enough: its clients are the kubelet and a scraper of metrics, one request at a time.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask
from gunicorn.util import parse_address  # type: ignore[import-untyped]

from gracegate.errors import ConfigError
from gracegate.store import Store
from gracegate.web import health, metrics
from gracegate.web.health import ReadinessCheck


def serve_probes(bind: str, store: Store, readiness_checks: Mapping[str, ReadinessCheck]) -> None:
    """Answer /healthz, /readyz and /metrics at `bind` (host:port), in a thread that ends with the process."""
    app = Flask("gracegate.web.probes", static_folder=None, template_folder=None)
    app.register_blueprint(health.blueprint({"database": store.check_readiness, **readiness_checks}))
    app.register_blueprint(metrics.blueprint(store))
    try:
        host, port = parse_address(bind)
        server = _Server(host, port)
    except (OSError, OverflowError, RuntimeError) as error:
        raise ConfigError(f"--bind is {bind!r}, where no server can listen: {error}") from error
    server.set_app(app)
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()


class _Handler(WSGIRequestHandler):
    timeout = 10
    """Seconds that a client may be silent."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the standard library
        """A line for each probe would hide the others."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
