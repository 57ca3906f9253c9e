"""The HTTP server: webhooks, health, metrics, pages. A webhook queues a review; nothing here does one."""

from __future__ import annotations

from gracegate.web.app import Application, create_app
from gracegate.web.health import Degraded, ReadinessCheck
from gracegate.web.local_playground import serve_playground
from gracegate.web.no_app import create_app_without_github
from gracegate.web.probes import serve_probes
from gracegate.web.server import Server, gunicorn_options
from gracegate.web.setup import SetupPages, serve_setup

__all__ = [
    "Application",
    "Degraded",
    "ReadinessCheck",
    "Server",
    "SetupPages",
    "create_app",
    "create_app_without_github",
    "gunicorn_options",
    "serve_playground",
    "serve_probes",
    "serve_setup",
]
