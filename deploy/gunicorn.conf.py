"""The web process under gunicorn's own command: `gunicorn -c deploy/gunicorn.conf.py`.

`gracegate serve --web-only` does the same. gunicorn's settings are in gracegate/web/server.py; an operator changes them
by environment variables (GRACEGATE_*).
"""

from __future__ import annotations

from typing import Any

from gracegate.cli import logs, serve
from gracegate.settings import Settings, settings_without_app
from gracegate.web import gunicorn_options

_settings = settings_without_app() or Settings.from_environment()
globals().update(gunicorn_options(_settings.web))
wsgi_app = "gracegate.cli.serve:application()"


def on_starting(_server: Any) -> None:
    """Before the first process starts: configure the log, which redacts secrets, and migrate the tables."""
    if isinstance(_settings, Settings):
        logs.configure(_settings)
        serve.prepare_database(_settings)
