"""`GET /healthz`: the process answers. `GET /readyz`: whether all that a review needs is there, and what is missing.

What is only degraded does not make a process unready: it still has webhooks to store, which would be lost else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue


@dataclass(frozen=True, slots=True)
class Degraded:
    """Why reviews have to wait, or will fail, while webhooks can be stored."""

    reason: str


ReadinessCheck = Callable[[], str | Degraded | None]
"""Returns what is missing and how to get it, or what is degraded, None if all is there. It must be quick."""


def blueprint(checks: Mapping[str, ReadinessCheck]) -> Blueprint:
    page = Blueprint("health", __name__)

    @page.get("/healthz")
    def report_health() -> ResponseReturnValue:
        return jsonify(status="ok")

    @page.get("/readyz")
    def report_readiness() -> ResponseReturnValue:
        found = {name: check() for name, check in checks.items()}
        missing = {name: one for name, one in found.items() if isinstance(one, str)}
        degraded = {name: one.reason for name, one in found.items() if isinstance(one, Degraded)}
        answer = jsonify(ready=not missing, missing=missing, degraded=degraded, checked=sorted(checks))
        return answer, 503 if missing else 200

    return page
