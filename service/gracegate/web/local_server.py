"""A server for one person on this machine: on loopback, for a browser that calls it so.

A website may let its own name lead here, to read what is for the person alone.
"""

from __future__ import annotations

from flask import Flask, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from gracegate.errors import ConfigError
from gracegate.settings import is_loopback

HOST = "127.0.0.1"


def open_server(app: Flask, port: int, handler: type[WSGIRequestHandler]) -> BaseWSGIServer:
    """Listens at a port, a free one where it is 0. Raises ConfigError where it cannot."""
    try:
        return make_server(HOST, port, app, threaded=True, request_handler=handler)
    except (OSError, SystemExit) as error:
        raise ConfigError(f"--port is {port}, where no server can listen") from error


def has_other_name() -> bool:
    """Whether the browser has come here by another name than this machine has for itself."""
    return not is_loopback(f"//{request.host}")
