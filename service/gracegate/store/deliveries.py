"""From a delivery to its runs: record the newest head and supersede older runs; recognise a repeated delivery."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import bindparam

from gracegate.store.tables import (
    CANCELLED,
    DEAD,
    DELIVERY,
    HEAD,
    RUN,
    RUNNING,
    SUPERSEDED,
    VERDICT,
    WAITING,
    insert,
    now,
)

SPREAD = 2.0
"""Seconds between two of many reviews that no person has asked for."""


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
class MergeGroup:
    """What a merge queue is about to merge: the temporary branch `head_ref`, made on `base_sha` of `base_ref`."""

    head_sha: str
    head_ref: str
    base_sha: str
    base_ref: str


@dataclass(frozen=True, slots=True)
class BaseBranch:
    """A branch that a push moved from `base_sha` to `head_sha`."""

    head_sha: str
    base_sha: str
    base_ref: str


@dataclass(frozen=True, slots=True)
class ChangedPolicies:
    """The policy sets that a pull request changes, at the head that its review has found them at."""

    number: int
    head_sha: str


@dataclass(frozen=True, slots=True)
class PolicyImpactRun:
    """What the changed policy sets of a pull request would do in other repositories, to be found after their tests."""

    number: int
    head_sha: str


@dataclass(frozen=True, slots=True)
class CommentCommand:
    """A comment on a pull request that may hold a command: one in the conversation, or one of a review, as the event of
    its delivery says."""

    number: int
    comment_id: int


@dataclass(frozen=True, slots=True)
class FixRequest:
    """A press of the button that applies the suggestions, in the check of a head, by `sender` (a login)."""

    number: int
    head_sha: str
    sender: str


Subject = PullHead | MergeGroup | BaseBranch | CommentCommand | FixRequest
_SUBJECTS: Mapping[type, str] = {
    PullHead: "pull_request",
    MergeGroup: "merge_group",
    BaseBranch: "base_branch",
    CommentCommand: "command",
    FixRequest: "fixes",
    ChangedPolicies: "policies",
    PolicyImpactRun: "impact",
}


def accept(
    tx: sa.Connection, delivery: Delivery, subjects: Sequence[Subject]
) -> Literal["queued", "requeued", "duplicate"]:
    """Record a delivery that asks for reviews of `subjects`, and create their runs, which are due at once.

    A delivery that GitHub sends again restarts only the runs that ended without a concluded check.
    """
    # Two transactions that supersede runs of the same pull requests do so in the same order.
    subjects = sorted(subjects, key=_number)
    if record(tx, delivery, "queued"):
        for subject in subjects:
            _create_run(tx, delivery, subject)
        return "queued"
    restarted = [_restart_run(tx, delivery, subject) for subject in subjects]
    return "requeued" if any(restarted) else "duplicate"


def queue_again(tx: sa.Connection, delivery: Delivery, pulls: Sequence[PullHead], delay: float = 0.0) -> int:
    """Create runs for a recorded delivery that may affect many pull requests; returns how many.

    The first is due after `delay` seconds, and the others are spread in time, so that those of webhooks come first. A
    pull request whose run waits is left alone, because that run reads what is new when it starts; one whose run has
    started is reviewed again at once.
    """
    states = _states_of_newest_runs(tx, delivery.repository_id)
    pulls = [pull for pull in pulls if states.get(pull.number) != WAITING]
    for place, pull in enumerate(pulls):
        is_running = states.get(pull.number) == RUNNING
        _create_run(tx, delivery, pull, 0.0 if is_running else delay + place * SPREAD)
    return len(pulls)


def queue_merge_group(tx: sa.Connection, delivery: Delivery, group: MergeGroup, delay: float) -> bool:
    """Create a run of a merge group for a recorded delivery, due after `delay` seconds; False if it has an unfinished
    run."""
    of_group = (RUN.c.repository_id == delivery.repository_id, RUN.c.number == 0, RUN.c.head_sha == group.head_sha)
    unfinished = sa.select(RUN.c.id).where(*of_group, RUN.c.subject == "merge_group")
    if tx.scalar(unfinished.where(RUN.c.state.in_((WAITING, RUNNING))).limit(1)) is not None:
        return False
    _create_run(tx, delivery, group, delay)
    return True


def queue_next(tx: sa.Connection, delivery: Delivery, subject: ChangedPolicies | PolicyImpactRun, after: str) -> None:
    """Create the run, due at once, of what another run has found to be done; `after` names that run and its turn."""
    kind = _SUBJECTS[type(subject)]
    partition = f"{delivery.repository_id}/{subject.number}/policies"
    _supersede_waiting_runs(tx, delivery.repository_id, subject.number, kind, partition)
    _insert_run(tx, delivery, subject, f"{after}/{kind}", partition, 0.0)


def record(tx: sa.Connection, delivery: Delivery, outcome: str) -> bool:
    """Record a delivery; False if it was recorded before."""
    return tx.scalar(_insert_delivery(tx.dialect.name), {**asdict(delivery), "outcome": outcome}) is not None


def outcomes(tx: sa.Connection, ids: Collection[str]) -> dict[str, str]:
    """What became of those of these deliveries that were stored."""
    query = sa.select(DELIVERY.c.id, DELIVERY.c.outcome).where(DELIVERY.c.id.in_(ids))
    return {row.id: row.outcome for row in tx.execute(query)}


def pull_requests_with_head(tx: sa.Connection, repository_id: int, sha: str) -> tuple[int, ...]:
    """The numbers of the open pull requests whose newest known head is `sha`. Check events of forks name none."""
    query = (
        sa.select(HEAD.c.number)
        .where(HEAD.c.repository_id == repository_id, HEAD.c.sha == sha, HEAD.c.closed.is_(False))
        .order_by(HEAD.c.number)
    )
    return tuple(tx.scalars(query))


def merge_group_at(tx: sa.Connection, repository_id: int, sha: str) -> MergeGroup | None:
    """The merge group with this head, if there was a delivery about one."""
    found = (RUN.c.repository_id == repository_id, RUN.c.number == 0, RUN.c.head_sha == sha)
    columns = (RUN.c.head_sha, RUN.c.head_ref, RUN.c.base_sha, RUN.c.base_ref)
    row = tx.execute(sa.select(*columns).where(*found, RUN.c.subject == "merge_group").limit(1)).one_or_none()
    return None if row is None else MergeGroup(*row)


def _number(subject: Subject) -> int:
    return 0 if isinstance(subject, MergeGroup | BaseBranch) else subject.number


def _run_id(delivery: Delivery, subject: Subject) -> str:
    name = f"{delivery.id}/{_number(subject)}"
    return f"{name}/{_SUBJECTS[type(subject)]}" if isinstance(subject, CommentCommand | FixRequest) else name


def _create_run(tx: sa.Connection, delivery: Delivery, subject: Subject, delay: float = 0.0) -> None:
    """Create a run that is due after `delay` seconds; waiting runs of the same pull request or merge group are
    superseded."""
    number, run_id = _number(subject), _run_id(delivery, subject)
    if isinstance(subject, CommentCommand | FixRequest):
        # Each is done, in their order.
        _insert_run(tx, delivery, subject, run_id, f"{delivery.repository_id}/{number}/requests", delay)
        return
    if isinstance(subject, PullHead):
        _record_head(tx, delivery, subject, run_id)
    # A pull request, or the commit that a merge group or a base branch is at.
    partition = f"{delivery.repository_id}/{number or subject.head_sha}"
    if not isinstance(subject, BaseBranch):
        _supersede_waiting_runs(tx, delivery.repository_id, number, _SUBJECTS[type(subject)], partition)
    _insert_run(tx, delivery, subject, run_id, partition, delay)


def _insert_run(
    tx: sa.Connection,
    delivery: Delivery,
    subject: Subject | ChangedPolicies | PolicyImpactRun,
    run_id: str,
    partition: str,
    delay: float,
) -> None:
    row = {
        **asdict(delivery),
        "id": run_id,
        "delivery_id": delivery.id,
        "subject": _SUBJECTS[type(subject)],
        **dict.fromkeys(("head_sha", "head_ref", "base_sha", "base_ref", "sender"), ""),
        **dict.fromkeys(("number", "comment_id"), 0),
        **asdict(subject),
        "state": WAITING,
        "delay": delay,
        "partition": partition,
        "waits_for_siblings": False,
        **dict.fromkeys(("starts", "failures", "crashes"), 0),
        "fence": 1,
    }
    tx.execute(_INSERT_RUN, row)


def _restart_run(tx: sa.Connection, delivery: Delivery, subject: Subject) -> bool:
    """Let a run wait again that ended without a concluded check, unless a newer one took its place."""
    run_id = _run_id(delivery, subject)
    concluded = sa.exists().where(
        VERDICT.c.repository_id == RUN.c.repository_id,
        VERDICT.c.head_sha == RUN.c.head_sha,
        VERDICT.c.number == RUN.c.number,
        VERDICT.c.verdict != "",
    )
    is_alone = isinstance(subject, CommentCommand | FixRequest)
    newest = sa.true() if is_alone else (RUN.c.number == 0) | sa.exists().where(HEAD.c.run_id == RUN.c.id)
    anew = {"state": WAITING, "due_at": now(), "failures": 0, "crashes": 0, "finished_at": None}
    restarted = tx.execute(
        sa.update(RUN)
        .where(RUN.c.id == run_id, RUN.c.state.in_((DEAD, CANCELLED)), newest, ~concluded)
        .values(**anew, fence=RUN.c.fence + 1, updated_at=now())
    )
    return restarted.rowcount == 1


def _states_of_newest_runs(tx: sa.Connection, repository_id: int) -> dict[int, str]:
    """By pull request."""
    query = sa.select(HEAD.c.number, RUN.c.state).join(RUN, RUN.c.id == HEAD.c.run_id)
    return {row.number: row.state for row in tx.execute(query.where(HEAD.c.repository_id == repository_id))}


def _record_head(tx: sa.Connection, delivery: Delivery, pull: PullHead, run_id: str) -> None:
    """Record the newest run. Whatever the delivery says, the pull request is open until that run has asked GitHub."""
    row = {"repository_id": delivery.repository_id, "number": pull.number, "sha": pull.head_sha, "run_id": run_id}
    tx.execute(_upsert_head(tx.dialect.name), row)


def _supersede_waiting_runs(tx: sa.Connection, repository_id: int, number: int, subject: str, partition: str) -> None:
    # A run that has started before may have a check in progress on GitHub: the worker that claims it cancels the check.
    of = {"of_repository": repository_id, "of_number": number, "of_subject": subject, "of_partition": partition}
    tx.execute(_SUPERSEDE_WAITING_RUNS, of)


# The statements of every delivery are built once: SQLAlchemy takes longer to build one than to run it, and GitHub
# waits for the answer.


@cache
def _insert_delivery(dialect: str) -> sa.Executable:
    # psycopg does not count the rows of this statement.
    statement = insert(dialect, DELIVERY).values(received_at=now())
    return statement.on_conflict_do_nothing().returning(DELIVERY.c.id)


@cache
def _upsert_head(dialect: str) -> sa.Executable:
    statement = insert(dialect, HEAD).values(closed=False, updated_at=now())
    changes = {name: statement.excluded[name] for name in ("sha", "run_id", "closed", "updated_at")}
    return statement.on_conflict_do_update(index_elements=["repository_id", "number"], set_=changes)


_INSERT_RUN = sa.insert(RUN).values(created_at=now(), updated_at=now(), due_at=now() + bindparam("delay"))
_SUPERSEDE_WAITING_RUNS = (
    sa.update(RUN)
    .where(RUN.c.repository_id == bindparam("of_repository"), RUN.c.number == bindparam("of_number"))
    .where(RUN.c.subject == bindparam("of_subject"), RUN.c.partition == bindparam("of_partition"))
    .where(RUN.c.state == WAITING, RUN.c.starts == 0)
    .values(state=SUPERSEDED, updated_at=now(), finished_at=now())
)
