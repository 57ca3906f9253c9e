"""Which runs may be claimed, and in which order."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gracegate.store import Store, runs
from gracegate.store.tables import RATE_LIMIT, RUN, now

LIMITED, FREE = 7, 8
"""Two installations; the first one is rate-limited."""


class Queued(NamedTuple):
    """A run: `due` is how many seconds ago it was due, and `partition` is its pull request."""

    due: int
    partition: int = 1
    state: str = "waiting"
    installation: int = FREE


def fill(store: Store, *queued: Queued) -> None:
    """Replaces all runs; their ids are their places."""
    filled = dict.fromkeys(("delivery_id", "event", "action", "repository", "subject", "head_sha"), "x")
    filled |= dict.fromkeys(("head_ref", "base_sha", "base_ref"), "")
    counts = {"fence": 1, "waits_for_siblings": False, **dict.fromkeys(("starts", "failures", "crashes"), 0)}
    with store.transaction() as tx:
        tx.execute(RUN.delete())
        tx.execute(RATE_LIMIT.delete())
        tx.execute(RATE_LIMIT.insert().values(installation_id=LIMITED, blocked_until=now() + 3600))
        tx.execute(RATE_LIMIT.insert().values(installation_id=FREE, blocked_until=now() - 3600))
        for place, one in enumerate(queued):
            ids = {"id": str(place), "installation_id": one.installation, "repository_id": 42, "number": one.partition}
            state = {"state": one.state, "partition": f"42/{one.partition}", "due_at": now() - one.due}
            tx.execute(RUN.insert().values(**filled, **counts, **ids, **state, created_at=0.0, updated_at=0.0))


def due(store: Store, limit: int = 100) -> list[int]:
    with store.reading() as tx:
        return [int(run_id) for run_id, _ in runs.due_runs(tx, limit)]


@pytest.mark.parametrize(
    ("queued", "expected"),
    [
        ([], []),
        ([Queued(due=-60)], []),
        ([Queued(60, state=state) for state in ("done", "superseded", "cancelled", "dead")], []),
        ([Queued(60)], [0]),
        ([Queued(60, 1), Queued(90, 2), Queued(30, 3)], [1, 0, 2]),
        ([Queued(60, 1), Queued(90, 1)], [1, 0]),
        ([Queued(60, 1), Queued(90, 2, "running"), Queued(30, 2)], [0]),
        ([Queued(60, 1), Queued(90, 2, "done"), Queued(30, 2)], [0, 2]),
        ([Queued(90, 1, installation=LIMITED), Queued(60, 2)], [1]),
    ],
    ids=[
        "nothing",
        "not due yet",
        "ended",
        "due",
        "the oldest first",
        "two of a partition",
        "the partition is in work",
        "the partition is free again",
        "a rate limit is of one installation",
    ],
)
def test_what_is_due(store: Store, queued: list[Queued], expected: list[int]) -> None:
    fill(store, *queued)
    assert (due(store), due(store, limit=1)) == (expected, expected[:1])


QUEUED = st.builds(
    Queued,
    due=st.sampled_from(range(-90, 91, 30)),
    partition=st.integers(1, 4),
    state=st.sampled_from(["waiting", "waiting", "done"]),
    installation=st.sampled_from([LIMITED, FREE]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(queued=st.lists(QUEUED, max_size=8), in_work=st.sets(st.integers(1, 4)))
def test_any_queue_is_worked_off_in_its_order(store: Store, queued: list[Queued], in_work: set[int]) -> None:
    """And a claim agrees with the look before it, until a partition is in work."""
    fill(store, *queued, *(Queued(0, partition, "running") for partition in in_work))
    free = [
        place
        for place, one in enumerate(queued)
        if one.state == "waiting" and one.due >= 0 and one.installation == FREE and one.partition not in in_work
    ]
    expected = sorted(free, key=lambda place: (-queued[place].due, place))
    assert due(store) == expected
    for place in expected:
        with store.transaction() as tx:
            run = runs.claim(tx, str(place), 1, "worker")
        assert (run is not None) == (queued[place].partition not in in_work)
        in_work.add(queued[place].partition)
    assert due(store) == []


def test_the_database_holds_no_two_running_runs_of_a_partition(store: Store) -> None:
    fill(store, Queued(60, 1, "running"), Queued(60, 1))
    with pytest.raises(sa.exc.IntegrityError), store.transaction() as tx:
        tx.execute(RUN.update().values(state="running"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_look_uses_the_indexes_of_what_waits_and_what_runs(store: Store) -> None:
    with store.reading() as tx:
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {runs._DUE_RUNS.compile(tx)}", (5, 0)).all()
    steps = [row.detail for row in plan]
    assert [step for step in steps if "SCAN run" in step] == []
    assert all(any(index in step for step in steps) for index in ("run_due", "run_running"))
