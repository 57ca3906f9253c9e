"""The life of a run: it waits, is claimed, then requeued or finished. Each step needs the run's present fence.

The runs that wait are the queue: workers claim those that are due, the oldest first, and one of a partition at a time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from gracegate.model import Verdict
from gracegate.store.deliveries import ChangedPolicies, Delivery, PolicyImpactRun, PullHead
from gracegate.store.tables import CANCELLED, DEAD, EXECUTOR, HEAD, RATE_LIMIT, RUN, RUNNING, WAITING, insert, now

AFTER_REVIEW = frozenset({"policies", "impact"})
"""The subjects of runs that a review or another such run has found to be done, for the head that it was at."""
REQUESTS = frozenset({"command", "fixes"})
"""The subjects of runs that do what a person has asked for. No other run takes their place."""
BESIDE_REVIEW = AFTER_REVIEW | REQUESTS
"""The subjects of runs about a pull request that are no review of it."""
Cost = Literal["failures", "crashes"] | None
"""Which counter a requeue raises; none for a rate limit or a worker that shuts down."""
RunStatus = Literal["current", "superseded", "lost"]
"""`superseded`: the pull request has a newer run. `lost`: the run has ended, or another worker holds it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One review to do. `starts`, `failures` and `crashes` count its earlier attempts.

    `head_sha` is the payload's until an attempt has started the check of a head; then it is that head. `conclusion` is
    that of this check if an earlier attempt has concluded it. `number` is 0 if the run is not about a pull request.
    `comment_id` is the comment that asks for a run of REQUESTS, `sender` who asks by a button.
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
    subject: Literal["pull_request", "merge_group", "base_branch", "policies", "impact", "command", "fixes"] = (
        "pull_request"
    )
    head_ref: str = ""
    base_sha: str = ""
    base_ref: str = ""
    comment_id: int = 0
    sender: str = ""

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
    verdicts.py. `pulls` are to be reviewed because of this run, and `next` is what is to be done after it.
    """

    state: Literal["done", "superseded", "cancelled", "dead", "waiting"]
    head_sha: str
    verdict: Verdict | None = None
    conclusion: str = ""
    pulls: tuple[PullHead, ...] = ()
    next: ChangedPolicies | PolicyImpactRun | None = None


class HeldRun(NamedTuple):
    """A run that an executor has claimed and that has not ended."""

    id: str
    fence: int
    executor: str
    crashes: int


def due_runs(tx: sa.Connection, limit: int) -> list[tuple[str, int]]:
    """The runs that may be claimed now, with their fences: those that have been due for longest, at most `limit`."""
    return [(row.id, row.fence) for row in tx.execute(_DUE_RUNS, {"limit": limit})]


def claim(tx: sa.Connection, run_id: str, fence: int, executor: str) -> Run | None:
    """Start a run, which is returned as it was before; None if it does not wait at this fence, or if another run of its
    partition has been started."""
    if tx.dialect.name == "postgresql":
        # Two workers that claim two runs of a partition do so in turn, so that the second one sees the first one's run.
        tx.execute(_LOCK_PARTITION, {"run_id": run_id})
    row = tx.execute(_CLAIM, {"run_id": run_id, "at_fence": fence, "by": executor}).mappings().one_or_none()
    return None if row is None else Run(**row)


def status(tx: sa.Connection, run_id: str, fence: int) -> RunStatus:
    """Whether a running review may still write."""
    head_of_run = (HEAD.c.repository_id == RUN.c.repository_id) & (HEAD.c.number == RUN.c.number)
    head = (HEAD.c.run_id, HEAD.c.sha, HEAD.c.closed)
    query = sa.select(RUN.c.number, RUN.c.subject, RUN.c.head_sha, *head).select_from(RUN).outerjoin(HEAD, head_of_run)
    row = tx.execute(query.where(RUN.c.id == run_id, *held_by(fence, RUNNING))).one_or_none()
    if row is None:
        return "lost"
    if row.subject in AFTER_REVIEW:
        return "current" if row.sha == row.head_sha and not row.closed else "superseded"
    is_alone = row.number == 0 or row.subject in REQUESTS
    return "current" if is_alone or row.run_id == run_id else "superseded"


def policies_were_reviewed(tx: sa.Connection, run: Run) -> bool:
    """Whether an earlier head of the run's pull request changed policy sets."""
    of_pull = (RUN.c.repository_id == run.repository_id, RUN.c.number == run.number)
    return tx.scalar(sa.select(RUN.c.id).where(*of_pull, RUN.c.subject == "policies").limit(1)) is not None


def recorded_head(tx: sa.Connection, run: Run) -> str:
    """The head whose check the run has started last; the payload's if there is none."""
    return tx.scalar(sa.select(RUN.c.head_sha).where(RUN.c.id == run.id)) or run.head_sha


def record_pull_request(tx: sa.Connection, run: Run, head_sha: str, *, closed: bool) -> None:
    """Record what GitHub said of the run's pull request, unless that has a newer run."""
    own = sa.update(HEAD).where(HEAD.c.run_id == run.id)
    tx.execute(own.values(sha=head_sha, closed=closed, updated_at=now()))


def requeue(
    tx: sa.Connection, run_id: str, fence: int, *, delay: float = 0.0, cost: Cost = None, error: str = ""
) -> bool:
    """Raise the fence and let the run wait again, for `delay` seconds at least; False if another worker holds it or it
    has ended."""
    changes: dict[str, Any] = {}
    if error:
        changes["error"] = error
    if cost:
        changes[cost] = RUN.c[cost] + 1
    return _wait_again(tx, run_id, fence, delay, {"waits_for_siblings": False, **changes})


def wait_for_siblings(tx: sa.Connection, run_id: str, fence: int, delay: float) -> bool:
    """As requeue; verdicts.wake requeues the run before `delay` seconds are over."""
    return _wait_again(tx, run_id, fence, delay, {"waits_for_siblings": True})


def _wait_again(tx: sa.Connection, run_id: str, fence: int, delay: float, changes: dict[str, Any]) -> bool:
    changes |= {"state": WAITING, "due_at": now() + delay, "executor": None, "updated_at": now()}
    statement = sa.update(RUN).where(RUN.c.id == run_id, *held_by(fence, WAITING, RUNNING))
    return tx.execute(statement.values({**changes, "fence": RUN.c.fence + 1})).rowcount == 1


def held_runs(tx: sa.Connection, executor: str) -> list[HeldRun]:
    """The runs that this executor has claimed and not ended."""
    return [HeldRun(*row) for row in tx.execute(_HELD_RUNS.where(RUN.c.executor == executor))]


def runs_of_dead_executors(tx: sa.Connection, dead_after: float) -> list[HeldRun]:
    """The runs whose executors have sent no heartbeat for `dead_after` seconds."""
    return [HeldRun(*row) for row in tx.execute(_RUNS_OF_DEAD_EXECUTORS, {"dead_after": dead_after})]


def requeue_merge_group(tx: sa.Connection, repository_id: int, head_sha: str) -> None:
    """Requeue the unfinished runs of a merge group: a worker that holds one stops, and GitHub is asked again."""
    query = sa.select(RUN.c.id, RUN.c.fence).where(
        RUN.c.repository_id == repository_id,
        RUN.c.number == 0,
        RUN.c.subject == "merge_group",
        RUN.c.head_sha == head_sha,
        RUN.c.state.in_((WAITING, RUNNING)),
    )
    for row in tx.execute(query.order_by(RUN.c.id)).all():
        requeue(tx, row.id, row.fence)


def move_repository(tx: sa.Connection, repository_id: int, installation_id: int, full_name: str) -> None:
    """Give unfinished runs the name and installation that their repository has now: another may get its old name."""
    unfinished = sa.update(RUN).where(RUN.c.repository_id == repository_id, RUN.c.state.in_((WAITING, RUNNING)))
    tx.execute(unfinished.values(repository=full_name, installation_id=installation_id))


def cancel_waiting(tx: sa.Connection, installation_id: int, repository_ids: Collection[int] | None = None) -> None:
    """End the waiting runs of an installation, or of some of its repositories: GitHub refuses them from now on."""
    waiting = sa.update(RUN).where(RUN.c.installation_id == installation_id, has_state(RUN, WAITING))
    if repository_ids is not None:
        waiting = waiting.where(RUN.c.repository_id.in_(repository_ids))
    tx.execute(waiting.values(state=CANCELLED, updated_at=now(), finished_at=now()))


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


def queue_depth(tx: sa.Connection) -> tuple[dict[str, int], float]:
    """How many runs wait and how many run, and the age of the oldest of them in seconds."""
    rows = tx.execute(_QUEUE_DEPTH).all()
    return {row.state: row.runs for row in rows}, max(0.0, *(row.age or 0.0 for row in rows))


class ListedRun(NamedTuple):
    """A run as people see it; times are in seconds since the epoch. `state` is its state in words of tables.py."""

    id: str
    delivery_id: str
    repository_id: int
    repository: str
    subject: str
    number: int
    head_sha: str
    state: str
    failures: int
    crashes: int
    error: str | None
    due_at: float
    created_at: float
    updated_at: float


def unfinished(tx: sa.Connection, limit: int, repository_ids: Collection[int] | None = None) -> list[ListedRun]:
    """The runs that run and those that wait, each from the oldest; of some repositories, where these are given."""
    found: list[ListedRun] = []
    for state in (RUNNING, WAITING):
        query = _LISTED_RUNS.where(has_state(RUN, state))
        if repository_ids is not None:
            query = query.where(RUN.c.repository_id.in_(repository_ids))
        found += [ListedRun(*row) for row in tx.execute(query.order_by(RUN.c.due_at, RUN.c.id).limit(limit))]
    return found


def dead(tx: sa.Connection, limit: int) -> list[ListedRun]:
    """The runs that were given up, the newest first."""
    query = _LISTED_RUNS.where(has_state(RUN, DEAD)).order_by(RUN.c.updated_at.desc()).limit(limit)
    return [ListedRun(*row) for row in tx.execute(query)]


def rate_limits(tx: sa.Connection) -> dict[int, float]:
    """Until when GitHub takes no requests, by installation."""
    blocked = sa.select(RATE_LIMIT.c.installation_id, RATE_LIMIT.c.blocked_until)
    return {
        row.installation_id: row.blocked_until for row in tx.execute(blocked.where(RATE_LIMIT.c.blocked_until > now()))
    }


def held_by(fence: int, *states: str) -> tuple[sa.ColumnElement[bool], ...]:
    """The condition under which the holder of `fence` may change a run."""
    return RUN.c.fence == fence, RUN.c.state.in_(states)


def has_state(runs: sa.FromClause, state: str) -> sa.ColumnElement[bool]:
    """The condition with a literal: the databases use an index of some rows only where the statement says which."""
    return runs.c.state == sa.literal_column(f"'{state}'")


_LISTED_RUNS = sa.select(*(RUN.c[name] for name in ListedRun._fields))

# What workers look for again and again is built once, as SQLAlchemy takes longer to build a statement than to run it.
_other = RUN.alias("other")
_PARTITION_IS_FREE = ~sa.exists().where(_other.c.partition == RUN.c.partition, has_state(_other, RUNNING))
# As a subquery the time is read once, and PostgreSQL looks it up in the index.
_NOW = sa.select(now()).scalar_subquery()
_RATE_LIMITED = sa.select(RATE_LIMIT.c.installation_id).where(RATE_LIMIT.c.blocked_until > _NOW)
_DUE_RUNS = (
    sa.select(RUN.c.id, RUN.c.fence)
    .where(has_state(RUN, WAITING), RUN.c.due_at <= _NOW, _PARTITION_IS_FREE)
    .where(RUN.c.installation_id.not_in(_RATE_LIMITED))
    .order_by(RUN.c.due_at, RUN.c.id)
    .limit(bindparam("limit"))
)
_LOCK_PARTITION = sa.select(
    sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.literal("partition ") + RUN.c.partition, 0))
).where(RUN.c.id == bindparam("run_id"))
_CLAIM = (
    sa.update(RUN)
    .where(
        RUN.c.id == bindparam("run_id"),
        RUN.c.fence == bindparam("at_fence"),
        has_state(RUN, WAITING),
        _PARTITION_IS_FREE,
    )
    .values(
        state=RUNNING, executor=bindparam("by"), starts=RUN.c.starts + 1, waits_for_siblings=False, updated_at=now()
    )
    .returning(*((RUN.c.starts - 1).label("starts") if name == "starts" else RUN.c[name] for name in Run.__slots__))
)
_HELD_RUNS = sa.select(*(RUN.c[name] for name in HeldRun._fields)).where(has_state(RUN, RUNNING)).order_by(RUN.c.id)
_RUNS_OF_DEAD_EXECUTORS = _HELD_RUNS.where(
    ~sa.exists().where(EXECUTOR.c.id == RUN.c.executor, EXECUTOR.c.heartbeat_at >= now() - bindparam("dead_after"))
)
# In one statement, so that no run is missed that changes its state meanwhile.
_QUEUE_DEPTH = sa.union_all(
    *(
        sa.select(
            sa.literal(state).label("state"),
            sa.func.count().label("runs"),
            (now() - sa.func.min(RUN.c.created_at)).label("age"),
        ).where(has_state(RUN, state))
        for state in (WAITING, RUNNING)
    )
)
