"""The Flask application, put together of its blueprints."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, Response, request

from gracegate.review import OwnRules, Playground
from gracegate.settings import Settings, installed_opa
from gracegate.store import Store
from gracegate.web import bundles, dashboard, health, metrics, operator, pages, playground, sign_in, viewers, webhooks
from gracegate.web.health import ReadinessCheck
from gracegate.web.responses import message

Application = Flask
WITHOUT_FORM = frozenset({"webhooks.receive", "playground.review"})
"""The endpoints whose requests are signed in another way, or change nothing; all others take nothing without a session
and its token."""


def create_app(settings: Settings, store: Store, readiness_checks: Mapping[str, ReadinessCheck]) -> Application:
    """/readyz runs `readiness_checks` after a check of the database."""
    app = Flask("gracegate.web", static_folder=None, template_folder=None)
    app.register_blueprint(webhooks.blueprint(settings, store))
    app.register_blueprint(health.blueprint({"database": store.check_readiness, **readiness_checks}))
    app.register_blueprint(bundles.blueprint())
    app.register_blueprint(metrics.blueprint(store))
    app.register_blueprint(pages.blueprint(settings, store))
    app.register_blueprint(dashboard.blueprint(settings, store))
    own_rules = OwnRules(settings, store) if settings.own_rule_pages else None
    app.register_blueprint(pages.packaged_pages(own_rules, has_playground=settings.playground))
    if settings.playground:
        reviews = Playground(installed_opa(), settings.data_dir / "wasm")
        app.register_blueprint(playground.blueprint(reviews, own_rules=own_rules))
    if known := viewers.install(app, settings, store):
        app.register_blueprint(sign_in.blueprint(settings, known))
        checks = {"database": store.check_readiness, **readiness_checks}
        app.register_blueprint(operator.blueprint(settings, store, checks))
    pages.answer_errors(app)
    app.before_request(_refuse_foreign_forms)
    return app


def _refuse_foreign_forms() -> Response | None:
    """Another site can send a form in the name of a person who has signed in here, but does not know its token."""
    if request.method in {"GET", "HEAD", "OPTIONS"} or request.endpoint is None or request.endpoint in WITHOUT_FORM:
        return None
    if viewers.has_csrf_token():
        return None
    return message(403, "Nothing was done", "This form is not of your session: open its page again, and sign in there.")
