"""How much each installation has written to GitHub lately, for all workers."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from gracegate.model import WriteDebts
from gracegate.store.tables import WRITE_BUDGET, insert, now

_FULL_AT = (WRITE_BUDGET.c.minute_full_at, WRITE_BUDGET.c.hour_full_at, WRITE_BUDGET.c.notifications_full_at)
"""In the order of WriteDebts."""


def exchange(tx: sa.Connection, installation_id: int, take: Callable[[WriteDebts], WriteDebts]) -> None:
    """Replace the debts of an installation by what `take` makes of them, under the lock of its row."""
    unused = {"installation_id": installation_id, **{column.name: 0.0 for column in _FULL_AT}}
    tx.execute(insert(tx.dialect.name, WRITE_BUDGET).values(unused).on_conflict_do_nothing())
    own = WRITE_BUDGET.c.installation_id == installation_id
    row = tx.execute(sa.select(now(), *_FULL_AT).where(own).with_for_update()).one()
    before = WriteDebts(*(max(0.0, full_at - row[0]) for full_at in row[1:]))
    after = take(before)
    if after != before:
        full_at = {column.name: row[0] + debt for column, debt in zip(_FULL_AT, after, strict=True)}
        tx.execute(sa.update(WRITE_BUDGET).where(own).values(full_at))
