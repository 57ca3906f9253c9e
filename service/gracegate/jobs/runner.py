"""One try of one run: claim it, have it reviewed, and write down how it ended or when it is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import structlog

from gracegate.errors import GracegateError, RateLimited, Superseded
from gracegate.jobs import metrics
from gracegate.jobs.queue import Queue
from gracegate.settings import JobSettings
from gracegate.store import (
    DONE,
    SUPERSEDED,
    WAITING,
    Cost,
    DatabaseUnavailable,
    Outcome,
    Run,
    RunStatus,
    Store,
    Transaction,
    runs,
)

log = structlog.get_logger(__name__)
T = TypeVar("T")

# How often concluding the check of a run that failed for good is tried, before it is left as it is.
FINAL_ATTEMPTS = 3
# Seconds. GitHub, or a clock that is wrong, may ask for more; the rate limit is looked at again then.
LONGEST_WAIT = 3600.0
_WHY: dict[RunStatus, str] = {
    "current": "GitHub has a newer head",
    "superseded": "a newer head is waiting",
    "closed": "the pull request was closed",
    "lost": "another worker took over",
}


class Reviewer(Protocol):
    """What a worker is given to do. All three are called again after a crash, so each must be idempotent."""

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        """Review; any exception but Superseded and RateLimited is a failed attempt.

        `run.head_sha` is the payload's, and deliveries come out of order, so GitHub is asked for the head.
        `check_current` raises Superseded where this review may no longer write: call it before each write to GitHub.
        """

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        """Conclude the check as `incomplete`: the last attempt failed with `reason`."""

    def cancel_check(self, run: Run, reason: str) -> None:
        """Conclude as `cancelled` the check that an earlier try may have started; there may be none."""


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
            if claim.retry_after:
                return self._requeue(run, min(claim.retry_after, LONGEST_WAIT))
            if claim.status != "current":
                return self._supersede(run, claim.status, begun=run.starts > 0)
            return self._final_attempt(run) if self._spent(run) else self._review(run)

    def _review(self, run: Run) -> str:
        began = time.monotonic()
        try:
            outcome = self._try(run, lambda: self._reviewer.review(run, lambda: self._check_current(run)))
        except Superseded:
            return self._supersede(run, self._status(run), begun=True)
        finally:
            metrics.SECONDS.observe(time.monotonic() - began)
        return WAITING if outcome is None else self._finish(run, outcome)

    def _supersede(self, run: Run, status: RunStatus, *, begun: bool) -> str:
        """End a run that nobody waits for. One that has begun may have left a check in progress."""
        if status == "lost":
            return SUPERSEDED
        if begun and not self._done(run, lambda: self._reviewer.cancel_check(run, _WHY[status])):
            return WAITING
        return self._finish(run, Outcome("cancelled" if status == "closed" else "superseded", run.head_sha))

    def _final_attempt(self, run: Run) -> str:
        reason = run.error or f"the worker died {run.crashes} times while it reviewed this pull request"
        log.error("run_is_dead", reason=reason, failures=run.failures, crashes=run.crashes)
        tried = max(run.failures - self._jobs.attempts, run.crashes - self._jobs.crashes)
        if tried < FINAL_ATTEMPTS and not self._done(run, lambda: self._reviewer.conclude_as_incomplete(run, reason)):
            return WAITING
        return self._finish(run, Outcome("dead", run.head_sha))

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
            self._insist(lambda tx: runs.set_rate_limit(tx, run.installation_id, seconds))
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

    def _finish(self, run: Run, outcome: Outcome) -> str:
        def write(tx: Transaction) -> bool:
            ended = runs.finish(tx, run.id, run.fence, outcome.state, conclusion=outcome.conclusion)
            if ended and outcome.verdict is not None:
                runs.conclude(tx, run, outcome.head_sha, outcome.verdict, outcome.conclusion)
            return ended

        state = outcome.state if self._insist(write) else SUPERSEDED
        metrics.REVIEWS.labels(outcome=outcome.verdict or state if state == DONE else state).inc()
        log.info(
            "run_ended", state=state, verdict=outcome.verdict, conclusion=outcome.conclusion, head=outcome.head_sha
        )
        return state

    def _status(self, run: Run) -> RunStatus:
        return self._insist(lambda tx: runs.status(tx, run.id, run.fence))

    def _check_current(self, run: Run) -> None:
        status = self._status(run)
        if status != "current":
            raise Superseded(_WHY[status])

    def _spent(self, run: Run) -> bool:
        return run.failures >= self._jobs.attempts or run.crashes >= self._jobs.crashes

    def _pause(self, failures: int) -> float:
        """0 before the final attempt: the failure has been waited for long enough."""
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


def _said(error: Exception) -> str:
    """What may be shown on the pull request: our own errors are worded for it, others may hold anything."""
    return str(error)[:1000] if isinstance(error, GracegateError) else f"an internal error ({type(error).__name__})"
