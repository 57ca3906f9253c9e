"""The web process under gunicorn's own command: `gunicorn -c deploy/gunicorn.conf.py`.

`gracegate serve --web-only` is the same. The settings are in gracegate.web.server, what an operator decides is in the
environment (GRACEGATE_*).
"""

from __future__ import annotations

from typing import Any

from gracegate.cli import logs, serve
from gracegate.settings import Settings
from gracegate.web import options

_settings = Settings.from_environment()
globals().update(options(_settings))
wsgi_app = "gracegate.cli.serve:application()"


def on_starting(_server: Any) -> None:
    """Before the first process: the log without secrets, and the tables."""
    logs.configure(_settings)
    serve.prepare(_settings)
