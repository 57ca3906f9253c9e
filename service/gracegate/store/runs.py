"""The life of a run: claimed, asked whether it still counts, requeued or finished. Each step needs its fence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from gracegate.model import Verdict
from gracegate.store.deliveries import RUNNING, WAITING, Ticket, partition
from gracegate.store.tables import DELIVERY, GATE, HEAD, RUN, VERDICT, insert, now

Cost = Literal["failures", "crashes"] | None
"""Which counter a requeue raises: none for a rate limit or a worker that stops."""
RunStatus = Literal["current", "superseded", "closed", "lost"]
"""`lost`: somebody else holds the run, or it is over. The other two: the pull request moved on or was closed."""


@dataclass(frozen=True, slots=True)
class Run:
    """One review to do. `starts`, `failures` and `crashes` count what happened before."""

    id: str
    delivery_id: str
    event: str
    action: str
    installation_id: int
    repository_id: int
    repository: str
    number: int
    head_sha: str
    fence: int
    starts: int
    failures: int
    crashes: int
    error: str | None

    @property
    def attempt(self) -> int:
        """The number of this try, from 1; waits for a rate limit do not count."""
        return self.failures + self.crashes + 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. Without `verdict` where nothing was evaluated: superseded, or closed meanwhile (cancelled)."""

    state: Literal["done", "superseded", "cancelled", "dead"]
    head_sha: str
    verdict: Verdict | None = None
    conclusion: str = ""


_COLUMNS = tuple(RUN.c[name] for name in Run.__slots__)


@dataclass(frozen=True, slots=True)
class Claim:
    """`run` is None where `status` is `lost`. `retry_after` is the rest of a rate limit, in seconds."""

    run: Run | None
    status: RunStatus
    retry_after: float = 0.0


def claim(tx: sa.Connection, run_id: str, fence: int, executor: str) -> Claim:
    """Take a waiting run. Nothing is changed where its installation has to wait or another one holds it."""
    held = sa.select(*_COLUMNS).where(RUN.c.id == run_id, *_at(fence, WAITING)).with_for_update()
    row = tx.execute(held).mappings().one_or_none()
    if row is None:
        return Claim(None, "lost")
    run = Run(**row)
    wait = tx.scalar(sa.select(GATE.c.closed_until - now()).where(GATE.c.installation_id == run.installation_id))
    if wait is not None and wait > 0:
        return Claim(run, "current", wait)
    current = _place(tx, run_id)
    tx.execute(
        sa.update(RUN)
        .where(RUN.c.id == run_id)
        .values(state=RUNNING, executor=executor, starts=RUN.c.starts + 1, updated_at=now())
    )
    return Claim(run, current)


def status(tx: sa.Connection, run_id: str, fence: int) -> RunStatus:
    """Whether a running review may still write."""
    held = tx.scalar(sa.select(RUN.c.id).where(RUN.c.id == run_id, *_at(fence, RUNNING)))
    return "lost" if held is None else _place(tx, run_id)


def requeue(tx: sa.Connection, run_id: str, fence: int, *, cost: Cost = None, error: str = "") -> Ticket | None:
    """Raise the fence and let the run wait again; None where somebody else did so first."""
    changes: dict[str, Any] = {"state": WAITING, "fence": RUN.c.fence + 1, "executor": None, "updated_at": now()}
    if error:
        changes["error"] = error
    if cost:
        changes[cost] = RUN.c[cost] + 1
    row = tx.execute(
        sa.update(RUN)
        .where(RUN.c.id == run_id, *_at(fence, WAITING, RUNNING))
        .values(changes)
        .returning(RUN.c.fence, RUN.c.repository_id, RUN.c.number)
    ).one_or_none()
    return None if row is None else Ticket(run_id, row.fence, partition(row.repository_id, row.number))


def crashes(tx: sa.Connection, run_id: str) -> int:
    """How many workers died while they did this run."""
    return tx.scalar(sa.select(RUN.c.crashes).where(RUN.c.id == run_id)) or 0


def finish(tx: sa.Connection, run_id: str, fence: int, state: str, *, conclusion: str = "", error: str = "") -> bool:
    """End a run; False where somebody else holds it, so that nothing was written."""
    changes = {"state": state, "conclusion": conclusion or None, "updated_at": now(), "finished_at": now()}
    if error:
        changes["error"] = error
    statement = sa.update(RUN).where(RUN.c.id == run_id, *_at(fence, WAITING, RUNNING)).values(changes)
    return tx.execute(statement).rowcount == 1


def conclude(tx: sa.Connection, run: Run, head_sha: str, verdict: str, conclusion: str) -> None:
    """Remember which verdict a head got, for one pull request; those of its earlier heads are forgotten."""
    of_pull = (VERDICT.c.repository_id == run.repository_id) & (VERDICT.c.number == run.number)
    tx.execute(sa.delete(VERDICT).where(of_pull, VERDICT.c.head_sha != head_sha))
    key = {"repository_id": run.repository_id, "head_sha": head_sha, "number": run.number}
    said = {"verdict": verdict, "conclusion": conclusion, "concluded_at": now()}
    statement = insert(tx, VERDICT).values({**key, **said})
    tx.execute(statement.on_conflict_do_update(index_elements=list(key), set_=said))


def verdicts(tx: sa.Connection, repository_id: int, head_sha: str) -> dict[int, str]:
    """The verdicts of one head by open pull request: two with one head share a check, where the worse one stands."""
    of_head = (HEAD.c.repository_id == VERDICT.c.repository_id) & (HEAD.c.number == VERDICT.c.number)
    query = (
        sa.select(VERDICT.c.number, VERDICT.c.verdict)
        .join(HEAD, of_head)
        .where(VERDICT.c.repository_id == repository_id, VERDICT.c.head_sha == head_sha, HEAD.c.closed.is_(False))
    )
    return {row.number: row.verdict for row in tx.execute(query)}


def set_rate_limit(tx: sa.Connection, installation_id: int, seconds: float) -> None:
    """No run of this installation starts for so long; a longer rate limit that is known already stays."""
    until = now() + seconds
    statement = insert(tx, GATE).values(installation_id=installation_id, closed_until=until)
    later = sa.case((GATE.c.closed_until > until, GATE.c.closed_until), else_=until)
    tx.execute(statement.on_conflict_do_update(index_elements=["installation_id"], set_={"closed_until": later}))


def unfinished(tx: sa.Connection, idle: float = 0.0) -> dict[str, int]:
    """The fence of each run that waits or runs and was not touched for `idle` seconds."""
    query = sa.select(RUN.c.id, RUN.c.fence).where(
        RUN.c.state.in_((WAITING, RUNNING)), RUN.c.updated_at <= now() - idle
    )
    return {row.id: row.fence for row in tx.execute(query)}


def depth(tx: sa.Connection) -> tuple[dict[str, int], float]:
    """How many runs wait and run, and for how many seconds the oldest of them has."""
    live = RUN.c.state.in_((WAITING, RUNNING))
    counts = {row.state: row.n for row in tx.execute(_count().where(live))}
    oldest = tx.scalar(sa.select(now() - sa.func.min(RUN.c.created_at)).where(live))
    return {WAITING: 0, RUNNING: 0, **counts}, max(0.0, oldest or 0.0)


def forget(tx: sa.Connection, age: float) -> None:
    """Drop finished runs and deliveries older than `age` seconds; verdicts and heads stay."""
    tx.execute(sa.delete(RUN).where(RUN.c.finished_at < now() - age))
    orphan = ~sa.exists().where(RUN.c.delivery_id == DELIVERY.c.id)
    tx.execute(sa.delete(DELIVERY).where(DELIVERY.c.received_at < now() - age, orphan))


def _at(fence: int, *states: str) -> tuple[sa.ColumnElement[bool], ...]:
    return RUN.c.fence == fence, RUN.c.state.in_(states)


def _place(tx: sa.Connection, run_id: str) -> RunStatus:
    at = (HEAD.c.repository_id == RUN.c.repository_id) & (HEAD.c.number == RUN.c.number)
    head = tx.execute(sa.select(HEAD.c.run_id, HEAD.c.closed).join(RUN, at).where(RUN.c.id == run_id)).one()
    if head.closed:
        return "closed"
    return "current" if head.run_id == run_id else "superseded"


def _count() -> sa.Select[tuple[str, int]]:
    return sa.select(RUN.c.state, sa.func.count().label("n")).group_by(RUN.c.state)
