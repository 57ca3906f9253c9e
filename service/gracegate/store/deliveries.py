"""From a delivery to runs: the newest head is noted, older runs give way, and a delivery that comes again is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gracegate.store.tables import DELIVERY, HEAD, RUN, VERDICT, insert, now

WAITING, RUNNING, DONE, SUPERSEDED, CANCELLED, DEAD = (
    "waiting", "running", "done", "superseded", "cancelled", "dead",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery; `id` is X-GitHub-Delivery. No repository (0 and "") where it is about the installation."""

    id: str
    event: str
    action: str
    installation_id: int
    repository_id: int = 0
    repository: str = ""


@dataclass(frozen=True, slots=True)
class PullHead:
    """A pull request that a delivery speaks of, with the head that it names."""

    number: int
    head_sha: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """One place in the queue: a run at one fence. `partition` is its pull request: one review of it at a time."""

    run_id: str
    fence: int
    partition: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a delivery; the tickets are to be queued in the same transaction."""

    tickets: tuple[Ticket, ...]
    outcome: str


def accept(tx: sa.Connection, delivery: Delivery, pulls: Sequence[PullHead]) -> Accepted:
    """Note a delivery that asks for reviews of `pulls`, and make their runs."""
    fresh = record(tx, delivery, "queued")
    act = _start if fresh else _restart
    tickets = tuple(
        ticket
        for pull in sorted(pulls, key=lambda pull: pull.number)
        if (ticket := act(tx, delivery, pull)) is not None
    )
    if fresh:
        return Accepted(tickets, "queued")
    return Accepted(tickets, "requeued" if tickets else "duplicate")


def record(tx: sa.Connection, delivery: Delivery, outcome: str) -> bool:
    """Note a delivery; False where it was noted before."""
    row = {
        "id": delivery.id,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation_id,
        "repository_id": delivery.repository_id,
        "repository": delivery.repository,
        "outcome": outcome,
        "received_at": now(),
    }
    return tx.execute(insert(tx, DELIVERY).values(row).on_conflict_do_nothing()).rowcount == 1


def close(tx: sa.Connection, delivery: Delivery, pull: PullHead) -> Accepted:
    """Note that a pull request was closed: what waits is cancelled, what runs finds out before it writes."""
    if not record(tx, delivery, "closed"):
        return Accepted((), "duplicate")
    _note_head(tx, delivery, pull, {"closed": True})
    _give_way(tx, delivery.repository_id, pull.number, CANCELLED)
    return Accepted((), "closed")


def numbers_with_head(tx: sa.Connection, repository_id: int, sha: str) -> tuple[int, ...]:
    """The open pull requests that were last seen with this head. Events of forks name none."""
    query = (
        sa.select(HEAD.c.number)
        .where(HEAD.c.repository_id == repository_id, HEAD.c.sha == sha, HEAD.c.closed.is_(False))
        .order_by(HEAD.c.number)
    )
    return tuple(tx.scalars(query))


def partition(repository_id: int, number: int) -> str:
    return f"{repository_id}/{number}"


def _start(tx: sa.Connection, delivery: Delivery, pull: PullHead) -> Ticket:
    run_id = f"{delivery.id}/{pull.number}"
    _note_head(tx, delivery, pull, {"closed": False, "run_id": run_id})
    _give_way(tx, delivery.repository_id, pull.number, SUPERSEDED)
    row = {
        "id": run_id,
        "delivery_id": delivery.id,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation_id,
        "repository_id": delivery.repository_id,
        "repository": delivery.repository,
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


def _restart(tx: sa.Connection, delivery: Delivery, pull: PullHead) -> Ticket | None:
    """Again from the start, if the run ended without a concluded check and nothing newer took its place."""
    run_id = f"{delivery.id}/{pull.number}"
    concluded = sa.exists().where(
        VERDICT.c.repository_id == RUN.c.repository_id,
        VERDICT.c.head_sha == RUN.c.head_sha,
        VERDICT.c.number == RUN.c.number,
    )
    newest = sa.exists().where(HEAD.c.run_id == RUN.c.id, HEAD.c.closed.is_(False))
    fence = tx.scalar(
        sa.update(RUN)
        .where(RUN.c.id == run_id, RUN.c.state.in_((DEAD, CANCELLED)), newest, ~concluded)
        .values(state=WAITING, fence=RUN.c.fence + 1, failures=0, crashes=0, updated_at=now(), finished_at=None)
        .returning(RUN.c.fence)
    )
    return None if fence is None else Ticket(run_id, fence, partition(delivery.repository_id, pull.number))


def _note_head(tx: sa.Connection, delivery: Delivery, pull: PullHead, changes: dict[str, Any]) -> None:
    key = {"repository_id": delivery.repository_id, "number": pull.number}
    changes = {"sha": pull.head_sha, "updated_at": now(), **changes}
    statement = insert(tx, HEAD).values({**key, "run_id": "", **changes})
    tx.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changes))


def _give_way(tx: sa.Connection, repository_id: int, number: int, state: str) -> None:
    # A run that has started once may have a check on GitHub that must be concluded: it ends itself, see runs.claim.
    tx.execute(
        sa.update(RUN)
        .where(RUN.c.repository_id == repository_id, RUN.c.number == number)
        .where(RUN.c.state == WAITING, RUN.c.starts == 0)
        .values(state=state, updated_at=now(), finished_at=now())
    )
