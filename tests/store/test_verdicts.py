"""Verdicts of pull requests with one head: which counts, who waits for whom, and who is reviewed again."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from gracegate.store import Delivery, PullHead, Run, Sibling, Store, deliveries, runs, verdicts
from gracegate.store.tables import HEAD, VERDICT
from tests.runs import claimed, delays, unfinished

HEAD_SHA = "sha"


class Siblings:
    """Runs of pull requests with one head, by number; each step in a transaction of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def queue(self, guid: str, *numbers: int, head: str = HEAD_SHA) -> None:
        pulls = [PullHead(number, head) for number in numbers]
        with self.store.transaction() as tx:
            deliveries.accept(tx, Delivery(guid, "pull_request", "opened", 7, 42, "shop/web"), pulls)

    def begin(self, run_id: str, head: str = HEAD_SHA) -> Run:
        run = claimed(self.store, run_id)
        with self.store.transaction() as tx:
            verdicts.begin(tx, run, head)
        return replace(run, head_sha=head)

    def record(self, run: Run, verdict: str) -> tuple[Sibling, ...] | None:
        conclusion = "success" if verdict == "pass" else "failure"
        with self.store.transaction() as tx:
            return verdicts.record(tx, run, run.head_sha, verdict, conclusion)

    def wait(self, run: Run) -> None:
        with self.store.transaction() as tx:
            assert runs.wait_for_siblings(tx, run.id, run.fence, 60.0)

    def finish(self, run: Run, state: str = "done", head: str = HEAD_SHA) -> tuple[list[str], list[str]]:
        """The runs that are restarted, and those that are woken."""
        is_closed = state == "cancelled"
        with self.store.transaction() as tx:
            assert runs.finish(tx, run.id, run.fence, state)
            runs.record_pull_request(tx, run, head, closed=is_closed)
        before = unfinished(self.store)
        with self.store.transaction() as tx:
            verdicts.leave_heads(tx, run, head, closed=is_closed)
        restarted = [run_id for run_id in unfinished(self.store) if run_id not in before]
        return restarted, self.wake()

    def wake(self, repository_id: int = 42) -> list[str]:
        """The runs that wait for siblings no longer."""
        before = delays(self.store)
        with self.store.transaction() as tx:
            verdicts.wake(tx, repository_id)
        return [run_id for run_id, delay in delays(self.store).items() if delay == 0 and before[run_id] == 60]

    def must_wait(self, run: Run) -> bool:
        with self.store.transaction() as tx:
            return verdicts.must_wait(tx, run, run.head_sha)

    def seen_by(self, number: int) -> dict[int, str]:
        """The verdicts of the others, for a pull request that need not be there."""
        run = Run("x", "x", "", "", 7, 42, "shop/web", number, HEAD_SHA, 1, 0, 0, 0, None)
        with self.store.transaction() as tx:
            return {one.number: one.verdict for one in verdicts.siblings(tx, run, HEAD_SHA)}


@pytest.fixture
def siblings(store: Store) -> Siblings:
    return Siblings(store)


def test_only_the_verdict_of_the_newest_run_counts(siblings: Siblings) -> None:
    siblings.queue("a", 1, 2)
    assert siblings.seen_by(2) == {1: ""}
    run = siblings.begin("a/1")
    assert siblings.record(run, "pass") == (Sibling(2, "", ""),)
    assert siblings.seen_by(2) == {1: "pass"}
    siblings.finish(run)
    siblings.queue("b", 1)
    assert siblings.seen_by(2) == {1: ""}
    run = siblings.begin("b/1")
    assert siblings.seen_by(2) == {1: ""}
    siblings.record(run, "fail")
    assert siblings.seen_by(2) == {1: "fail"}


@pytest.mark.parametrize("state", ["dead", "superseded"])
def test_a_run_that_ended_without_a_verdict_is_incomplete(siblings: Siblings, state: str) -> None:
    siblings.queue("a", 1, 2)
    run = siblings.begin("a/1")
    with siblings.store.transaction() as tx:
        runs.finish(tx, run.id, run.fence, state)
    assert siblings.seen_by(2) == {1: "incomplete"}


def test_pull_requests_elsewhere_closed_or_with_another_head_do_not_count(siblings: Siblings) -> None:
    siblings.queue("a", 1, 2, 3)
    siblings.queue("b", 4, head="other")
    siblings.finish(siblings.begin("a/1"), "cancelled")
    siblings.begin("a/3", head="moved")
    assert siblings.seen_by(9) == {2: ""}


def test_a_verdict_is_recorded_by_the_holder_of_the_fence(siblings: Siblings) -> None:
    siblings.queue("a", 1, 2)
    run = siblings.begin("a/1")
    assert siblings.record(replace(run, fence=2), "pass") is None
    siblings.wait(run)
    assert siblings.record(run, "pass") is None
    assert siblings.seen_by(2) == {1: ""}


def test_an_attempt_keeps_the_verdict_of_the_one_before(siblings: Siblings) -> None:
    siblings.queue("a", 1, 2)
    run = siblings.begin("a/1")
    siblings.record(run, "pass")
    assert siblings.must_wait(run)
    siblings.wait(run)
    again = siblings.begin("a/1")
    assert siblings.seen_by(2) == {1: "pass"}
    assert siblings.must_wait(again)
    assert not siblings.must_wait(siblings.begin("a/2"))


def test_who_waits_is_woken_when_all_have_a_verdict_or_one_fails(siblings: Siblings) -> None:
    siblings.queue("a", 1, 2, 3)
    for number in (1, 2):
        run = siblings.begin(f"a/{number}")
        siblings.record(run, "pass")
        siblings.wait(run)
    assert (siblings.wake(), siblings.wake(43)) == ([], [])
    third = siblings.begin("a/3")
    siblings.record(third, "fail")
    assert siblings.finish(third) == ([], ["a/1", "a/2"])
    assert siblings.wake() == []


@pytest.mark.parametrize("how", ["closed", "another head"])
def test_who_is_left_is_reviewed_again(siblings: Siblings, how: str) -> None:
    siblings.queue("a", 1, 2, 3)
    for number in (1, 2):
        run = siblings.begin(f"a/{number}")
        siblings.record(run, "pass")
        siblings.finish(run)
    siblings.queue("b", 1)
    state, head = ("cancelled", HEAD_SHA) if how == "closed" else ("done", "other")
    run = siblings.begin("b/1", head=head)
    assert siblings.finish(run, state, head) == (["a/2"], [])
    assert siblings.seen_by(3) == {2: ""}
    again = siblings.begin("a/2")
    assert (again.fence, again.conclusion, again.failures) == (2, None, 0)
    siblings.record(again, "pass")
    assert siblings.finish(again) == ([], [])


def test_what_github_says_of_another_is_recorded_unless_a_delivery_told(siblings: Siblings) -> None:
    siblings.queue("a", 1, 2, 3)
    siblings.queue("b", 3, head="newer")
    run = siblings.begin("a/1")
    with siblings.store.transaction() as tx:
        verdicts.record_departure(tx, run, 2, HEAD_SHA, HEAD_SHA, closed=True)
        verdicts.record_departure(tx, run, 3, HEAD_SHA, "older", closed=True)
        rows = tx.execute(HEAD.select().order_by(HEAD.c.number)).all()
    assert [(row.number, row.sha, row.closed) for row in rows] == [
        (1, HEAD_SHA, False),
        (2, HEAD_SHA, True),
        (3, "newer", False),
    ]


def test_of_two_that_record_at_once_one_sees_the_other(siblings: Siblings) -> None:
    siblings.queue("a", 1, 2)
    found: dict[int, tuple[Sibling, ...] | None] = {}
    held = [siblings.begin("a/1"), siblings.begin("a/2")]
    barrier = threading.Barrier(2)

    def record(run: Run) -> None:
        barrier.wait()
        found[run.number] = siblings.record(run, "pass")

    threads = [threading.Thread(target=record, args=(run,)) for run in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = [found[number] for number in (1, 2)]
    assert (Sibling(2, "pass", "success"),) in seen or (Sibling(1, "pass", "success"),) in seen
    with siblings.store.transaction() as tx:
        assert len(tx.execute(VERDICT.select()).all()) == 2
