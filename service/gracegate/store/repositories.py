"""The repositories that the App may read, as the sweeps have listed them: of all others nothing is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from gracegate.store.tables import REPOSITORY, SHARED_TASK, SWEEP, now

KNOWN_FOR = 86400.0
"""Seconds after a complete sweep in which the list counts."""


def replace(tx: sa.Connection, installation_id: int, names: Mapping[int, str]) -> None:
    """Record all repositories of an installation: their full names by id."""
    own = REPOSITORY.c.installation_id == installation_id
    query = sa.select(REPOSITORY.c.id, REPOSITORY.c.full_name).where(own).with_for_update()
    before = {row.id: row.full_name for row in tx.execute(query)}
    for number in sorted(before.keys() - names.keys()):
        tx.execute(sa.delete(REPOSITORY).where(REPOSITORY.c.id == number, own))
    for number, name in sorted(names.items()):
        if before.get(number) != name:
            # It may have been another installation's, before a transfer.
            tx.execute(sa.delete(REPOSITORY).where(REPOSITORY.c.id == number))
            tx.execute(sa.insert(REPOSITORY).values(id=number, installation_id=installation_id, full_name=name))


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
