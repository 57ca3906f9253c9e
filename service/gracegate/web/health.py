"""`GET /healthz`: the process answers. `GET /readyz`: whether all that a review needs is there, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

ReadinessCheck = Callable[[], str | None]
"""Returns what is missing and how to get it, None if nothing is."""


def blueprint(checks: Mapping[str, ReadinessCheck]) -> Blueprint:
    page = Blueprint("health", __name__)

    @page.get("/healthz")
    def report_health() -> ResponseReturnValue:
        return jsonify(status="ok")

    @page.get("/readyz")
    def report_readiness() -> ResponseReturnValue:
        reasons = {name: check() for name, check in checks.items()}
        missing = {name: reason for name, reason in reasons.items() if reason is not None}
        return jsonify(ready=not missing, missing=missing, checked=sorted(checks)), 503 if missing else 200

    return page
