"""From a delivery to its runs: record the newest head and supersede older runs; recognise a repeated delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sqlalchemy as sa

from gracegate.store.tables import CANCELLED, DEAD, DELIVERY, HEAD, RUN, SUPERSEDED, VERDICT, WAITING, insert, now


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery; `id` is X-GitHub-Delivery. `repository_id` is 0 if it is about the whole installation."""

    id: str
    event: str
    action: str
    installation_id: int
    repository_id: int = 0
    repository: str = ""


@dataclass(frozen=True, slots=True)
class PullHead:
    """A pull request that a delivery is about, with the head that it names."""

    number: int
    head_sha: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """One entry of the queue: a run at one fence. `partition` is its pull request, which has one review at a time."""

    run_id: str
    fence: int
    partition: str


def accept(
    tx: sa.Connection, delivery: Delivery, pulls: Sequence[PullHead], enqueue: Callable[[Ticket], None]
) -> Literal["queued", "requeued", "duplicate"]:
    """Record a delivery that asks for reviews of `pulls`, create their runs and pass each to `enqueue`.

    A delivery that GitHub sends again restarts only the runs that ended without a concluded check.
    """
    is_new = record(tx, delivery, "queued")
    create = _create_run if is_new else _restart_run
    tickets = [create(tx, delivery, pull) for pull in sorted(pulls, key=lambda pull: pull.number)]
    for ticket in filter(None, tickets):
        enqueue(ticket)
    return "queued" if is_new else "requeued" if any(tickets) else "duplicate"


def record(tx: sa.Connection, delivery: Delivery, outcome: str) -> bool:
    """Record a delivery; False if it was recorded before."""
    row = {**asdict(delivery), "outcome": outcome, "received_at": now()}
    # psycopg does not count the rows of this statement.
    statement = insert(tx, DELIVERY).values(row).on_conflict_do_nothing().returning(DELIVERY.c.id)
    return tx.scalar(statement) is not None


def pull_requests_with_head(tx: sa.Connection, repository_id: int, sha: str) -> tuple[int, ...]:
    """The numbers of the open pull requests whose newest known head is `sha`. Check events of forks name none."""
    query = (
        sa.select(HEAD.c.number)
        .where(HEAD.c.repository_id == repository_id, HEAD.c.sha == sha, HEAD.c.closed.is_(False))
        .order_by(HEAD.c.number)
    )
    return tuple(tx.scalars(query))


def partition(repository_id: int, number: int) -> str:
    return f"{repository_id}/{number}"


def _create_run(tx: sa.Connection, delivery: Delivery, pull: PullHead) -> Ticket:
    run_id = f"{delivery.id}/{pull.number}"
    _record_head(tx, delivery, pull, run_id)
    _supersede_waiting_runs(tx, delivery.repository_id, pull.number)
    row = {
        **asdict(delivery),
        "id": run_id,
        "delivery_id": delivery.id,
        "number": pull.number,
        "head_sha": pull.head_sha,
        "state": WAITING,
        **dict.fromkeys(("starts", "failures", "crashes"), 0),
        "fence": 1,
        "created_at": now(),
        "updated_at": now(),
    }
    tx.execute(sa.insert(RUN).values(row))
    return Ticket(run_id, 1, partition(delivery.repository_id, pull.number))


def _restart_run(tx: sa.Connection, delivery: Delivery, pull: PullHead) -> Ticket | None:
    """Queue a run again that ended without a concluded check, unless a newer one took its place."""
    run_id = f"{delivery.id}/{pull.number}"
    concluded = sa.exists().where(
        VERDICT.c.repository_id == RUN.c.repository_id,
        VERDICT.c.head_sha == RUN.c.head_sha,
        VERDICT.c.number == RUN.c.number,
    )
    newest = sa.exists().where(HEAD.c.run_id == RUN.c.id)
    fence = tx.scalar(
        sa.update(RUN)
        .where(RUN.c.id == run_id, RUN.c.state.in_((DEAD, CANCELLED)), newest, ~concluded)
        .values(state=WAITING, fence=RUN.c.fence + 1, failures=0, crashes=0, updated_at=now(), finished_at=None)
        .returning(RUN.c.fence)
    )
    return None if fence is None else Ticket(run_id, fence, partition(delivery.repository_id, pull.number))


def _record_head(tx: sa.Connection, delivery: Delivery, pull: PullHead, run_id: str) -> None:
    """Record the newest run. Whatever the delivery says, the pull request is open until that run has asked GitHub."""
    key = {"repository_id": delivery.repository_id, "number": pull.number}
    changes: dict[str, Any] = {"sha": pull.head_sha, "run_id": run_id, "closed": False, "updated_at": now()}
    statement = insert(tx, HEAD).values({**key, **changes})
    tx.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changes))


def _supersede_waiting_runs(tx: sa.Connection, repository_id: int, number: int) -> None:
    # A run that has started before may have a check in progress on GitHub: the worker that claims it cancels the check.
    tx.execute(
        sa.update(RUN)
        .where(RUN.c.repository_id == repository_id, RUN.c.number == number)
        .where(RUN.c.state == WAITING, RUN.c.starts == 0)
        .values(state=SUPERSEDED, updated_at=now(), finished_at=now())
    )
