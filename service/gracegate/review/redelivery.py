"""Asks GitHub to deliver again what did not reach the service: it never does so by itself."""

from __future__ import annotations

import time

import structlog

from gracegate.errors import GitHubError, Gone
from gracegate.github_app import AppClient, HookDelivery, deliveries
from gracegate.review import metrics
from gracegate.store import FailedDelivery, Store, sweeps

log = structlog.get_logger(__name__)

KEPT_BY_GITHUB = 3 * 86400.0
"""Seconds for which a delivery can be asked for again; seven days on an Enterprise Server."""
LATE = 600.0
"""Seconds by which a delivery may come late into GitHub's list, with what its clock and ours differ."""
MAX_REDELIVERIES = 100
"""How many deliveries are asked for again at once."""
_REFUSED_FOR_GOOD = frozenset({400, 413})
_CLICKED = frozenset({"rerequested", "requested_action"})
_WRITTEN = frozenset({"created"})
_ACTIONS = {
    "check_run": _CLICKED,
    "check_suite": _CLICKED,
    "issue_comment": _WRITTEN,
    "pull_request_review_comment": _WRITTEN,
    "ping": frozenset[str](),
}
"""The actions of an event that gracegate does something about; of other events it may be any."""


def redeliver_failed(client: AppClient, store: Store, since: float, pause: float) -> bool:
    """Ask for the events again of which no delivery was accepted; False if GitHub does not answer.

    Only deliveries of the last `since` seconds are listed. An event that fails again is asked for again `pause` seconds
    later, the next time after twice that, and so on.
    """
    oldest = time.time() - KEPT_BY_GITHUB
    try:
        attempts = deliveries.list_since(client, max(oldest, time.time() - since - LATE))
        delivered = {one.guid for one in attempts if one.is_delivered}
        failed = [FailedDelivery(one.guid, one.id, one.delivered_at) for one in attempts if _is_worth_it(one)]
        with store.transaction() as tx:
            sweeps.record_failures(tx, failed, delivered)
            due = sweeps.take_failures(tx, pause, oldest, MAX_REDELIVERIES)
        for delivery_id in due:
            _redeliver(client, delivery_id)
    except GitHubError as error:
        log.warning("deliveries_not_asked_for_again", error=str(error))
        return False
    return True


def _is_worth_it(one: HookDelivery) -> bool:
    """Whether an attempt has failed, and another one may do something."""
    is_used = one.event not in _ACTIONS or one.action in _ACTIONS[one.event]
    return is_used and not one.is_delivered and one.status_code not in _REFUSED_FOR_GOOD


def _redeliver(client: AppClient, delivery_id: int) -> None:
    try:
        deliveries.redeliver(client, delivery_id)
    except Gone as error:
        log.info("delivery_is_gone", delivery=delivery_id, error=str(error))
    else:
        metrics.REDELIVERIES.inc()
        log.info("delivery_asked_for_again", delivery=delivery_id)
