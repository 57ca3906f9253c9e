"""`GET /healthz`: the process answers. `GET /readyz`: all that it needs is there, or what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

ReadinessCheck = Callable[[], str | None]
"""What is missing, in words; None where nothing is."""


def blueprint(checks: Mapping[str, ReadinessCheck]) -> Blueprint:
    page = Blueprint("health", __name__)

    @page.get("/healthz")
    def alive() -> ResponseReturnValue:
        return jsonify(status="ok")

    @page.get("/readyz")
    def ready() -> ResponseReturnValue:
        missing = {name: said for name, check in checks.items() if (said := check()) is not None}
        return jsonify(ready=not missing, missing=missing, checked=sorted(checks)), 503 if missing else 200

    return page
