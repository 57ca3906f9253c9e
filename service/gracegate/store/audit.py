"""The audit log: every write to GitHub, with who made it, what it was, why, and how it was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from gracegate.store.tables import AUDIT, now


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One write. `app` is the App's id or client id; a write of the App itself is of no run and no repository.

    `at` is in seconds since the epoch. `status` is the HTTP status, 0 if GitHub gave no answer, and None if the process
    ended before one came, so that it is not known whether the write took effect.
    """

    app: str
    method: str
    path: str
    summary: str
    installation_id: int | None = None
    repository: str | None = None
    number: int | None = None
    delivery_id: str | None = None
    run_id: str | None = None
    status: int | None = None
    id: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows: those that match all that is given. `repository` is the name at that time, in any case of letters;
    `since` is in seconds since the epoch, `before` an id."""

    repository: str | None = None
    number: int | None = None
    run_id: str | None = None
    since: float | None = None
    before: int | None = None

    def conditions(self) -> Sequence[sa.ColumnElement[bool]]:
        conditions: list[sa.ColumnElement[bool]] = []
        if self.repository is not None:
            conditions.append(sa.func.lower(AUDIT.c.repository) == self.repository.lower())
        if self.number is not None:
            conditions.append(AUDIT.c.number == self.number)
        if self.run_id is not None:
            conditions.append(AUDIT.c.run_id == self.run_id)
        if self.since is not None:
            conditions.append(AUDIT.c.at >= self.since)
        if self.before is not None:
            conditions.append(AUDIT.c.id < self.before)
        return conditions


_COLUMNS = tuple(AUDIT.c[name] for name in AuditRow.__slots__)


def add(tx: sa.Connection, row: AuditRow) -> int:
    """Add a row as of now; returns its id."""
    given = {name: getattr(row, name) for name in AuditRow.__slots__ if name not in {"id", "at"}}
    row_id: int = tx.execute(sa.insert(AUDIT).values(given | {"at": now()}).returning(AUDIT.c.id)).scalar_one()
    return row_id


def set_status(tx: sa.Connection, row_id: int, status: int) -> None:
    """Record how a write was answered."""
    tx.execute(sa.update(AUDIT).where(AUDIT.c.id == row_id).values(status=status))


def find(tx: sa.Connection, which: AuditFilter, limit: int) -> list[AuditRow]:
    """The newest rows first, at most `limit` of them."""
    query = sa.select(*_COLUMNS).where(*which.conditions()).order_by(AUDIT.c.id.desc()).limit(limit)
    return [AuditRow(**row) for row in tx.execute(query).mappings()]
