"""The runs in a store, as tests look at them and take them out of their turn."""

from __future__ import annotations

import sqlalchemy as sa

from gracegate.store import WAITING, Run, Store, runs
from gracegate.store.tables import RUN, RUNNING


def unfinished(store: Store) -> dict[str, int]:
    """The fence by id of each run that waits or runs."""
    with store.reading() as tx:
        query = sa.select(RUN.c.id, RUN.c.fence).where(RUN.c.state.in_((WAITING, RUNNING))).order_by(RUN.c.id)
        return {row.id: row.fence for row in tx.execute(query)}


def claim(store: Store, run_id: str, fence: int | None = None, executor: str = "worker") -> Run | None:
    """Claims this run, whether or not it is due; by default at its present fence."""
    with store.transaction() as tx:
        fence = fence or tx.scalar(sa.select(RUN.c.fence).where(RUN.c.id == run_id)) or 0
        return runs.claim(tx, run_id, fence, executor)


def claimed(store: Store, run_id: str, executor: str = "worker") -> Run:
    """The same, of a run that can be claimed."""
    run = claim(store, run_id, executor=executor)
    assert run is not None, f"{run_id} cannot be claimed"
    return run


def delays(store: Store) -> dict[str, int]:
    """By id of each waiting run: how many seconds it had to wait when it was queued."""
    with store.reading() as tx:
        query = sa.select(RUN.c.id, RUN.c.due_at - RUN.c.updated_at).where(RUN.c.state == WAITING)
        return {run_id: round(seconds) for run_id, seconds in tx.execute(query)}
