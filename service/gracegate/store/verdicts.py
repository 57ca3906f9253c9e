"""Verdicts by head. Open pull requests with one head are siblings: they share a check, and the worst verdict counts.

A check belongs to a commit, and GitHub counts the newest one of a name. So that it is never green too early:

- A review starts its check before it evaluates, and that is then the newest of the commit. From the moment a newer run
  of a pull request is queued, the verdict of an earlier run does not count.
- Each review records its verdict and reads those of its siblings under a lock of the head. A failure is concluded at
  once; another conclusion only if each sibling has a verdict. Whoever records last finds all of them, so some review
  always goes on. The others wait, and the end of a run wakes them.
- A sibling whose newest run ended without a verdict counts as incomplete.
- When a pull request leaves a head (it is closed or has another one), its check may be the newest of the commit. So the
  siblings that it leaves are reviewed again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from gracegate.store.runs import Run, held_by, requeue
from gracegate.store.tables import CANCELLED, DEAD, DONE, HEAD, RUN, RUNNING, SUPERSEDED, VERDICT, WAITING, insert, now

_FROM_BEST_TO_WORST = ("success", "neutral", "failure")


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another open pull request with the same head; both words are "" while its newest run has no verdict yet."""

    number: int
    verdict: str
    conclusion: str


def shared_conclusion(own: str, siblings: Iterable[Sibling]) -> str | None:
    """The worst conclusion of all; None if nothing fails and a sibling has none yet."""
    worst = max((own, *(one.conclusion for one in siblings if one.conclusion)), key=_FROM_BEST_TO_WORST.index)
    return worst if worst == "failure" or all(one.conclusion for one in siblings) else None


def begin(tx: sa.Connection, run: Run, head_sha: str) -> None:
    """Record that a running review is about to start the check of a head. Its own verdict of that head stays."""
    held = sa.update(RUN).where(RUN.c.id == run.id, *held_by(run.fence, RUNNING))
    if tx.execute(held.values(head_sha=head_sha, conclusion=None, updated_at=now())).rowcount == 0:
        return
    tx.execute(sa.update(HEAD).where(HEAD.c.run_id == run.id).values(sha=head_sha, updated_at=now()))
    key = {"repository_id": run.repository_id, "head_sha": head_sha, "number": run.number}
    values = {"run_id": run.id, "verdict": "", "conclusion": "", "concluded_at": now()}
    statement = insert(tx.dialect.name, VERDICT).values({**key, **values})
    other_run = VERDICT.c.run_id != run.id
    tx.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values, where=other_run))


def record(tx: sa.Connection, run: Run, head_sha: str, verdict: str, conclusion: str) -> tuple[Sibling, ...] | None:
    """Record the verdict of a head for which `begin` was called, and return the siblings; None if the run was lost.

    `conclusion` is what it would be without siblings. Others that record a verdict of this head wait for the end of
    the transaction.
    """
    _lock_head(tx, run.repository_id, head_sha)
    held = sa.select(RUN.c.id).where(RUN.c.id == run.id, *held_by(run.fence, RUNNING)).with_for_update()
    if tx.scalar(held) is None:
        return None
    own = sa.update(VERDICT).where(*_of_head(run.repository_id, head_sha), VERDICT.c.run_id == run.id)
    tx.execute(own.values(verdict=verdict, conclusion=conclusion, concluded_at=now()))
    return siblings(tx, run, head_sha)


def siblings(tx: sa.Connection, run: Run, head_sha: str) -> tuple[Sibling, ...]:
    """The other open pull requests with this head, as far as deliveries and reviews have told."""
    return _siblings(tx, run.repository_id, run.number, head_sha)


def must_wait(tx: sa.Connection, run: Run, head_sha: str) -> bool:
    """Whether a run that has recorded its verdict of a head still waits for a sibling's."""
    recorded = (VERDICT.c.run_id == run.id, VERDICT.c.conclusion != "")
    own = sa.select(VERDICT.c.conclusion).where(*_of_head(run.repository_id, head_sha), *recorded)
    conclusion = tx.scalar(own)
    return conclusion is not None and shared_conclusion(conclusion, siblings(tx, run, head_sha)) is None


def wake(tx: sa.Connection, repository_id: int) -> None:
    """Requeue the runs of a repository that have waited for siblings and need not any more."""
    key = (VERDICT.c.repository_id == RUN.c.repository_id) & (VERDICT.c.head_sha == RUN.c.head_sha)
    query = (
        sa.select(RUN.c.id, RUN.c.fence, RUN.c.number, VERDICT.c.head_sha, VERDICT.c.conclusion)
        .join(VERDICT, key & (VERDICT.c.number == RUN.c.number) & (VERDICT.c.run_id == RUN.c.id))
        .where(RUN.c.repository_id == repository_id, RUN.c.state == WAITING, RUN.c.waits_for_siblings)
        .where(VERDICT.c.conclusion != "")
        .order_by(RUN.c.id)
    )
    ready = [
        row
        for row in tx.execute(query).all()
        if shared_conclusion(row.conclusion, _siblings(tx, repository_id, row.number, row.head_sha))
    ]
    for row in ready:
        requeue(tx, row.id, row.fence)


def leave_heads(tx: sa.Connection, run: Run, head_sha: str, *, closed: bool) -> None:
    """Forget the verdicts of a pull request whose head is now `head_sha`, or which is closed, and restart the newest
    runs of the siblings that it leaves."""
    of_pull = (VERDICT.c.repository_id == run.repository_id) & (VERDICT.c.number == run.number)
    gone = of_pull if closed else of_pull & (VERDICT.c.head_sha != head_sha)
    left = tx.scalars(sa.delete(VERDICT).where(gone).returning(VERDICT.c.head_sha)).all()
    for sha in sorted(left):
        for one in _siblings(tx, run.repository_id, run.number, sha):
            _restart_newest_run(tx, run.repository_id, one.number)


def record_departure(tx: sa.Connection, run: Run, number: int, left: str, head_sha: str, *, closed: bool) -> None:
    """Record what GitHub says of a sibling that has left the head `left`, unless a delivery has told meanwhile."""
    key = (HEAD.c.repository_id == run.repository_id, HEAD.c.number == number, HEAD.c.sha == left)
    tx.execute(sa.update(HEAD).where(*key).values(sha=head_sha, closed=closed, updated_at=now()))


def _lock_head(tx: sa.Connection, repository_id: int, head_sha: str) -> None:
    # On SQLite each transaction excludes the others.
    if tx.dialect.name == "postgresql":
        key = sa.func.hashtextextended(f"{repository_id}/{head_sha}", 0)
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def _of_head(repository_id: int, head_sha: str) -> tuple[sa.ColumnElement[bool], ...]:
    return VERDICT.c.repository_id == repository_id, VERDICT.c.head_sha == head_sha


def _siblings(tx: sa.Connection, repository_id: int, number: int, head_sha: str) -> tuple[Sibling, ...]:
    counts = (
        (VERDICT.c.repository_id == HEAD.c.repository_id)
        & (VERDICT.c.number == HEAD.c.number)
        & (VERDICT.c.head_sha == HEAD.c.sha)
        & (VERDICT.c.run_id == HEAD.c.run_id)
    )
    query = (
        sa.select(HEAD.c.number, VERDICT.c.verdict, VERDICT.c.conclusion, RUN.c.state)
        .select_from(HEAD)
        .outerjoin(VERDICT, counts)
        .outerjoin(RUN, RUN.c.id == HEAD.c.run_id)
        .where(HEAD.c.repository_id == repository_id, HEAD.c.sha == head_sha, HEAD.c.closed.is_(False))
        .where(HEAD.c.number != number)
        .order_by(HEAD.c.number)
    )
    return tuple(_sibling(*row) for row in tx.execute(query))


def _sibling(number: int, verdict: str | None, conclusion: str | None, state: str | None) -> Sibling:
    if not verdict and state not in {WAITING, RUNNING}:
        return Sibling(number, "incomplete", "failure")
    return Sibling(number, verdict or "", conclusion or "")


def _restart_newest_run(tx: sa.Connection, repository_id: int, number: int) -> None:
    """Let the newest run of a pull request wait again, at the next fence and without its verdict, if it has ended."""
    newest = sa.select(HEAD.c.run_id).where(HEAD.c.repository_id == repository_id, HEAD.c.number == number)
    anew = {"state": WAITING, "due_at": now(), "failures": 0, "crashes": 0, "conclusion": None, "finished_at": None}
    head_sha = tx.scalar(
        sa.update(RUN)
        .where(RUN.c.id == newest.scalar_subquery(), RUN.c.state.in_((DONE, SUPERSEDED, CANCELLED, DEAD)))
        .values(**anew, fence=RUN.c.fence + 1, updated_at=now())
        .returning(RUN.c.head_sha)
    )
    if head_sha is not None:
        own = (*_of_head(repository_id, head_sha), VERDICT.c.number == number)
        tx.execute(sa.update(VERDICT).where(*own).values(verdict="", conclusion=""))
