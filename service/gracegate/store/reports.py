"""The reports of checks, for the pages that checks link to: one for each head of a pull request, the newest, and for
each group of a merge queue.

Those of private repositories are kept only where people can sign in.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from gracegate.store.tables import REPORT, now, put


@dataclass(frozen=True, slots=True)
class StoredReport:
    """What a page shows of a check; `repository` is its name at that time, `number` is 0 for a merge group.

    `content` is made and read by review/report_pages.py. `created_at` is in seconds since the epoch, 0 while it is not
    stored.
    """

    repository_id: int
    number: int
    head_sha: str
    repository: str
    content: bytes
    created_at: float = 0.0


def save(tx: sa.Connection, report: StoredReport) -> None:
    """Store a report, in the place of an earlier one of the same head."""
    put(tx, REPORT, {**asdict(report), "created_at": now()})


def delete_private(tx: sa.Connection, repository_ids: Collection[int]) -> None:
    """Delete all reports of these repositories, which are not public."""
    for repository_id in tx.scalars(sa.select(REPORT.c.repository_id).distinct()).all():
        if repository_id in repository_ids:
            delete_all(tx, repository_id)


def delete_all(tx: sa.Connection, repository_id: int) -> None:
    """Delete all reports of a repository, which is not public."""
    tx.execute(sa.delete(REPORT).where(REPORT.c.repository_id == repository_id))


def stored_heads(tx: sa.Connection, repository_id: int, numbers: Collection[int]) -> set[tuple[int, str]]:
    """The heads of these pull requests that have a report, each with its pull request."""
    query = sa.select(REPORT.c.number, REPORT.c.head_sha).where(REPORT.c.repository_id == repository_id)
    return {(row.number, row.head_sha) for row in tx.execute(query.where(REPORT.c.number.in_(numbers)))}


def find(tx: sa.Connection, repository_id: int, number: int, head_sha: str) -> StoredReport | None:
    """The report of a head of a pull request."""
    is_it = (REPORT.c.repository_id == repository_id, REPORT.c.number == number, REPORT.c.head_sha == head_sha)
    row = tx.execute(sa.select(REPORT).where(*is_it)).mappings().one_or_none()
    return None if row is None else StoredReport(**row)
