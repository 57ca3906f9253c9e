"""One attempt at a run: a real store, and a reviewer that does what the test sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gracegate.errors import GitHubUnavailable, RateLimited, Superseded, WriteBudgetSpent
from gracegate.jobs.queue import claim_next
from gracegate.jobs.runner import FINAL_ATTEMPTS, SIBLING_DELAY, Runner, backoff
from gracegate.settings import JobSettings
from gracegate.store import Outcome, PullHead, Run, runs, verdicts
from gracegate.store.deliveries import SPREAD
from gracegate.store.tables import HEAD, RUN
from tests.jobs.harness import Service
from tests.runs import claimed, delays

JOBS = JobSettings(attempts=2, crashes=2, backoff=0.0)
PASS = Outcome("done", "head", "pass", "success")


class FakeReviewer:
    """Records its calls; `on_review` and `on_check` are what the test makes it do."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.on_review: Callable[[Callable[[], None]], Outcome] = lambda _check_current: PASS
        self.on_check: Callable[[], None] = lambda: None

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        self.calls.append(("review", str(run.attempt)))
        return self.on_review(check_current)

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        self.calls.append(("incomplete", reason))
        self.on_check()

    def cancel_check(self, run: Run, reason: str) -> None:
        self.calls.append(("cancel", reason))
        self.on_check()


class Bench:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.reviewer = FakeReviewer()
        self.runner = Runner(service.store, self.reviewer, JOBS)

    def row(self, guid: str = "a", number: int = 1) -> Any:
        with self.service.store.transaction() as tx:
            return tx.execute(RUN.select().where(RUN.c.id == f"{guid}/{number}")).one()

    def claim(self, guid: str = "a", number: int = 1) -> Run:
        return claimed(self.service.store, f"{guid}/{number}")

    def perform(self, guid: str = "a", number: int = 1) -> str:
        """Does the run; the state that this returns has to be the one that is stored."""
        state = self.runner.perform(self.claim(guid, number))
        assert self.row(guid, number).state == state
        return state


def raiser(error: Exception) -> Callable[..., Any]:
    def act(*_: object) -> Any:
        raise error

    return act


@pytest.fixture
def bench(service: Service) -> Bench:
    service.deliver("a", 1, "head-a")
    return Bench(service)


def test_a_review_is_done_once(bench: Bench) -> None:
    run = bench.claim()
    assert bench.runner.perform(run) == "done"
    assert bench.runner.perform(run) == "superseded"
    assert (bench.reviewer.calls, bench.row().conclusion) == ([("review", "1")], "success")


def test_a_rate_limit_stops_the_whole_installation_and_costs_no_attempt(bench: Bench) -> None:
    bench.service.deliver("b", 2, "head-b")
    bench.reviewer.on_review = raiser(RateLimited("wait", seconds=100))
    assert bench.perform() == "waiting"
    row = bench.row()
    assert (row.fence, row.failures, row.crashes) == (2, 0, 0)
    assert delays(bench.service.store) == {"a/1": 100, "b/2": 0}
    assert claim_next(bench.service.store, "me") is None


def test_a_spent_write_budget_lets_other_runs_go_on_and_costs_no_attempt(bench: Bench) -> None:
    bench.service.deliver("b", 2, "head-b")
    bench.reviewer.on_review = raiser(WriteBudgetSpent(100.0))
    assert bench.perform() == "waiting"
    row = bench.row()
    assert (row.fence, row.failures, row.crashes) == (2, 0, 0)
    assert delays(bench.service.store) == {"a/1": 100, "b/2": 0}
    bench.reviewer.on_review = lambda _check_current: PASS
    next_run = claim_next(bench.service.store, "me")
    assert next_run is not None
    assert (next_run.id, bench.runner.perform(next_run)) == ("b/2", "done")


def test_after_the_last_attempt_the_check_is_concluded_as_incomplete(bench: Bench) -> None:
    bench.reviewer.on_review = raiser(GitHubUnavailable("502"))
    assert [bench.perform() for _ in range(3)] == ["waiting", "waiting", "dead"]
    assert bench.reviewer.calls == [("review", "1"), ("review", "2"), ("incomplete", "502")]


def test_concluding_a_dead_run_is_attempted_a_few_times(bench: Bench) -> None:
    bench.reviewer.on_review = bench.reviewer.on_check = raiser(GitHubUnavailable("502"))
    states = [bench.perform() for _ in range(JOBS.attempts + FINAL_ATTEMPTS + 1)]
    assert states == ["waiting"] * (JOBS.attempts + FINAL_ATTEMPTS) + ["dead"]
    assert bench.reviewer.calls.count(("incomplete", "502")) == FINAL_ATTEMPTS


def test_a_run_that_kills_its_workers_is_concluded_as_incomplete(bench: Bench) -> None:
    for fence in range(1, JOBS.crashes + 1):
        with bench.service.store.transaction() as tx:
            runs.requeue(tx, "a/1", fence, cost="crashes")
    assert bench.perform() == "dead"
    assert bench.reviewer.calls == [("incomplete", "the worker died 2 times while it reviewed this pull request")]


@pytest.mark.parametrize("action", ["synchronize", "closed"])
def test_a_review_that_is_not_current_any_more_cancels_its_check(bench: Bench, action: str) -> None:
    def review(check_current: Callable[[], None]) -> Outcome:
        bench.service.deliver("b", 1, "head-b", action)
        check_current()
        raise AssertionError

    bench.reviewer.on_review = review
    assert bench.perform() == "superseded"
    assert bench.reviewer.calls == [("review", "1"), ("cancel", "a newer head is waiting")]


def test_a_run_whose_head_moved_is_queued_again_at_no_cost(bench: Bench) -> None:
    bench.reviewer.on_review = lambda _check_current: Outcome("superseded", "head-a")
    assert bench.perform() == "waiting"
    row = bench.row()
    assert (row.fence, row.failures, row.crashes) == (2, 0, 0)
    assert delays(bench.service.store) == {"a/1": 0}
    bench.reviewer.on_review = lambda _check_current: PASS
    assert bench.perform() == "done"


def test_a_run_that_waits_for_others_is_woken_by_their_end_at_no_cost(bench: Bench) -> None:
    """What the reviewer does in between is that of review/reviewer.py, without GitHub."""
    bench.service.deliver("b", 2, "head-a")

    def review(guid: str, number: int) -> Outcome:
        row = bench.row(guid, number)
        run = Run(**{name: getattr(row, name) for name in Run.__slots__})
        with bench.service.store.transaction() as tx:
            verdicts.begin(tx, run, "head-a")
            others = verdicts.record(tx, run, "head-a", "pass", "success")
        assert others is not None
        return Outcome("waiting", "head-a") if verdicts.shared_conclusion("success", others) is None else PASS

    bench.reviewer.on_review = lambda _check_current: review("a", 1)
    assert bench.perform() == "waiting"
    row = bench.row()
    assert (row.waits_for_siblings, row.fence, row.failures, row.crashes) == (True, 2, 0, 0)
    assert delays(bench.service.store) == {"a/1": SIBLING_DELAY, "b/2": 0}
    assert bench.perform() == "waiting"
    bench.reviewer.on_review = lambda _check_current: replace(review("b", 2), head_sha="head-a")
    assert bench.perform("b", 2) == "done"
    row = bench.row()
    assert (row.waits_for_siblings, row.state, row.fence) == (False, "waiting", 4)
    assert delays(bench.service.store) == {"a/1": 0}
    bench.reviewer.on_review = lambda _check_current: review("a", 1)
    assert bench.perform() == "done"


def test_what_a_run_found_to_review_is_queued_with_its_end(bench: Bench) -> None:
    pulls = (PullHead(2, "head-b"), PullHead(3, "head-c"))
    bench.reviewer.on_review = lambda _check_current: Outcome("done", "head-a", pulls=pulls)
    assert bench.perform() == "done"
    assert delays(bench.service.store) == {"a/2": 0, "a/3": SPREAD}


@pytest.mark.parametrize(
    ("outcome", "known"),
    [
        (PASS, ("head", False)),
        (Outcome("cancelled", "head"), ("head", True)),
        (Outcome("dead", "head"), ("head-a", False)),
    ],
    ids=["done", "cancelled", "dead"],
)
def test_what_github_said_of_the_pull_request_is_recorded(
    bench: Bench, outcome: Outcome, known: tuple[str, bool]
) -> None:
    bench.reviewer.on_review = lambda _check_current: outcome
    bench.perform()
    with bench.service.store.transaction() as tx:
        row = tx.execute(HEAD.select()).one()
    assert (row.sha, row.closed) == known


def test_a_review_may_find_a_newer_head_on_github(bench: Bench) -> None:
    bench.reviewer.on_review = raiser(Superseded("the head changed"))
    assert bench.perform() == "superseded"
    assert bench.reviewer.calls == [("review", "1"), ("cancel", "GitHub has a newer head")]


def test_a_review_that_lost_its_run_writes_nothing(bench: Bench) -> None:
    def review(check_current: Callable[[], None]) -> Outcome:
        with bench.service.store.transaction() as tx:
            runs.requeue(tx, "a/1", 1, cost="crashes")
        check_current()
        raise AssertionError

    bench.reviewer.on_review = review
    assert bench.runner.perform(bench.claim()) == "superseded"
    assert bench.reviewer.calls == [("review", "1")]
    assert bench.row().state == "waiting"


def test_the_outcome_of_a_lost_run_is_dropped(bench: Bench) -> None:
    def review(_check_current: Callable[[], None]) -> Outcome:
        with bench.service.store.transaction() as tx:
            runs.requeue(tx, "a/1", 1, cost="crashes")
        return PASS

    bench.reviewer.on_review = review
    assert bench.runner.perform(bench.claim()) == "superseded"
    assert (bench.row().state, bench.row().conclusion) == ("waiting", None)


def test_a_run_that_never_started_has_no_check_to_cancel(bench: Bench) -> None:
    run = bench.claim()
    bench.service.deliver("b", 1, "head-b", "closed")
    assert bench.runner.perform(run) == "superseded"
    assert bench.reviewer.calls == []


def test_cancelling_a_check_is_tried_again(bench: Bench) -> None:
    bench.reviewer.on_review = raiser(GitHubUnavailable("502"))
    bench.perform()
    bench.service.deliver("b", 1, "head-b")
    bench.reviewer.on_check = raiser(GitHubUnavailable("502"))
    assert bench.perform() == "waiting"
    bench.reviewer.on_check = lambda: None
    assert bench.perform() == "superseded"
    assert bench.reviewer.calls == [("review", "1"), *[("cancel", "a newer head is waiting")] * 2]


def test_backoff_doubles_up_to_its_limit() -> None:
    jobs = JobSettings(backoff=4.0, backoff_limit=20.0)
    longest = [4.0, 8.0, 16.0, 20.0, 20.0]
    for times, most in (*enumerate(longest, start=1), (10_000, 20.0)):
        assert all(most / 2 <= backoff(jobs, times) <= most for _ in range(20))
