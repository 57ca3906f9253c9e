"""The Flask application: its pages and what they need."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from gracegate.jobs import Queue
from gracegate.settings import Settings
from gracegate.store import Store
from gracegate.web import health, metrics, webhooks
from gracegate.web.health import ReadinessCheck

Application = Flask


def create_app(settings: Settings, store: Store, queue: Queue, checks: Mapping[str, ReadinessCheck]) -> Application:
    """`checks` say what else than the database has to be there."""
    app = Flask("gracegate.web", static_folder=None, template_folder=None)
    app.register_blueprint(webhooks.blueprint(webhooks.Webhooks(settings, store, queue), settings.webhook_secrets))
    app.register_blueprint(health.blueprint({"database": store.missing, **checks}))
    app.register_blueprint(metrics.blueprint(store))
    return app
