"""What the world can reach: webhooks, health, metrics. It writes down what is to be done and does none of it."""

from __future__ import annotations

from gracegate.web.app import Application, create_app
from gracegate.web.server import Server, options

__all__ = [
    "Application",
    "Server",
    "create_app",
    "options",
]
