"""What a worker and a review say to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gracegate.model import Verdict
from gracegate.store.runs import Run

StillMine = Callable[[], None]
"""Raises Superseded where this review may no longer write: asked before each write to GitHub."""


@dataclass(frozen=True, slots=True)
class Work:
    """One try at a review. `head_sha_hint` is the payload's: deliveries come out of order, so ask GitHub for the head.

    `attempt` counts from 1, rate limits left out; `fence` is the try's number, which grows with every requeue.
    """

    delivery_id: str
    installation_id: int
    repository_id: int
    repository: str
    number: int
    head_sha_hint: str
    action: str
    attempt: int
    fence: int

    @classmethod
    def of(cls, run: Run) -> Work:
        return cls(
            delivery_id=run.delivery_id,
            installation_id=run.installation_id,
            repository_id=run.repository_id,
            repository=run.repository,
            number=run.number,
            head_sha_hint=run.head_sha,
            action=f"{run.event}.{run.action}",
            attempt=run.failures + run.crashes + 1,
            fence=run.fence,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a review ended. `verdict` is None where nothing was judged: superseded, or closed meanwhile (cancelled).

    `refusals` counts the suggestions that were not made, by reason code.
    """

    head_sha: str
    verdict: Verdict | None = None
    conclusion: str = ""
    superseded: bool = False
    cancelled: bool = False
    comments: int = 0
    suggestions: int = 0
    refusals: Mapping[str, int] = field(default_factory=dict)


class Reviewer(Protocol):
    """What a worker is given to do. All three are called again after a crash, so each must be idempotent."""

    def __call__(self, work: Work, still_mine: StillMine) -> Outcome:
        """Review; any exception but Superseded and RateLimited is a failed attempt."""

    def give_up(self, work: Work, reason: str) -> None:
        """Conclude the check as `incomplete`: the last attempt failed with `reason`."""

    def withdraw(self, work: Work, reason: str) -> None:
        """Conclude as `cancelled` the check that an earlier try may have started; there may be none."""
