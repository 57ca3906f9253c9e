"""One try of one run: claim it, have it reviewed, and write down how it ended or when it is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from gracegate.errors import GracegateError, RateLimited, Superseded
from gracegate.jobs import metrics
from gracegate.jobs.queue import Queue
from gracegate.jobs.work import Outcome, Reviewer, Work
from gracegate.settings import JobSettings
from gracegate.store import runs
from gracegate.store.database import DatabaseUnavailable, Store, Transaction
from gracegate.store.deliveries import CANCELLED, DEAD, DONE, SUPERSEDED, WAITING
from gracegate.store.runs import Cost, Run, Standing

log = structlog.get_logger(__name__)
T = TypeVar("T")

# Tries to conclude the check of a run that failed for good, before it is left as it is.
LAST_WORDS = 3
# What GitHub or a clock that is wrong may ask for, bounded: a gate is asked again when it opens.
LONGEST_WAIT = 3600.0
_WHY: dict[Standing, str] = {
    "current": "GitHub has a newer head",
    "superseded": "a newer head is waiting",
    "closed": "the pull request was closed",
    "lost": "another worker took over",
}


class Runner:
    """Does runs for one executor."""

    def __init__(self, store: Store, queue: Queue, reviewer: Reviewer, executor: str, jobs: JobSettings) -> None:
        self._store = store
        self._queue = queue
        self._reviewer = reviewer
        self._executor = executor
        self._jobs = jobs

    def perform(self, run_id: str, fence: int) -> str:
        """Do the run if it is still ours at this fence; the name of the state that it is left in."""
        claim = self._insist(lambda tx: runs.claim(tx, run_id, fence, self._executor))
        run = claim.run
        if run is None:
            return SUPERSEDED
        with structlog.contextvars.bound_contextvars(
            delivery=run.delivery_id, repository=run.repository, pull_request=run.number, fence=fence
        ):
            if claim.wait:
                return self._requeue(run, min(claim.wait, LONGEST_WAIT))
            if claim.standing != "current":
                return self._give_way(run, claim.standing, begun=run.starts > 0)
            return self._last_words(run) if self._spent(run) else self._review(run)

    def _review(self, run: Run) -> str:
        began = time.monotonic()
        try:
            outcome = self._try(run, lambda: self._reviewer(Work.of(run), lambda: self._still_mine(run)))
        except Superseded:
            return self._give_way(run, self._standing(run), begun=True)
        finally:
            metrics.SECONDS.observe(time.monotonic() - began)
        return WAITING if outcome is None else self._finish(run, _state(outcome), outcome)

    def _give_way(self, run: Run, standing: Standing, *, begun: bool) -> str:
        """End a run that nobody waits for. One that has begun may have left a check in progress."""
        if standing == "lost":
            return SUPERSEDED
        outcome = Outcome(run.head_sha, superseded=standing != "closed", cancelled=standing == "closed")
        if begun and not self._done(run, lambda: self._reviewer.withdraw(Work.of(run), _WHY[standing])):
            return WAITING
        return self._finish(run, _state(outcome), outcome)

    def _last_words(self, run: Run) -> str:
        reason = run.error or f"the worker died {run.crashes} times while it reviewed this pull request"
        log.error("run_is_dead", reason=reason, failures=run.failures, crashes=run.crashes)
        said_enough = max(run.failures - self._jobs.attempts, run.crashes - self._jobs.crashes) >= LAST_WORDS
        if not said_enough and not self._done(run, lambda: self._reviewer.give_up(Work.of(run), reason)):
            return WAITING
        return self._finish(run, DEAD, Outcome(run.head_sha))

    def _done(self, run: Run, act: Callable[[], None]) -> bool:
        """False where it failed and the run was queued again."""

        def acted() -> bool:
            act()
            return True

        try:
            return self._try(run, acted) is not None
        except Superseded:
            return True

    def _try(self, run: Run, act: Callable[[], T]) -> T | None:
        """What `act` gives, or None where the run was queued again."""
        try:
            return act()
        except Superseded:
            raise
        except RateLimited as limit:
            seconds = min(max(limit.seconds, 1.0), LONGEST_WAIT)
            log.warning("rate_limited", seconds=seconds)
            self._insist(lambda tx: runs.close_gate(tx, run.installation_id, seconds))
            self._requeue(run, seconds)
        except Exception as error:
            # The border of the job: whatever a review meets is a failed attempt, else the engine would end it for good.
            log.exception("attempt_failed", attempt=run.failures + 1, of=self._jobs.attempts)
            self._requeue(run, self._pause(run.failures + 1), cost="failures", error=_said(error))
        return None

    def _requeue(self, run: Run, delay: float, *, cost: Cost = None, error: str = "") -> str:
        def write(tx: Transaction) -> None:
            if ticket := runs.requeue(tx, run.id, run.fence, cost=cost, error=error):
                self._queue.put(tx, ticket, delay)

        self._insist(write)
        metrics.REVIEWS.labels(outcome="failed" if cost else "rate_limited").inc()
        return WAITING

    def _finish(self, run: Run, state: str, outcome: Outcome) -> str:
        def write(tx: Transaction) -> bool:
            ended = runs.finish(tx, run.id, run.fence, state, conclusion=outcome.conclusion)
            if ended and outcome.verdict is not None:
                runs.conclude(tx, run, outcome.head_sha, outcome.verdict, outcome.conclusion)
            return ended

        if not self._insist(write):
            state = SUPERSEDED
        _count(state, outcome)
        log.info(
            "run_ended", state=state, verdict=outcome.verdict, conclusion=outcome.conclusion, head=outcome.head_sha
        )
        return state

    def _standing(self, run: Run) -> Standing:
        return self._insist(lambda tx: runs.standing(tx, run.id, run.fence))

    def _still_mine(self, run: Run) -> None:
        standing = self._standing(run)
        if standing != "current":
            raise Superseded(_WHY[standing])

    def _spent(self, run: Run) -> bool:
        return run.failures >= self._jobs.attempts or run.crashes >= self._jobs.crashes

    def _pause(self, failures: int) -> float:
        """None before the last words: the failure has been waited for long enough."""
        return 0.0 if failures == self._jobs.attempts else backoff(self._jobs, failures)

    def _insist(self, write: Callable[[Transaction], T]) -> T:
        """Retried until the database is back: what a review did may not be forgotten because it was away."""
        pause = 0.1
        while True:
            try:
                with self._store.transaction() as tx:
                    return write(tx)
            except DatabaseUnavailable as error:
                log.warning("database_unavailable", error=str(error))
                time.sleep(pause)
                pause = min(pause * 2, 5.0)


def backoff(jobs: JobSettings, times: int) -> float:
    """Seconds before the next try after `times` failures: doubled each time, with jitter, up to the limit."""
    longest = min(jobs.backoff * 2.0 ** (times - 1), jobs.backoff_limit)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def _state(outcome: Outcome) -> str:
    if outcome.superseded:
        return SUPERSEDED
    return CANCELLED if outcome.cancelled else DONE


def _said(error: Exception) -> str:
    """What may be shown on the pull request: our own errors are worded for it, others may hold anything."""
    return str(error)[:1000] if isinstance(error, GracegateError) else f"an internal error ({type(error).__name__})"


def _count(state: str, outcome: Outcome) -> None:
    metrics.REVIEWS.labels(outcome=outcome.verdict or state if state == DONE else state).inc()
    if state == DONE:
        metrics.COMMENTS.inc(outcome.comments)
        metrics.SUGGESTIONS.inc(outcome.suggestions)
        for reason, times in outcome.refusals.items():
            metrics.REFUSALS.labels(reason=reason).inc(times)
