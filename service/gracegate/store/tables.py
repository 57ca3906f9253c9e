"""The tables, as `migrations/` makes them. Times are seconds since the epoch by the clock of the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

METADATA = sa.MetaData()


# The states of a run.
WAITING, RUNNING, DONE, SUPERSEDED, CANCELLED, DEAD = (
    "waiting", "running", "done", "superseded", "cancelled", "dead",
)  # fmt: skip
_IS_WAITING, _IS_RUNNING, _IS_DEAD = (sa.text(f"state = '{state}'") for state in (WAITING, RUNNING, DEAD))

DELIVERY = Table(
    "delivery",
    METADATA,
    Column("id", Text, primary_key=True),  # X-GitHub-Delivery: the same when GitHub delivers again
    Column("event", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("repository", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("received_at", Float, nullable=False),
)

HEAD = Table(
    "head",
    METADATA,
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sha", Text, nullable=False),
    Column("run_id", Text, nullable=False),  # the newest run; "" if the first delivery closed the pull request
    Column("closed", Boolean, nullable=False),
    Column("updated_at", Float, nullable=False),
    sa.Index("head_by_sha", "repository_id", "sha"),
)

RUN = Table(
    "run",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("delivery_id", Text, nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("repository", Text, nullable=False),
    Column("subject", Text, nullable=False),  # see runs.Run
    Column("number", Integer, nullable=False),  # 0 if the subject is no pull request; it has no row in `head` then
    Column("head_sha", Text, nullable=False),
    Column("head_ref", Text, nullable=False),  # these three are "" for a pull request: GitHub is asked for them
    Column("base_sha", Text, nullable=False),
    Column("base_ref", Text, nullable=False),
    Column("comment_id", BigInteger, nullable=False),  # 0 unless a comment asks for the run
    Column("sender", Text, nullable=False),  # who has asked for the run by a button, else ""
    Column("state", Text, nullable=False),
    Column("due_at", Float, nullable=False),  # when a run that waits may be started
    Column("partition", Text, nullable=False),  # one run at a time is done of each
    Column("fence", Integer, nullable=False),  # grows each time the run waits again; the holder of the newest may write
    Column("waits_for_siblings", Boolean, nullable=False),  # for other pull requests with its head, see verdicts.py
    Column("starts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("crashes", Integer, nullable=False),
    Column("executor", Text),
    Column("error", Text),
    Column("conclusion", Text),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("finished_at", Float),
    sa.Index("run_by_pull_request", "repository_id", "number"),
    # Of the unfinished runs alone, which are few. A statement has to say the state as a literal, see runs.has_state.
    sa.Index("run_due", "due_at", "id", sqlite_where=_IS_WAITING, postgresql_where=_IS_WAITING),
    sa.Index("run_dead", "updated_at", sqlite_where=_IS_DEAD, postgresql_where=_IS_DEAD),
    sa.Index("run_running", "partition", unique=True, sqlite_where=_IS_RUNNING, postgresql_where=_IS_RUNNING),
)

VERDICT = Table(
    "verdict",
    METADATA,
    Column("repository_id", BigInteger, primary_key=True),
    Column("head_sha", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("verdict", Text, nullable=False),  # "" like the conclusion while the run has not evaluated the head
    Column("conclusion", Text, nullable=False),
    Column("concluded_at", Float, nullable=False),
)

REVIEW = Table(
    "review",
    METADATA,
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("head_sha", Text, primary_key=True),
    Column("merge_base_sha", Text, nullable=False),
    Column("base_tip_sha", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("conclusion", Text, nullable=False),
    Column("policies", JSON, nullable=False),  # digests by the name of the policy set
    Column("findings", JSON, nullable=False),  # a list of reviews.RecordedFinding
    Column("waivers", JSON, nullable=False, server_default="[]"),  # a list of reviews.RecordedWaiver
    Column("not_covered", JSON, nullable=False, server_default="{}"),  # how many problems by their code
    Column("concluded_at", Float, nullable=False),
    sa.Index("review_by_time", "repository_id", "concluded_at"),
)

POLICY_RULES = Table(
    "policy_rules",
    METADATA,
    Column("policy_set", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("rules", JSON, nullable=False),  # by id, see policy_rules.record
    Column("first_used_at", Float, nullable=False),
)

REPORT = Table(
    "report",
    METADATA,
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("head_sha", Text, primary_key=True),
    Column("repository", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False, index=True),
)

RATE_LIMIT = Table(
    "rate_limit",
    METADATA,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("blocked_until", Float, nullable=False),
)

WRITE_BUDGET = Table(
    "write_budget",
    METADATA,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("minute_full_at", Float, nullable=False),
    Column("hour_full_at", Float, nullable=False),
    Column("notifications_full_at", Float, nullable=False),
)

SHARED_TASK = Table(
    "shared_task",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),  # an executor; "" if nobody does the task
    Column("taken_at", Float, nullable=False),
    Column("completed_at", Float, nullable=False),  # when it was taken for the last time that it was completed
)

SWEEP = Table(
    "sweep",
    METADATA,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("is_thorough", Boolean, nullable=False),
    Column("thorough_at", Float, nullable=False),
    Column("completed_at", Float),
)

REPOSITORY = Table(
    "repository",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("installation_id", BigInteger, nullable=False, index=True),
    Column("full_name", Text, nullable=False),
    Column("is_public", Boolean, nullable=False),
    Column("reviewed_at", Float, nullable=False, server_default="0"),  # the newest review of a pull request
)

REDELIVERY = Table(
    "redelivery",
    METADATA,
    Column("guid", Text, primary_key=True),
    Column("delivery_id", BigInteger, nullable=False),
    Column("failed_at", Float, nullable=False),  # by GitHub's clock
    Column("attempts", Integer, nullable=False),
    Column("attempted_at", Float, nullable=False),
)

EXECUTOR = Table(
    "executor",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("heartbeat_at", Float, nullable=False),
)


AUDIT = Table(
    "audit",
    METADATA,
    # It grows with time, so pages of the log are made by it. SQLite numbers rows of this type alone.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("app", Text, nullable=False),
    Column("installation_id", BigInteger),
    Column("repository", Text),
    Column("number", Integer),
    Column("delivery_id", Text),
    Column("run_id", Text, index=True),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("status", Integer),  # 0: GitHub gave no answer; NULL until the answer came
)

POLICY_SET = Table(
    "policy_set",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("looked_at", Float, nullable=False),  # when a process last began to read the source
    Column("newest", Text, nullable=False),  # this and the next three: the digest of a version, or ""
    Column("active", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("rolled_back", Text, nullable=False),
    Column("refusal", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("activated_at", Float, nullable=False),
)

POLICY_VERSION = Table(
    "policy_version",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("commit", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("archive", LargeBinary, nullable=False),
)


SESSION = Table(
    "session",
    METADATA,
    Column("key_hash", Text, primary_key=True),  # SHA-256 of the key, which the person's browser alone has
    Column("user_id", BigInteger, nullable=False, index=True),
    Column("login", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),  # encrypted with the key
    Column("expires_at", Float, nullable=False),
)


class now(FunctionElement[float]):  # noqa: N801 - named like the SQL function that it is
    """The time by the database's clock, at each call: it goes on within a transaction."""

    type = Float()
    inherit_cache = True


@compiles(now, "sqlite")
def _sqlite_now(_element: now, _compiler: Any, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _postgresql_now(_element: now, _compiler: Any, **_options: Any) -> str:
    return "extract(epoch from clock_timestamp())"


def put(tx: sa.Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert a row, in the place of one with the same key."""
    statement = insert(tx.dialect.name, table).values(row)
    key = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in row if name not in key}
    tx.execute(statement.on_conflict_do_update(index_elements=key, set_=others))


def insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """INSERT in a dialect (by SQLAlchemy's name), which knows ON CONFLICT."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
