"""One try of a run without the engine: a real store and queue, and a review that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gracegate.errors import GitHubUnavailable, RateLimited, Superseded
from gracegate.jobs.runner import FINAL_ATTEMPTS, Runner, backoff
from gracegate.settings import JobSettings
from gracegate.store import Outcome, Run, runs
from gracegate.store.tables import RUN
from tests.jobs.harness import Service, make_service

JOBS = JobSettings(attempts=2, crashes=2, backoff=0.0)
PASS = Outcome("done", "head", "pass", "success")


class Told:
    """A review that raises what it is told to, or does it."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.does: Callable[[Callable[[], None]], Outcome] = lambda _check_current: PASS
        self.other: Callable[[], None] = lambda: None

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        self.said.append(("review", str(run.attempt)))
        return self.does(check_current)

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        self.said.append(("incomplete", reason))
        self.other()

    def cancel_check(self, run: Run, reason: str) -> None:
        self.said.append(("cancel", reason))
        self.other()


class Bench:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.told = Told()
        self.runner = Runner(service.store, service.queue, self.told, "me", JOBS)

    def row(self, guid: str = "a") -> Any:
        with self.service.store.transaction() as tx:
            return tx.execute(RUN.select().where(RUN.c.id == f"{guid}/1")).one()

    def perform(self, guid: str = "a") -> str:
        """Does the run at its present fence, and holds the answer against the row."""
        state = self.runner.perform(f"{guid}/1", self.row(guid).fence)
        assert self.row(guid).state == state
        return state


def raising(error: Exception) -> Callable[..., Any]:
    def act(*_: object) -> Any:
        raise error

    return act


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    service = make_service(tmp_path)
    service.deliver("a", 1, "head-a")
    yield Bench(service)
    service.stop()


def test_a_review_is_done_once(bench: Bench) -> None:
    assert bench.perform() == "done"
    assert bench.runner.perform("a/1", 1) == "superseded"
    assert bench.runner.perform("nobody/1", 1) == "superseded"
    assert bench.told.said == [("review", "1")]
    with bench.service.store.transaction() as tx:
        assert runs.verdicts(tx, 42, "head") == {1: "pass"}


def test_a_rate_limit_closes_the_gate_of_the_installation_and_costs_nothing(bench: Bench) -> None:
    bench.service.deliver("b", 2, "head-b")
    bench.told.does = raising(RateLimited("wait", seconds=100))
    assert bench.perform() == "waiting"
    row = bench.row()
    assert (row.fence, row.failures, row.crashes) == (2, 0, 0)
    assert bench.runner.perform("b/2", 1) == "waiting"
    assert bench.told.said == [("review", "1")]
    assert bench.service.queue.missing({"a/1": 2, "b/2": 2}) == {}


def test_the_last_attempt_is_followed_by_the_last_words(bench: Bench) -> None:
    bench.told.does = raising(GitHubUnavailable("502"))
    assert [bench.perform() for _ in range(3)] == ["waiting", "waiting", "dead"]
    assert bench.told.said == [("review", "1"), ("review", "2"), ("incomplete", "502")]


def test_last_words_that_cannot_be_said_are_tried_a_few_times(bench: Bench) -> None:
    bench.told.does = bench.told.other = raising(GitHubUnavailable("502"))
    states = [bench.perform() for _ in range(JOBS.attempts + FINAL_ATTEMPTS + 1)]
    assert states == ["waiting"] * (JOBS.attempts + FINAL_ATTEMPTS) + ["dead"]
    assert bench.told.said.count(("incomplete", "502")) == FINAL_ATTEMPTS


def test_a_run_that_kills_workers_is_given_up_and_even_that_ends(bench: Bench) -> None:
    for fence in range(1, JOBS.crashes + 1):
        with bench.service.store.transaction() as tx:
            runs.requeue(tx, "a/1", fence, cost="crashes")
    assert bench.perform() == "dead"
    assert bench.told.said == [("incomplete", "the worker died 2 times while it reviewed this pull request")]


@pytest.mark.parametrize(
    ("close", "state", "reason"),
    [(False, "superseded", "a newer head is waiting"), (True, "cancelled", "the pull request was closed")],
)
def test_who_finds_that_it_no_longer_counts_withdraws(bench: Bench, close: bool, state: str, reason: str) -> None:
    def meanwhile(check_current: Callable[[], None]) -> Outcome:
        bench.service.close("b", 1) if close else bench.service.deliver("b", 1, "head-b")
        check_current()
        raise AssertionError

    bench.told.does = meanwhile
    assert bench.perform() == state
    assert bench.told.said == [("review", "1"), ("cancel", reason)]


def test_a_review_may_see_a_newer_head_before_we_do(bench: Bench) -> None:
    bench.told.does = raising(Superseded("GitHub says so"))
    assert bench.perform() == "superseded"
    assert bench.told.said == [("review", "1"), ("cancel", "GitHub has a newer head")]


def test_who_has_lost_its_run_writes_nothing(bench: Bench) -> None:
    def meanwhile(check_current: Callable[[], None]) -> Outcome:
        with bench.service.store.transaction() as tx:
            runs.requeue(tx, "a/1", 1, cost="crashes")
        check_current()
        raise AssertionError

    bench.told.does = meanwhile
    assert bench.runner.perform("a/1", 1) == "superseded"
    assert bench.told.said == [("review", "1")]
    assert bench.row().state == "waiting"


def test_an_outcome_that_comes_after_the_run_was_lost_is_dropped(bench: Bench) -> None:
    def meanwhile(_check_current: Callable[[], None]) -> Outcome:
        with bench.service.store.transaction() as tx:
            runs.requeue(tx, "a/1", 1, cost="crashes")
        return PASS

    bench.told.does = meanwhile
    assert bench.runner.perform("a/1", 1) == "superseded"
    with bench.service.store.transaction() as tx:
        assert runs.verdicts(tx, 42, "head") == {}


def test_what_never_began_has_nothing_to_cancel_check(bench: Bench) -> None:
    assert bench.service.close("b", 1) == "closed"
    assert bench.row().state == "cancelled"
    assert bench.runner.perform("a/1", 1) == "superseded"
    assert bench.told.said == []


def test_a_withdrawal_that_fails_is_tried_again(bench: Bench) -> None:
    bench.told.does = raising(GitHubUnavailable("502"))
    bench.perform()
    bench.service.deliver("b", 1, "head-b")
    bench.told.other = raising(GitHubUnavailable("502"))
    assert bench.perform() == "waiting"
    bench.told.other = lambda: None
    assert bench.perform() == "superseded"
    assert bench.told.said == [("review", "1"), *[("cancel", "a newer head is waiting")] * 2]


def test_backoff_doubles_up_to_its_limit() -> None:
    jobs = JobSettings(backoff=4.0, backoff_limit=20.0)
    longest = [4.0, 8.0, 16.0, 20.0, 20.0]
    for times, most in enumerate(longest, start=1):
        assert all(most / 2 <= backoff(jobs, times) <= most for _ in range(20))
