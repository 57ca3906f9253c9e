"""The sessions of people who have signed in. What is here is of no use without the keys, which their browsers have."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from gracegate.store.tables import SESSION, now

MAX_OF_USER = 10
"""How many sessions a person has at most; the oldest are ended."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """Who has signed in. `token` is the person's token for GitHub, encrypted with the key of the session."""

    key_hash: str
    user_id: int
    login: str
    token: bytes


def add(tx: sa.Connection, session: StoredSession, seconds: float) -> None:
    """Store a session that ends after so many seconds."""
    own = (SESSION.c.user_id == session.user_id,)
    newest = sa.select(SESSION.c.key_hash).where(*own).order_by(SESSION.c.expires_at.desc()).limit(MAX_OF_USER - 1)
    kept = tx.scalars(newest).all()
    tx.execute(sa.delete(SESSION).where(*own, SESSION.c.key_hash.not_in(kept)))
    values = {name: getattr(session, name) for name in StoredSession.__slots__}
    tx.execute(sa.insert(SESSION).values(values | {"expires_at": now() + seconds}))


def find(tx: sa.Connection, key_hash: str) -> StoredSession | None:
    """A session that has not ended."""
    columns = (SESSION.c[name] for name in StoredSession.__slots__)
    query = sa.select(*columns).where(SESSION.c.key_hash == key_hash, SESSION.c.expires_at > now())
    row = tx.execute(query).one_or_none()
    return None if row is None else StoredSession(*row)


def end(tx: sa.Connection, key_hash: str) -> None:
    tx.execute(sa.delete(SESSION).where(SESSION.c.key_hash == key_hash))


def end_all(tx: sa.Connection, user_id: int) -> None:
    """End all sessions of a person."""
    tx.execute(sa.delete(SESSION).where(SESSION.c.user_id == user_id))
