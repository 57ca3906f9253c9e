"""The repositories that the App may read, as sweeps and reviews have seen them: of all others nothing is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from gracegate.store.tables import REPOSITORY, SHARED_TASK, SWEEP, now, put

KNOWN_FOR = 86400.0
"""Seconds after a complete sweep in which the list counts."""


class KnownRepository(NamedTuple):
    """A repository that the App may read; `is_public` says whether anybody may."""

    full_name: str
    is_public: bool


def replace(tx: sa.Connection, installation_id: int, known: Mapping[int, KnownRepository]) -> None:
    """Record all repositories of an installation by id."""
    own = REPOSITORY.c.installation_id == installation_id
    query = sa.select(REPOSITORY.c.id, REPOSITORY.c.full_name, REPOSITORY.c.is_public).where(own).with_for_update()
    before = {row.id: KnownRepository(row.full_name, row.is_public) for row in tx.execute(query)}
    for number in sorted(before.keys() - known.keys()):
        tx.execute(sa.delete(REPOSITORY).where(REPOSITORY.c.id == number, own))
    for number, one in sorted(known.items()):
        if before.get(number) != one:
            record(tx, installation_id, number, one)


def record(tx: sa.Connection, installation_id: int, repository_id: int, known: KnownRepository) -> None:
    """Record one; it may have been another installation's, before a transfer."""
    put(tx, REPOSITORY, {"id": repository_id, "installation_id": installation_id, **known._asdict()})


def record_review(tx: sa.Connection, installation_id: int, repository_id: int, known: KnownRepository) -> None:
    """Record a repository that is being reviewed now."""
    row = {"id": repository_id, "installation_id": installation_id, **known._asdict(), "reviewed_at": now()}
    put(tx, REPOSITORY, row)


def set_private(tx: sa.Connection, repository_id: int) -> None:
    tx.execute(sa.update(REPOSITORY).where(REPOSITORY.c.id == repository_id).values(is_public=False))


class ReviewedRepository(NamedTuple):
    """A repository with a review; `reviewed_at` is the time of the newest one."""

    id: int
    full_name: str
    is_public: bool
    reviewed_at: float


def reviewed(tx: sa.Connection, also: Collection[int], before: float | None, limit: int) -> list[ReviewedRepository]:
    """The repositories that were reviewed last, the newest first: public ones, and those `also` whatever they are.

    `before` is the `reviewed_at` of the last one on the page before.
    """
    columns = (REPOSITORY.c[name] for name in ReviewedRepository._fields)
    is_shown = REPOSITORY.c.is_public | REPOSITORY.c.id.in_(also)
    query = sa.select(*columns).where(is_shown, REPOSITORY.c.reviewed_at > 0)
    if before is not None:
        query = query.where(REPOSITORY.c.reviewed_at < before)
    query = query.order_by(REPOSITORY.c.reviewed_at.desc(), REPOSITORY.c.id).limit(limit)
    return [ReviewedRepository(*row) for row in tx.execute(query)]


def name_of(tx: sa.Connection, repository_id: int) -> str | None:
    """The full name of a repository; None if it is not known."""
    return tx.scalar(sa.select(REPOSITORY.c.full_name).where(REPOSITORY.c.id == repository_id))


def is_public(tx: sa.Connection, repository_id: int) -> bool:
    """Whether anybody may read a repository; not where that is not known."""
    return bool(tx.scalar(sa.select(REPOSITORY.c.is_public).where(REPOSITORY.c.id == repository_id)))


def forget_other_installations(tx: sa.Connection, installation_ids: Collection[int]) -> None:
    """Forget the repositories and sweeps of all other installations."""
    for table in (REPOSITORY, SWEEP):
        tx.execute(sa.delete(table).where(table.c.installation_id.not_in(installation_ids)))


def full_names(tx: sa.Connection) -> set[str] | None:
    """The names of all of them; None while they are not known."""
    return set(tx.scalars(sa.select(REPOSITORY.c.full_name))) if are_known(tx) else None


def find(tx: sa.Connection, full_name: str) -> tuple[int, int] | None:
    """The id and the installation of a repository by its name, whose case does not matter; None if it is not known."""
    query = sa.select(REPOSITORY.c.id, REPOSITORY.c.installation_id)
    row = tx.execute(query.where(sa.func.lower(REPOSITORY.c.full_name) == full_name.lower())).first()
    return None if row is None else (row.id, row.installation_id)


def are_known(tx: sa.Connection) -> bool:
    """Whether the last complete sweep was not long ago."""
    swept = sa.select(SHARED_TASK.c.name).where(
        SHARED_TASK.c.name == "sweep", SHARED_TASK.c.completed_at > now() - KNOWN_FOR
    )
    return tx.scalar(swept) is not None


def is_accessible(repository_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return sa.exists().where(REPOSITORY.c.id == repository_id)
