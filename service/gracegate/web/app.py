"""The Flask application, put together of its blueprints."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from gracegate.settings import Settings
from gracegate.store import Store
from gracegate.web import bundles, health, metrics, pages, webhooks
from gracegate.web.health import ReadinessCheck

Application = Flask


def create_app(settings: Settings, store: Store, readiness_checks: Mapping[str, ReadinessCheck]) -> Application:
    """/readyz runs `readiness_checks` after a check of the database."""
    app = Flask("gracegate.web", static_folder=None, template_folder=None)
    app.register_blueprint(webhooks.blueprint(settings, store))
    app.register_blueprint(health.blueprint({"database": store.check_readiness, **readiness_checks}))
    app.register_blueprint(bundles.blueprint())
    app.register_blueprint(metrics.blueprint(store))
    app.register_blueprint(pages.blueprint(settings, store))
    pages.answer_unknown_addresses(app)
    return app
