"""What is deleted when: a few rows at a time, so that no transaction is long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from gracegate.store import repositories
from gracegate.store.tables import (
    AUDIT,
    DELIVERY,
    EXECUTOR,
    HEAD,
    POLICY_RULES,
    RATE_LIMIT,
    REPORT,
    REVIEW,
    RUN,
    SESSION,
    VERDICT,
    WRITE_BUDGET,
    now,
)

DAY = 86400.0
BATCH = 500
"""How many rows one transaction deletes at most."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Seconds for which rows are kept.

    `runs` after their end, with their deliveries, and reports for as long; those of the heads of open pull requests as
    long as these are open. `pull_requests` after they were closed, with their verdicts and their newest run. `reviews`
    for what a review evaluated and found, and for the rules of policy sets before their newest version of that age.
    `audit` for the log of writes. `others` for what only matters while it is new, and for all that is kept of
    repositories that the App may not read any more."""

    runs: float = 30 * DAY
    pull_requests: float = 30 * DAY
    reviews: float = 90 * DAY
    audit: float = 90 * DAY
    others: float = DAY


def steps(keep: Keep) -> list[Callable[[sa.Connection], bool]]:
    """What deletes old rows: a step for each table, which returns whether there may be more of them."""
    return [partial(_delete_some, table, keep) for table in _CONDITIONS]


def _delete_some(table: sa.Table, keep: Keep, tx: sa.Connection) -> bool:
    key = tuple(table.primary_key)
    old = sa.select(*key).where(_CONDITIONS[table](tx, keep)).limit(BATCH)
    return tx.execute(sa.delete(table).where(sa.tuple_(*key).in_(old))).rowcount == BATCH


def _old_heads(tx: sa.Connection, keep: Keep) -> sa.ColumnElement[bool]:
    closed = HEAD.c.closed & (HEAD.c.updated_at < now() - keep.pull_requests)
    return closed | _is_inaccessible(tx, HEAD.c.repository_id, HEAD.c.updated_at, keep)


def _old_reviews(tx: sa.Connection, keep: Keep) -> sa.ColumnElement[bool]:
    old = REVIEW.c.concluded_at < now() - keep.reviews
    return old | _is_inaccessible(tx, REVIEW.c.repository_id, REVIEW.c.concluded_at, keep)


def _old_reports(tx: sa.Connection, keep: Keep) -> sa.ColumnElement[bool]:
    same_pull = (HEAD.c.repository_id == REPORT.c.repository_id) & (HEAD.c.number == REPORT.c.number)
    is_shown = sa.exists().where(same_pull, HEAD.c.sha == REPORT.c.head_sha, ~HEAD.c.closed)
    old = (REPORT.c.created_at < now() - keep.runs) & ~is_shown
    return old | _is_inaccessible(tx, REPORT.c.repository_id, REPORT.c.created_at, keep)


def _old_rules(_tx: sa.Connection, keep: Keep) -> sa.ColumnElement[bool]:
    """One old version stays, which those that came after it are compared with."""
    newer, limit = POLICY_RULES.alias(), now() - keep.reviews
    same_set = (newer.c.policy_set == POLICY_RULES.c.policy_set) & (newer.c.source == POLICY_RULES.c.source)
    is_newer = (newer.c.first_used_at > POLICY_RULES.c.first_used_at) & (newer.c.first_used_at < limit)
    return sa.exists().where(same_set, is_newer)


def _is_inaccessible(
    tx: sa.Connection, repository_id: sa.ColumnElement[int], written_at: sa.ColumnElement[float], keep: Keep
) -> sa.ColumnElement[bool]:
    """Of a repository that the App may not read any more; one that is new need not be known yet."""
    if not repositories.are_known(tx):
        return sa.false()
    return (written_at < now() - keep.others) & ~repositories.is_accessible(repository_id)


def _old_verdicts(_tx: sa.Connection, keep: Keep) -> sa.ColumnElement[bool]:
    same_pull = (HEAD.c.repository_id == VERDICT.c.repository_id) & (HEAD.c.number == VERDICT.c.number)
    return (VERDICT.c.concluded_at < now() - keep.others) & ~sa.exists().where(same_pull)


def _old_runs(_tx: sa.Connection, keep: Keep) -> sa.ColumnElement[bool]:
    of_head = (HEAD.c.repository_id == RUN.c.repository_id) & (HEAD.c.number == RUN.c.number)
    return (RUN.c.finished_at < now() - keep.runs) & ~sa.exists().where(of_head, HEAD.c.run_id == RUN.c.id)


def _old_deliveries(_tx: sa.Connection, keep: Keep) -> sa.ColumnElement[bool]:
    return (DELIVERY.c.received_at < now() - keep.runs) & ~sa.exists().where(RUN.c.delivery_id == DELIVERY.c.id)


def _full_budgets(_tx: sa.Connection, _keep: Keep) -> sa.ColumnElement[bool]:
    full_at = (WRITE_BUDGET.c.minute_full_at, WRITE_BUDGET.c.hour_full_at, WRITE_BUDGET.c.notifications_full_at)
    return sa.and_(*(column < now() for column in full_at))


_CONDITIONS: dict[sa.Table, Callable[[sa.Connection, Keep], sa.ColumnElement[bool]]] = {
    HEAD: _old_heads,
    VERDICT: _old_verdicts,
    REVIEW: _old_reviews,
    REPORT: _old_reports,
    POLICY_RULES: _old_rules,
    RUN: _old_runs,
    DELIVERY: _old_deliveries,
    AUDIT: lambda _tx, keep: AUDIT.c.at < now() - keep.audit,
    RATE_LIMIT: lambda _tx, _keep: RATE_LIMIT.c.blocked_until < now(),
    WRITE_BUDGET: _full_budgets,
    SESSION: lambda _tx, _keep: SESSION.c.expires_at < now(),
    EXECUTOR: lambda _tx, keep: EXECUTOR.c.heartbeat_at < now() - keep.others,
}
"""The condition of what is old by table, in the order in which they are emptied."""
