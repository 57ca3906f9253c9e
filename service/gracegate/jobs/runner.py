"""One attempt at one run: have it reviewed, and store how it ended or when it is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

import structlog

from gracegate.errors import GracegateError, RateLimited, Superseded, WriteBudgetSpent
from gracegate.jobs import metrics
from gracegate.settings import JobSettings
from gracegate.store import (
    CANCELLED,
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
    deliveries,
    runs,
    verdicts,
)

log = structlog.get_logger(__name__)
T = TypeVar("T")

# How often concluding the check of a dead run is attempted before the check is left as it is.
FINAL_ATTEMPTS = 3
# Seconds. GitHub, or a wrong clock, may ask for more; the rate limit is read again then.
MAX_DELAY = 3600.0
# Seconds after which a run that waits for siblings looks again, although none of their runs has ended: they may have
# left the head, and the worker that would have told may have died.
SIBLING_DELAY = 60.0
_CANCEL_REASONS: dict[RunStatus, str] = {
    "current": "GitHub has a newer head",
    "superseded": "a newer head is waiting",
    "lost": "another worker took over",
}


class Reviewer(Protocol):
    """What a worker does with a run. All three are called again after a crash, so each must be idempotent."""

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        """Review; any exception but Superseded, RateLimited and WriteBudgetSpent is a failed attempt.

        Deliveries come out of order, so the reviewer has to ask GitHub for the state and the head of the pull request.
        It returns `superseded` if the head moved meanwhile: the run is queued again, as no webhook may tell of that;
        and `waiting` if its verdict is recorded and other pull requests with this head have none yet.
        `check_current` raises Superseded when this review may no longer write: call it before each write to GitHub.
        """

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        """Conclude the check as `incomplete`: no attempt is left, and the last one failed with `reason`."""

    def cancel_check(self, run: Run, reason: str) -> None:
        """Conclude as `cancelled` the check that an earlier attempt may have started; there may be none."""


class Runner:
    """Does the runs that the executor of this process has claimed."""

    def __init__(self, store: Store, reviewer: Reviewer, jobs: JobSettings) -> None:
        self._store = store
        self._reviewer = reviewer
        self._jobs = jobs

    def perform(self, run: Run) -> str:
        """Do the run; returns its state afterwards."""
        with structlog.contextvars.bound_contextvars(
            delivery=run.delivery_id, repository=run.repository, pull_request=run.number, fence=run.fence
        ):
            status = self._status(run)
            if status != "current":
                return self._supersede(run, status, was_started=run.starts > 0)
            if run.failures >= self._jobs.attempts or run.crashes >= self._jobs.crashes:
                return self._end_as_dead(run)
            return self._review(run)

    def _review(self, run: Run) -> str:
        began = time.monotonic()
        try:
            outcome = self._attempt(run, lambda: self._reviewer.review(run, lambda: self._check_current(run)))
        except Superseded:
            return self._supersede(run, self._status(run), was_started=True)
        finally:
            metrics.SECONDS.observe(time.monotonic() - began)
        if outcome is None:
            return WAITING
        if outcome.state == SUPERSEDED:
            return self._requeue(run, 0.0, SUPERSEDED)
        if outcome.state == WAITING:
            return self._wait_for_siblings(run)
        return self._finish(run, outcome)

    def _supersede(self, run: Run, status: RunStatus, *, was_started: bool) -> str:
        """End a run whose result is not needed. One that was started may have left a check in progress."""
        if status == "lost":
            return SUPERSEDED
        if was_started and not self._try_to(run, lambda: self._reviewer.cancel_check(run, _CANCEL_REASONS[status])):
            return WAITING
        return self._finish(run, Outcome("superseded", run.head_sha))

    def _end_as_dead(self, run: Run) -> str:
        reason = run.error or f"the worker died {run.crashes} times while it reviewed this pull request"
        log.error("run_is_dead", reason=reason, failures=run.failures, crashes=run.crashes)
        final_attempts = max(run.failures - self._jobs.attempts, run.crashes - self._jobs.crashes)
        if final_attempts < FINAL_ATTEMPTS and not self._try_to(
            run, lambda: self._reviewer.conclude_as_incomplete(run, reason)
        ):
            return WAITING
        return self._finish(run, Outcome("dead", run.head_sha))

    def _try_to(self, run: Run, act: Callable[[], None]) -> bool:
        """Call `act`; False where it failed and the run was requeued."""

        def act_and_confirm() -> bool:
            act()
            return True

        try:
            return self._attempt(run, act_and_confirm) is not None
        except Superseded:
            return True

    def _attempt(self, run: Run, act: Callable[[], T]) -> T | None:
        """The result of `act`, or None where it failed and the run was requeued."""
        try:
            return act()
        except Superseded:
            raise
        except RateLimited as limit:
            seconds = min(max(limit.seconds, 1.0), MAX_DELAY)
            log.warning("rate_limited", seconds=seconds)
            self._transact(lambda tx: runs.set_rate_limit(tx, run.installation_id, seconds))
            self._requeue(run, seconds, "rate_limited")
        except WriteBudgetSpent as spent:
            # Other runs of the installation may go on: their checks come before this one's comments.
            delay = max(spent.seconds, backoff(self._jobs, run.starts + 1))
            log.info("write_budget_spent", seconds=delay)
            self._requeue(run, delay, "write_budget_spent")
        except Exception as error:
            # Any error is a failed attempt.
            failures = run.failures + 1
            log.exception("attempt_failed", attempt=failures, of=self._jobs.attempts)
            # No delay before the check is concluded as incomplete: the author has waited long enough.
            delay = 0.0 if failures == self._jobs.attempts else backoff(self._jobs, failures)
            self._requeue(run, delay, "failed", cost="failures", error=_public_message(error))
        return None

    def _requeue(self, run: Run, delay: float, reason: str, *, cost: Cost = None, error: str = "") -> str:
        self._transact(lambda tx: runs.requeue(tx, run.id, run.fence, delay=delay, cost=cost, error=error))
        metrics.REVIEWS.labels(outcome=reason).inc()
        return WAITING

    def _wait_for_siblings(self, run: Run) -> str:
        def write(tx: Transaction) -> None:
            runs.wait_for_siblings(tx, run.id, run.fence, SIBLING_DELAY)
            # They may have got their verdicts since this run has looked.
            verdicts.wake(tx, run.repository_id)

        self._transact(write)
        metrics.REVIEWS.labels(outcome=WAITING).inc()
        return WAITING

    def _finish(self, run: Run, outcome: Outcome) -> str:
        def write(tx: Transaction) -> bool:
            ended = runs.finish(tx, run.id, run.fence, outcome.state, conclusion=outcome.conclusion)
            if ended and run.subject not in runs.BESIDE_REVIEW and outcome.state in {DONE, CANCELLED}:
                is_closed = outcome.state == CANCELLED
                runs.record_pull_request(tx, run, outcome.head_sha, closed=is_closed)
                verdicts.leave_heads(tx, run, outcome.head_sha, closed=is_closed)
            if ended:
                verdicts.wake(tx, run.repository_id)
            if ended and outcome.pulls:
                deliveries.queue_again(tx, run.delivery, outcome.pulls)
            if ended and outcome.next is not None:
                deliveries.queue_next(tx, run.delivery, outcome.next, f"{run.id}/{run.fence}")
            return ended

        state = outcome.state if self._transact(write) else SUPERSEDED
        metrics.REVIEWS.labels(outcome=outcome.verdict or state if state == DONE else state).inc()
        log.info(
            "run_ended", state=state, verdict=outcome.verdict, conclusion=outcome.conclusion, head=outcome.head_sha
        )
        return state

    def _status(self, run: Run) -> RunStatus:
        return self._retry(self._store.reading, lambda tx: runs.status(tx, run.id, run.fence))

    def _check_current(self, run: Run) -> None:
        status = self._status(run)
        if status != "current":
            raise Superseded(_CANCEL_REASONS[status])

    def _transact(self, act: Callable[[Transaction], T]) -> T:
        return self._retry(self._store.transaction, act)

    def _retry(self, begin: Callable[[], AbstractContextManager[Transaction]], act: Callable[[Transaction], T]) -> T:
        """Retries until the database is available: the result of a review must not be lost because it was away."""
        delay = 0.1
        while True:
            try:
                with begin() as tx:
                    return act(tx)
            except DatabaseUnavailable as error:
                log.warning("database_unavailable", error=str(error))
                time.sleep(delay)
                delay = min(delay * 2, 5.0)


def backoff(jobs: JobSettings, times: int) -> float:
    """Seconds before the next attempt after `times` failures: doubled each time up to the limit, with jitter."""
    longest = min(jobs.backoff * 2.0 ** min(times - 1, 60), jobs.backoff_limit)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def _public_message(error: Exception) -> str:
    """What may be shown on the pull request: our own errors are worded for it, others may hold secrets."""
    return str(error)[:1000] if isinstance(error, GracegateError) else f"an internal error ({type(error).__name__})"
