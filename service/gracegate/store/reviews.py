"""What each review of a pull request evaluated and found. It stays when the pull request is closed or has a newer head,
so that it can be said what other rules would have found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import sqlalchemy as sa

from gracegate.store.runs import Run
from gracegate.store.tables import REVIEW, now, put


@dataclass(frozen=True, slots=True)
class RecordedFinding:
    """A finding that counted: `level` is as it was reported, and `blocks` says whether it made the verdict `fail`."""

    id: str
    rule: str
    level: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class RecordedWaiver:
    """A finding that was waived; `object` is its name in words, `until` a day as 2030-06-30, None without an end."""

    rule: str
    object: str
    reason: str
    until: str | None


@dataclass(frozen=True, slots=True)
class RecordedReview:
    """A review of one head of a pull request.

    The findings are those between `merge_base_sha` and `head_sha`; the configuration was that of `base_tip_sha`, the
    tip of the base branch. Both bases are "" where nothing was fetched, because no file that changed is read.
    `policies` are the digests of the policy sets by name, none where nothing was evaluated. `conclusion` is what the
    check's would be if no other pull request had this head. `not_covered` counts what is not read by design, by the
    code of the problem. `concluded_at` is in seconds since the epoch, 0 while it
    is not recorded.
    """

    repository_id: int
    number: int
    head_sha: str
    merge_base_sha: str
    base_tip_sha: str
    verdict: str
    conclusion: str
    policies: Mapping[str, str]
    findings: tuple[RecordedFinding, ...]
    waivers: tuple[RecordedWaiver, ...] = ()
    not_covered: Mapping[str, int] = field(default_factory=dict)
    concluded_at: float = 0.0


def record(tx: sa.Connection, review: RecordedReview) -> None:
    """Record a review, in the place of an earlier one of the same head."""
    values = {"policies": dict(review.policies), "not_covered": dict(review.not_covered), "concluded_at": now()}
    put(tx, REVIEW, {**asdict(review), **values})


def newest_reviews(tx: sa.Connection, repository_id: int, count: int) -> Sequence[RecordedReview]:
    """The newest review of each of the `count` pull requests of a repository that were reviewed last, newest first."""
    newest_first = (REVIEW.c.concluded_at.desc(), REVIEW.c.head_sha)
    rank = sa.func.row_number().over(partition_by=REVIEW.c.number, order_by=newest_first)
    ranked = sa.select(REVIEW, rank.label("rank")).where(REVIEW.c.repository_id == repository_id).subquery()
    query = sa.select(ranked).where(ranked.c.rank == 1).order_by(ranked.c.concluded_at.desc(), ranked.c.number.desc())
    return [_review(row) for row in tx.execute(query.limit(count))]


def newest_of_all_heads(tx: sa.Connection, repository_id: int, count: int) -> Sequence[RecordedReview]:
    """The newest `count` reviews of a repository, newest first; a pull request may have several."""
    query = sa.select(REVIEW).where(REVIEW.c.repository_id == repository_id)
    return [_review(row) for row in tx.execute(query.order_by(REVIEW.c.concluded_at.desc()).limit(count))]


def has_found(tx: sa.Connection, run: Run, rule: str, since: float) -> bool:
    """Whether reviews of other pull requests of the run's repository have found anything by a rule since then."""
    others = (REVIEW.c.repository_id == run.repository_id, REVIEW.c.number != run.number)
    found = tx.scalars(sa.select(REVIEW.c.findings).where(*others, REVIEW.c.concluded_at >= since))
    return any(finding["rule"] == rule for findings in found for finding in findings)


def _review(row: sa.Row[tuple[object, ...]]) -> RecordedReview:
    values = {name: value for name, value in row._mapping.items() if name != "rank"}  # noqa: SLF001 - its public name
    findings = tuple(RecordedFinding(**finding) for finding in values["findings"])
    waivers = tuple(RecordedWaiver(**waiver) for waiver in values["waivers"])
    return RecordedReview(**{**values, "findings": findings, "waivers": waivers})
