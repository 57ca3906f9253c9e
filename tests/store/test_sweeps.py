"""What a sweep remembers, and which pull requests it looks at, by the tables alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from gracegate.store import (
    Candidate,
    Delivery,
    FailedDelivery,
    GroupCandidate,
    MergeGroup,
    PullHead,
    Run,
    Store,
    deliveries,
    runs,
    sweeps,
    verdicts,
)
from gracegate.store.tables import HEAD, REDELIVERY, RUN, SWEEP, now

PULL = PullHead(1, "sha-a")
RUN_ID = "a/1"
Act = Callable[[sa.Connection], object]


def accept(tx: sa.Connection, guid: str = "a", event: str = "pull_request") -> None:
    deliveries.accept(tx, Delivery(guid, event, "", 7, 42, "shop/web"), [PULL])


def claimed(tx: sa.Connection) -> Run:
    found = runs.claim(tx, RUN_ID, 1, "worker")
    assert found is not None
    return found


def review(tx: sa.Connection, state: str = "done") -> None:
    accept(tx)
    run = claimed(tx)
    verdicts.begin(tx, run, PULL.head_sha)
    verdicts.record(tx, run, PULL.head_sha, "pass", "success")
    runs.finish(tx, RUN_ID, 1, state, conclusion="success")


def close(tx: sa.Connection) -> None:
    accept(tx)
    run = claimed(tx)
    runs.finish(tx, RUN_ID, 1, "cancelled")
    runs.record_pull_request(tx, run, PULL.head_sha, closed=True)


def die(tx: sa.Connection, event: str = "pull_request") -> None:
    accept(tx, event=event)
    claimed(tx)
    runs.finish(tx, RUN_ID, 1, "dead")


def settle(tx: sa.Connection) -> None:
    """Moves everything into the past, by two hours."""
    tx.execute(sa.update(HEAD).values(updated_at=HEAD.c.updated_at - 7200))
    tx.execute(sa.update(RUN).values(finished_at=RUN.c.finished_at - 7200))


def old(act: Act) -> Act:
    def both(tx: sa.Connection) -> None:
        act(tx)
        settle(tx)

    return both


UNKNOWN = Candidate(PULL, "", is_certain=False)
UNREVIEWED = Candidate(PULL, RUN_ID, is_certain=False)
CLOSED = Candidate(PULL, RUN_ID, is_certain=True)
SELECTION: dict[str, tuple[Act, bool, Candidate | None]] = {
    "a verdict": (review, False, None),
    "a waiting run": (accept, False, None),
    "a running review": (lambda tx: (accept(tx), claimed(tx)), False, None),
    "a waiting run, looked at thoroughly": (accept, True, None),
    "a verdict, looked at thoroughly": (review, True, UNREVIEWED),
    "nothing": (lambda _: None, False, UNKNOWN),
    "a dead run": (die, False, UNREVIEWED),
    "a run that died after its verdict": (lambda tx: review(tx, "dead"), False, UNREVIEWED),
    "a dead run of a sweep": (lambda tx: die(tx, "reconcile"), False, None),
    "an old dead run of a sweep": (old(lambda tx: die(tx, "reconcile")), False, UNREVIEWED),
    "closed just now": (close, False, None),
    "closed for long": (old(close), False, CLOSED),
}


@pytest.mark.parametrize(("before", "is_thorough", "found"), SELECTION.values(), ids=SELECTION)
def test_an_open_pull_request(store: Store, before: Act, is_thorough: bool, found: Candidate | None) -> None:
    with store.transaction() as tx:
        before(tx)
    with store.transaction() as tx:
        candidates = sweeps.candidates(tx, 42, [PULL], is_complete=True, is_thorough=is_thorough)
    assert candidates == ([] if found is None else [found])


def test_a_pull_request_with_another_head_than_the_tables_know(store: Store) -> None:
    with store.transaction() as tx:
        review(tx)
        found = sweeps.candidates(tx, 42, [PullHead(1, "sha-b")], is_complete=True, is_thorough=False)
    assert found == [Candidate(PullHead(1, "sha-b"), RUN_ID, is_certain=False)]


@pytest.mark.parametrize(
    ("before", "is_complete", "found"),
    [
        (review, True, []),
        (old(close), True, []),
        (old(accept), True, []),
        (old(review), False, []),
        (old(review), True, [CLOSED]),
    ],
    ids=["settled not yet", "known as closed", "a waiting run", "a list in part", "a missed closing"],
)
def test_a_pull_request_that_github_does_not_list(
    store: Store, before: Act, is_complete: bool, found: list[Candidate]
) -> None:
    with store.transaction() as tx:
        before(tx)
        assert sweeps.candidates(tx, 42, [], is_complete=is_complete, is_thorough=False) == found


GROUP = MergeGroup("sha-g", "refs/heads/gh-readonly-queue/main/pr-1", "sha-b", "refs/heads/main")
GROUP_RUN = "g/0"


def accept_group(tx: sa.Connection, event: str = "merge_group") -> None:
    deliveries.accept(tx, Delivery("g", event, "", 7, 42, "shop/web"), [GROUP])


def end_group(tx: sa.Connection, state: str, conclusion: str = "", event: str = "merge_group") -> None:
    accept_group(tx, event)
    runs.finish(tx, GROUP_RUN, 1, state, conclusion=conclusion)


@pytest.mark.parametrize(
    ("before", "is_thorough", "newest_run"),
    [
        (lambda _: None, False, ""),
        (accept_group, True, None),
        (lambda tx: end_group(tx, "done", "success"), False, None),
        (lambda tx: end_group(tx, "done", "success"), True, GROUP_RUN),
        (lambda tx: end_group(tx, "dead"), False, GROUP_RUN),
        (lambda tx: end_group(tx, "dead", event="reconcile"), True, None),
        (old(lambda tx: end_group(tx, "dead", event="reconcile")), False, GROUP_RUN),
    ],
    ids=["unknown", "waiting", "concluded", "concluded, thorough", "dead", "dead, of a sweep", "dead for long"],
)
def test_a_group_in_a_merge_queue(store: Store, before: Act, is_thorough: bool, newest_run: str | None) -> None:
    with store.transaction() as tx:
        assert not sweeps.knows_merge_groups(tx, 42)
        before(tx)
        found = sweeps.group_candidates(tx, 42, [GROUP], is_thorough=is_thorough)
        assert sweeps.knows_merge_groups(tx, 42) == (newest_run != "")
        assert not sweeps.knows_merge_groups(tx, 43)
    assert found == ([] if newest_run is None else [GroupCandidate(GROUP, newest_run)])


def test_a_sweep_goes_on_where_it_stopped_and_is_thorough_once_a_day(store: Store) -> None:
    def begin(thorough_after: float = 86400.0) -> tuple[int, bool]:
        with store.transaction() as tx:
            sweep = sweeps.begin(tx, 7, thorough_after)
            return sweep.position, sweep.is_thorough

    def set_position(position: int) -> float | None:
        with store.transaction() as tx:
            sweeps.set_position(tx, 7, position)
            return tx.scalar(sa.select(SWEEP.c.completed_at))

    assert begin() == (0, True)
    assert set_position(42) is None
    assert begin() == (42, True)
    assert set_position(0) is not None
    assert begin() == (0, False)
    set_position(43)
    assert begin(0.0) == (43, False)
    set_position(0)
    assert begin(0.0) == (0, True)


def test_failed_deliveries_are_asked_for_with_growing_pauses(store: Store) -> None:
    failed = [FailedDelivery("g2", 2, 200.0), FailedDelivery("g1", 1, 100.0)]

    def due(oldest: float = 0.0, limit: int = 10, hours: float = 0.0) -> list[int]:
        with store.transaction() as tx:
            tx.execute(sa.update(REDELIVERY).values(attempted_at=REDELIVERY.c.attempted_at - hours * 3600))
            return sweeps.take_failures(tx, 3600.0, oldest, limit)

    assert due() == []
    with store.transaction() as tx:
        sweeps.record_failures(tx, failed, [])
        sweeps.record_failures(tx, [FailedDelivery("g1", 9, 300.0)], [])
    assert (due(limit=1), due(), due()) == ([1], [2], [])
    assert (due(hours=1.5), due(hours=1.0), due(hours=1.5), due(hours=3.0)) == ([], [1, 2], [], [1, 2])
    assert due(oldest=150.0, hours=9.0) == [2]


def test_what_was_delivered_or_recorded_is_not_asked_for(store: Store) -> None:
    with store.transaction() as tx:
        accept(tx, "recorded")
        failed = [FailedDelivery(guid, number, 100.0) for number, guid in enumerate(("recorded", "lost", "later"))]
        sweeps.record_failures(tx, failed, [])
        sweeps.record_failures(tx, [], ["later"])
        assert sweeps.take_failures(tx, 60.0, 0.0, 10) == [1]
        assert tx.scalar(sa.select(sa.func.count()).where(REDELIVERY.c.attempted_at > now() - 60)) == 1
