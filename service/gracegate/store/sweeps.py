"""What is remembered from one sweep over open pull requests and failed deliveries to the next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from gracegate.store.deliveries import MergeGroup, PullHead
from gracegate.store.tables import DEAD, DELIVERY, HEAD, REDELIVERY, RUN, RUNNING, SWEEP, VERDICT, WAITING, insert, now

SETTLED = 600.0
"""Seconds after which the list of GitHub counts, where it says another thing than a run has found out."""
RECONCILE = "reconcile"
"""The event of the runs that a sweep has queued."""
RECONCILE_AGAIN_AFTER = 3600.0
"""Seconds before a pull request is queued again whose last such run did not conclude its check."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far the sweep of an installation has come: `position` is the id of the last repository, 0 at the start.

    `is_thorough`: GitHub is asked for the checks that the tables know, too.
    """

    position: int
    is_thorough: bool


class Candidate(NamedTuple):
    """A pull request that may need a review, and its newest run, "" if it has none.

    `is_certain`: it does, whatever checks GitHub has.
    """

    pull: PullHead
    newest_run: str
    is_certain: bool


class GroupCandidate(NamedTuple):
    """A merge group that may need a review, and its newest run, "" if it has none."""

    group: MergeGroup
    newest_run: str


class FailedDelivery(NamedTuple):
    """An event that has not reached us; `id` is GitHub's number of one attempt, `failed_at` the second by its clock."""

    guid: str
    id: int
    failed_at: float


def begin(tx: sa.Connection, installation_id: int, thorough_after: float) -> Sweep:
    """Where the sweep of an installation goes on; a new one is thorough if the last such began long ago."""
    unused = {"installation_id": installation_id, "position": 0, "is_thorough": False, "thorough_at": 0.0}
    tx.execute(insert(tx.dialect.name, SWEEP).values(unused).on_conflict_do_nothing())
    own = SWEEP.c.installation_id == installation_id
    row = tx.execute(sa.select(SWEEP, now().label("now")).where(own).with_for_update()).one()
    if row.position:
        return Sweep(row.position, row.is_thorough)
    is_thorough = row.now - row.thorough_at > thorough_after
    thorough_at = row.now if is_thorough else row.thorough_at
    tx.execute(sa.update(SWEEP).where(own).values(is_thorough=is_thorough, thorough_at=thorough_at))
    return Sweep(0, is_thorough)


def set_position(tx: sa.Connection, installation_id: int, position: int) -> None:
    """Record the last repository that was looked at; 0 where all were."""
    completed = {} if position else {"completed_at": now()}
    own = SWEEP.c.installation_id == installation_id
    tx.execute(sa.update(SWEEP).where(own).values(position=position, **completed))


def oldest_completion(tx: sa.Connection) -> float | None:
    """Seconds since the last complete sweep of the installation whose last one is the oldest; None if there is none."""
    oldest = tx.scalar(sa.select(now() - sa.func.min(SWEEP.c.completed_at)))
    return None if oldest is None else max(0.0, oldest)


def candidates(
    tx: sa.Connection, repository_id: int, open_pulls: Collection[PullHead], *, is_complete: bool, is_thorough: bool
) -> list[Candidate]:
    """What may need a review of the pull requests that GitHub lists as open, by our tables.

    Not those that have an unfinished run, which asks GitHub by itself; not those whose head a sweep has queued not long
    ago; and not those whose head has a verdict, unless the sweep is thorough. Also those that our tables have as open
    and GitHub, in a complete list, has not: a run finds out that they are closed.
    """
    of_pull = (VERDICT.c.repository_id == HEAD.c.repository_id) & (VERDICT.c.number == HEAD.c.number)
    # One that died after it had recorded its verdict may not have concluded the check.
    is_dead = sa.func.coalesce(RUN.c.state == DEAD, sa.false())
    query = (
        sa.select(
            HEAD.c.number,
            HEAD.c.sha,
            HEAD.c.run_id,
            HEAD.c.closed,
            (HEAD.c.updated_at < now() - SETTLED).label("is_settled"),
            sa.func.coalesce(RUN.c.state.in_((WAITING, RUNNING)), sa.false()).label("is_unfinished"),
            ((RUN.c.event == RECONCILE) & (RUN.c.finished_at > now() - RECONCILE_AGAIN_AFTER)).label("is_recent"),
            VERDICT.c.head_sha.label("concluded"),
        )
        .outerjoin(RUN, RUN.c.id == HEAD.c.run_id)
        .outerjoin(VERDICT, of_pull & (VERDICT.c.head_sha == HEAD.c.sha) & (VERDICT.c.verdict != "") & ~is_dead)
        .where(HEAD.c.repository_id == repository_id)
    )
    known = {row.number: row for row in tx.execute(query)}
    found = []
    for pull in open_pulls:
        row = known.pop(pull.number, None)
        if row is None:
            found.append(Candidate(pull, "", is_certain=False))
        elif row.is_unfinished or (row.is_recent and row.sha == pull.head_sha) or (row.closed and not row.is_settled):
            continue
        elif row.closed or is_thorough or row.concluded != pull.head_sha:
            found.append(Candidate(pull, row.run_id, is_certain=row.closed))
    if is_complete:
        found += [
            Candidate(PullHead(row.number, row.sha), row.run_id, is_certain=True)
            for row in known.values()
            if not row.closed and row.is_settled and not row.is_unfinished and not row.is_recent
        ]
    return sorted(found, key=lambda one: one.pull.number)


def knows_merge_groups(tx: sa.Connection, repository_id: int) -> bool:
    """Whether there were merge groups in this repository, as far as runs are kept."""
    return tx.scalar(_runs_of_groups(repository_id, RUN.c.id).limit(1)) is not None


def group_candidates(
    tx: sa.Connection, repository_id: int, groups: Collection[MergeGroup], *, is_thorough: bool
) -> list[GroupCandidate]:
    """What may need a review of the merge groups that GitHub has in a queue, by the same conditions as above."""
    columns = (
        RUN.c.id,
        RUN.c.head_sha,
        RUN.c.conclusion,
        RUN.c.state.in_((WAITING, RUNNING)).label("is_unfinished"),
        ((RUN.c.event == RECONCILE) & (RUN.c.finished_at > now() - RECONCILE_AGAIN_AFTER)).label("is_recent"),
    )
    heads = [group.head_sha for group in groups]
    query = _runs_of_groups(repository_id, *columns).where(RUN.c.head_sha.in_(heads))
    newest = {row.head_sha: row for row in tx.execute(query.order_by(RUN.c.created_at, RUN.c.id))}
    found = []
    for group in groups:
        row = newest.get(group.head_sha)
        if row is None:
            found.append(GroupCandidate(group, ""))
        elif not row.is_unfinished and not row.is_recent and (is_thorough or row.conclusion is None):
            found.append(GroupCandidate(group, row.id))
    return found


def _runs_of_groups(repository_id: int, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    of_groups = (RUN.c.repository_id == repository_id, RUN.c.number == 0, RUN.c.subject == "merge_group")
    return sa.select(*columns).where(*of_groups)


def record_failures(tx: sa.Connection, failed: Sequence[FailedDelivery], delivered: Collection[str]) -> None:
    """Remember the events that failed, and forget those that were delivered since or had been recorded by us."""
    for one in sorted(failed):
        row = {"guid": one.guid, "delivery_id": one.id, "failed_at": one.failed_at, "attempts": 0, "attempted_at": 0.0}
        tx.execute(insert(tx.dialect.name, REDELIVERY).values(row).on_conflict_do_nothing())
    recorded = sa.exists().where(DELIVERY.c.id == REDELIVERY.c.guid)
    tx.execute(sa.delete(REDELIVERY).where(recorded))
    for guid in sorted(delivered):
        tx.execute(sa.delete(REDELIVERY).where(REDELIVERY.c.guid == guid))


def take_failures(tx: sa.Connection, pause: float, oldest: float, limit: int) -> list[int]:
    """GitHub's ids of the deliveries to ask for again now, the oldest first; each is counted as one more attempt.

    The time between two attempts is `pause`, doubled after each. Those that failed before `oldest` are forgotten.
    """
    tx.execute(sa.delete(REDELIVERY).where(REDELIVERY.c.failed_at < oldest))
    rows = tx.execute(sa.select(REDELIVERY, now().label("now")).order_by(REDELIVERY.c.failed_at)).all()
    due = [row for row in rows if row.now - row.attempted_at >= pause * 2.0 ** min(row.attempts, 20)][:limit]
    for row in due:
        own = REDELIVERY.c.guid == row.guid
        tx.execute(sa.update(REDELIVERY).where(own).values(attempts=row.attempts + 1, attempted_at=row.now))
    return [row.delivery_id for row in due]
