"""Which version of each policy set is in use, and the files of those versions that may be needed again."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from gracegate.model import PolicyRecord, PolicyVersion
from gracegate.store.tables import POLICY_SET, POLICY_VERSION, insert, now

_OWN = POLICY_SET.c
_KEPT = (_OWN.newest, _OWN.active, _OWN.previous, _OWN.rolled_back)


def read(tx: sa.Connection, source: str) -> PolicyRecord:
    """What is recorded of a source; of one that is not known, nothing but its name."""
    row = tx.execute(sa.select(POLICY_SET).where(_OWN.source == source)).one_or_none()
    return PolicyRecord(source) if row is None else _record(tx, row)


def read_named(tx: sa.Connection, name: str) -> list[PolicyRecord]:
    """The sources whose versions in use have this name; all for ""."""
    query = sa.select(POLICY_SET).where(_OWN.active != "").order_by(_OWN.source)
    rows = tx.execute(query.where(_OWN.name == name) if name else query).all()
    return [_record(tx, row) for row in rows]


def read_archive(tx: sa.Connection, source: str, digest: str) -> bytes | None:
    """The packed files of a version, None where it is not kept any more."""
    archive: bytes | None = tx.scalar(sa.select(POLICY_VERSION.c.archive).where(_is_version(source, digest)))
    return archive


def claim(tx: sa.Connection, source: str, seconds: float) -> bool:
    """Whether the caller is the one that reads the source now: nobody has begun to in the last `seconds`."""
    _ensure(tx, source)
    is_due = (_OWN.source == source) & (_OWN.looked_at <= now() - seconds)
    return tx.execute(sa.update(POLICY_SET).where(is_due).values(looked_at=now())).rowcount == 1


def add(tx: sa.Connection, source: str, version: PolicyVersion, archive: bytes) -> None:
    """Record the newest version, which may be one that was there before."""
    _ensure(tx, source)
    names = {"commit": version.commit, "name": version.name}
    values = {"source": source, "digest": version.digest, **names, "archive": archive}
    kept = insert(tx.dialect.name, POLICY_VERSION).values(values)
    tx.execute(kept.on_conflict_do_update(index_elements=["source", "digest"], set_=names))
    tx.execute(sa.update(POLICY_SET).where(_OWN.source == source).values(newest=version.digest, error=""))
    _delete_unused(tx, source)


def record_error(tx: sa.Connection, source: str, error: str) -> None:
    """Record why the source could not be read, "" where it could."""
    _ensure(tx, source)
    tx.execute(sa.update(POLICY_SET).where((_OWN.source == source) & (_OWN.error != error)).values(error=error))


def refuse(tx: sa.Connection, source: str, refusal: str) -> None:
    """Record what is wrong with a version; the one in use stays."""
    tx.execute(sa.update(POLICY_SET).where(_OWN.source == source).values(refusal=refusal))


def activate(tx: sa.Connection, source: str, name: str, digest: str) -> None:
    """From now on reviews use a version, unless it was rolled back meanwhile."""
    changes = (_OWN.source == source) & (_OWN.active != digest) & (_OWN.rolled_back != digest)
    values = {"name": name, "previous": _OWN.active, "active": digest, "rolled_back": "", "refusal": ""}
    tx.execute(sa.update(POLICY_SET).where(changes).values(**values, activated_at=now()))
    _delete_unused(tx, source)


def roll_back(tx: sa.Connection, source: str) -> bool:
    """Use the version before; False where there is none. The one in use now is not activated again by itself."""
    changes = (_OWN.source == source) & (_OWN.previous != "")
    values = {"active": _OWN.previous, "rolled_back": _OWN.active, "previous": "", "activated_at": now()}
    return tx.execute(sa.update(POLICY_SET).where(changes).values(values)).rowcount == 1


def _ensure(tx: sa.Connection, source: str) -> None:
    texts = dict.fromkeys(("name", "newest", "active", "previous", "rolled_back", "refusal", "error"), "")
    unused = {"source": source, **texts, "looked_at": 0.0, "activated_at": 0.0}
    tx.execute(insert(tx.dialect.name, POLICY_SET).values(unused).on_conflict_do_nothing())


def _delete_unused(tx: sa.Connection, source: str) -> None:
    row = tx.execute(sa.select(*_KEPT).where(_OWN.source == source)).one()
    is_unused = (POLICY_VERSION.c.source == source) & POLICY_VERSION.c.digest.not_in([*row])
    tx.execute(sa.delete(POLICY_VERSION).where(is_unused))


def _record(tx: sa.Connection, row: sa.Row[tuple[object, ...]]) -> PolicyRecord:
    columns = (POLICY_VERSION.c.digest, POLICY_VERSION.c.commit, POLICY_VERSION.c.name)
    of_source = tx.execute(sa.select(*columns).where(POLICY_VERSION.c.source == row.source)).all()
    versions = {one.digest: PolicyVersion(*one) for one in of_source}
    find: Callable[[str], PolicyVersion | None] = versions.get
    return PolicyRecord(
        source=row.source,
        name=row.name,
        newest=find(row.newest),
        active=find(row.active),
        previous=find(row.previous),
        rolled_back=find(row.rolled_back),
        refusal=row.refusal,
        error=row.error,
    )


def _is_version(source: str, digest: str) -> sa.ColumnElement[bool]:
    return (POLICY_VERSION.c.source == source) & (POLICY_VERSION.c.digest == digest)
