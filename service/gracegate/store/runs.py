"""The life of a run: it is claimed, then requeued or finished. Each step needs the run's present fence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from gracegate.model import Verdict
from gracegate.store.deliveries import Delivery, PullHead, Ticket, partition
from gracegate.store.tables import CANCELLED, HEAD, RATE_LIMIT, RUN, RUNNING, WAITING, insert, now

Cost = Literal["failures", "crashes"] | None
"""Which counter a requeue raises; none for a rate limit or a worker that shuts down."""
RunStatus = Literal["current", "superseded", "lost"]
"""`superseded`: the pull request has a newer run. `lost`: the run has ended, or another worker holds it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One review to do. `starts`, `failures` and `crashes` count its earlier attempts.

    `head_sha` is the payload's until an attempt has started the check of a head; then it is that head. `conclusion` is
    that of this check if an earlier attempt has concluded it. `number` is 0 if the run is not about a pull request.
    """

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
    conclusion: str | None = None
    subject: Literal["pull_request", "merge_group", "base_branch"] = "pull_request"
    head_ref: str = ""
    base_sha: str = ""
    base_ref: str = ""

    @property
    def delivery(self) -> Delivery:
        ids = (self.installation_id, self.repository_id)
        return Delivery(self.delivery_id, self.event, self.action, *ids, self.repository)

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1; waits for a rate limit and deaths of the worker do not count."""
        return self.failures + 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; `head_sha` is the head that GitHub named.

    `verdict` is None if nothing was evaluated: GitHub says that the pull request is closed (`cancelled`), or it got a
    newer head or a newer run (`superseded`). `waiting`: other open pull requests with this head come first, see
    verdicts.py. `pulls` are to be reviewed because of this run.
    """

    state: Literal["done", "superseded", "cancelled", "dead", "waiting"]
    head_sha: str
    verdict: Verdict | None = None
    conclusion: str = ""
    pulls: tuple[PullHead, ...] = ()


_COLUMNS = tuple(RUN.c[name] for name in Run.__slots__)


def claim(tx: sa.Connection, run_id: str, fence: int, executor: str) -> tuple[Run, float] | None:
    """Start a waiting run, given as it was before; None if it does not wait at this fence.

    The number is how many seconds the run's installation is still rate-limited: above 0, the run was not started.
    """
    query = sa.select(*_COLUMNS).where(RUN.c.id == run_id, *held_by(fence, WAITING)).with_for_update()
    row = tx.execute(query).mappings().one_or_none()
    if row is None:
        return None
    run = Run(**row)
    seconds = sa.select(RATE_LIMIT.c.blocked_until - now()).where(RATE_LIMIT.c.installation_id == run.installation_id)
    retry_after = max(0.0, tx.scalar(seconds) or 0.0)
    if retry_after == 0.0:
        changes: dict[str, Any] = {"state": RUNNING, "executor": executor, "starts": RUN.c.starts + 1}
        changes |= {"waits_for_siblings": False, "updated_at": now()}
        tx.execute(sa.update(RUN).where(RUN.c.id == run_id).values(changes))
    return run, retry_after


def status(tx: sa.Connection, run_id: str, fence: int) -> RunStatus:
    """Whether a running review may still write."""
    head_of_run = (HEAD.c.repository_id == RUN.c.repository_id) & (HEAD.c.number == RUN.c.number)
    query = sa.select(RUN.c.number, HEAD.c.run_id).select_from(RUN).outerjoin(HEAD, head_of_run)
    row = tx.execute(query.where(RUN.c.id == run_id, *held_by(fence, RUNNING))).one_or_none()
    if row is None:
        return "lost"
    return "current" if row.number == 0 or row.run_id == run_id else "superseded"


def recorded_head(tx: sa.Connection, run: Run) -> str:
    """The head whose check the run has started last; the payload's if there is none."""
    return tx.scalar(sa.select(RUN.c.head_sha).where(RUN.c.id == run.id)) or run.head_sha


def record_pull_request(tx: sa.Connection, run: Run, head_sha: str, *, closed: bool) -> None:
    """Record what GitHub said of the run's pull request, unless that has a newer run."""
    own = sa.update(HEAD).where(HEAD.c.run_id == run.id)
    tx.execute(own.values(sha=head_sha, closed=closed, updated_at=now()))


def requeue(
    tx: sa.Connection,
    run_id: str,
    fence: int,
    *,
    cost: Cost = None,
    error: str = "",
    waits_for_siblings: bool = False,
) -> Ticket | None:
    """Raise the fence and let the run wait again; None if another worker holds it or it has ended."""
    changes: dict[str, Any] = {"state": WAITING, "fence": RUN.c.fence + 1, "executor": None, "updated_at": now()}
    changes["waits_for_siblings"] = waits_for_siblings
    if error:
        changes["error"] = error
    if cost:
        changes[cost] = RUN.c[cost] + 1
    row = tx.execute(
        sa.update(RUN)
        .where(RUN.c.id == run_id, *held_by(fence, WAITING, RUNNING))
        .values(changes)
        .returning(RUN.c.fence, RUN.c.repository_id, RUN.c.number, RUN.c.head_sha)
    ).one_or_none()
    return None if row is None else Ticket(run_id, row.fence, partition(row.repository_id, row.number, row.head_sha))


def requeue_merge_group(tx: sa.Connection, repository_id: int, head_sha: str) -> list[Ticket]:
    """Requeue the unfinished runs of a merge group: a worker that holds one stops, and GitHub is asked again."""
    query = sa.select(RUN.c.id, RUN.c.fence).where(
        RUN.c.repository_id == repository_id,
        RUN.c.number == 0,
        RUN.c.subject == "merge_group",
        RUN.c.head_sha == head_sha,
        RUN.c.state.in_((WAITING, RUNNING)),
    )
    found = tx.execute(query.order_by(RUN.c.id)).all()
    return [ticket for row in found if (ticket := requeue(tx, row.id, row.fence))]


def move_repository(tx: sa.Connection, repository_id: int, installation_id: int, full_name: str) -> None:
    """Give unfinished runs the name and installation that their repository has now: another may get its old name."""
    unfinished = sa.update(RUN).where(RUN.c.repository_id == repository_id, RUN.c.state.in_((WAITING, RUNNING)))
    tx.execute(unfinished.values(repository=full_name, installation_id=installation_id))


def cancel_waiting(tx: sa.Connection, installation_id: int, repository_ids: Collection[int] | None = None) -> None:
    """End the waiting runs of an installation, or of some of its repositories: GitHub refuses them from now on."""
    waiting = sa.update(RUN).where(RUN.c.installation_id == installation_id, RUN.c.state == WAITING)
    if repository_ids is not None:
        waiting = waiting.where(RUN.c.repository_id.in_(repository_ids))
    tx.execute(waiting.values(state=CANCELLED, updated_at=now(), finished_at=now()))


def crash_count(tx: sa.Connection, run_id: str) -> int:
    """How many workers died while they did this run."""
    return tx.scalar(sa.select(RUN.c.crashes).where(RUN.c.id == run_id)) or 0


def finish(tx: sa.Connection, run_id: str, fence: int, state: str, *, conclusion: str = "", error: str = "") -> bool:
    """End a run; False if another worker holds it or it has ended, and nothing was written."""
    changes = {"state": state, "conclusion": conclusion or None, "updated_at": now(), "finished_at": now()}
    if error:
        changes["error"] = error
    statement = sa.update(RUN).where(RUN.c.id == run_id, *held_by(fence, WAITING, RUNNING)).values(changes)
    return tx.execute(statement).rowcount == 1


def record_conclusion(tx: sa.Connection, run: Run, conclusion: str) -> None:
    """Record that a running review has concluded the check of the head that it has evaluated."""
    held = sa.update(RUN).where(RUN.c.id == run.id, *held_by(run.fence, RUNNING))
    tx.execute(held.values(conclusion=conclusion, updated_at=now()))


def set_rate_limit(tx: sa.Connection, installation_id: int, seconds: float) -> None:
    """Start no run of this installation for so many seconds; a rate limit that ends later stays."""
    until = now() + seconds
    statement = insert(tx.dialect.name, RATE_LIMIT).values(installation_id=installation_id, blocked_until=until)
    later = sa.case((RATE_LIMIT.c.blocked_until > until, RATE_LIMIT.c.blocked_until), else_=until)
    tx.execute(statement.on_conflict_do_update(index_elements=["installation_id"], set_={"blocked_until": later}))


def unfinished_runs(tx: sa.Connection, idle: float = 0.0) -> dict[str, int]:
    """The fence by id of each run that waits or runs and has not changed for `idle` seconds."""
    query = sa.select(RUN.c.id, RUN.c.fence).where(
        RUN.c.state.in_((WAITING, RUNNING)), RUN.c.updated_at <= now() - idle
    )
    return {row.id: row.fence for row in tx.execute(query)}


def queue_depth(tx: sa.Connection) -> tuple[dict[str, int], float]:
    """How many runs wait and how many run, and the age of the oldest of them in seconds."""
    live = RUN.c.state.in_((WAITING, RUNNING))
    query = sa.select(RUN.c.state, sa.func.count().label("runs")).where(live).group_by(RUN.c.state)
    counts = {row.state: row.runs for row in tx.execute(query)}
    oldest = tx.scalar(sa.select(now() - sa.func.min(RUN.c.created_at)).where(live))
    return {WAITING: 0, RUNNING: 0, **counts}, max(0.0, oldest or 0.0)


def held_by(fence: int, *states: str) -> tuple[sa.ColumnElement[bool], ...]:
    """The condition under which the holder of `fence` may change a run."""
    return RUN.c.fence == fence, RUN.c.state.in_(states)
