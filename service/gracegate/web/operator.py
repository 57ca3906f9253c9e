"""The pages of operators: runs, deliveries, the audit log, rules and health. For everybody else there are none.

They name all repositories, and say how their runs went; what was found in a private one is for who can read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import structlog
from flask import Blueprint, Response, redirect, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from gracegate import __version__
from gracegate.errors import GitHubError, Gone
from gracegate.github_app import HookDelivery
from gracegate.github_app import deliveries as hook_deliveries
from gracegate.policy import load_builtin
from gracegate.review import build_operator_client
from gracegate.settings import Settings
from gracegate.store import AuditFilter, Store, audit, deliveries, executors, policy_sets, runs, sweeps
from gracegate.web.health import Degraded, ReadinessCheck
from gracegate.web.responses import message, page
from gracegate.web.viewers import current_viewer

log = structlog.get_logger(__name__)

MOST_RUNS = 100
AUDIT_ROWS = 100
_LARGEST_ID = 2**63 - 1
_BACK = (("/operator/deliveries", "Deliveries"),)


class ShownDelivery(NamedTuple):
    """An attempt of GitHub, and what became of the event here; "" where it was not stored."""

    attempt: HookDelivery
    outcome: str


def blueprint(settings: Settings, store: Store, checks: Mapping[str, ReadinessCheck]) -> Blueprint:
    pages = Blueprint("operator", __name__)

    @pages.before_request
    def hide_from_others() -> None:
        viewer = current_viewer()
        if viewer is None or not viewer.is_operator:
            raise NotFound

    @pages.get("/operator")
    def show_overview() -> Response:
        health = {name: check() for name, check in checks.items()}
        with store.reading() as tx:
            counts, oldest = runs.queue_depth(tx)
            return page(
                200,
                "operator.html",
                title="Operator",
                health=[(name, *_health(one)) for name, one in sorted(health.items())],
                counts=counts,
                oldest=oldest,
                dead=len(runs.dead(tx, MOST_RUNS)),
                most=MOST_RUNS,
                rate_limits=runs.rate_limits(tx),
                executors=executors.heartbeats(tx),
                dead_after=settings.jobs.dead_after,
                sweep=sweeps.oldest_completion(tx),
                version=__version__,
                digest=load_builtin().digest,
                policies=policy_sets.read_named(tx, ""),
            )

    @pages.get("/operator/runs")
    def show_runs() -> Response:
        with store.reading() as tx:
            unfinished, dead = runs.unfinished(tx, MOST_RUNS), runs.dead(tx, MOST_RUNS)
        retried = [one for one in unfinished if one.failures or one.crashes]
        waiting = [one for one in unfinished if one not in retried]
        return page(200, "runs.html", title="Runs", waiting=waiting, retried=retried, dead=dead, most=MOST_RUNS)

    @pages.get("/operator/deliveries")
    def show_deliveries() -> Response:
        viewer = current_viewer()
        error = ""
        shown: list[ShownDelivery] = []
        try:
            attempts = hook_deliveries.list_newest(build_operator_client(settings, store, ""))
        except GitHubError as failure:
            error = str(failure)
        else:
            with store.reading() as tx:
                outcomes = deliveries.outcomes(tx, {one.guid for one in attempts})
            shown = [ShownDelivery(one, outcomes.get(one.guid, "")) for one in attempts]
        return page(200, "deliveries.html", title="Deliveries", shown=shown, error=error, viewer=viewer)

    @pages.post("/operator/deliveries/<int:delivery_id>/redeliver")
    def redeliver(delivery_id: int) -> AnyResponse:
        viewer = current_viewer()
        if delivery_id > _LARGEST_ID or viewer is None:
            raise NotFound
        try:
            hook_deliveries.redeliver(build_operator_client(settings, store, viewer.login), delivery_id)
        except Gone:
            return message(404, "Not delivered again", "GitHub has forgotten this delivery.", links=_BACK)
        log.info("delivery_asked_for_again", delivery=delivery_id, operator=viewer.login)
        return redirect("/operator/deliveries", 303)

    @pages.get("/operator/audit")
    def show_audit() -> Response:
        which = AuditFilter(
            repository=request.args.get("repository", "").strip() or None,
            number=_number("number", 2**31 - 1),
            before=_number("before", _LARGEST_ID),
        )
        with store.reading() as tx:
            rows = audit.find(tx, which, AUDIT_ROWS + 1)
        older = rows[AUDIT_ROWS - 1].id if len(rows) > AUDIT_ROWS else None
        return page(200, "audit.html", title="Audit log", rows=rows[:AUDIT_ROWS], which=which, older=older)

    return pages


def _number(name: str, largest: int) -> int | None:
    """A number of the query; None where it is none."""
    found = request.args.get(name, type=int)
    return found if found is not None and 0 < found <= largest else None


def _health(found: str | Degraded | None) -> tuple[str, str]:
    """The level of a check and its words."""
    if found is None:
        return "good", "ok"
    return ("warning", found.reason) if isinstance(found, Degraded) else ("error", found)
