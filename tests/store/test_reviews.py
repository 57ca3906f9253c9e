"""What reviews found is kept by head, and of each pull request the newest is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from gracegate.store import RecordedFinding, RecordedReview, Run, Store, reviews
from gracegate.store.tables import REVIEW

FINDING = RecordedFinding("5b2f3c1d9e8a", "single-replica", "warning", False)
REVIEWED = RecordedReview(
    repository_id=42,
    number=1,
    head_sha="head",
    merge_base_sha="base",
    base_tip_sha="tip",
    verdict="fail",
    conclusion="failure",
    policies={"gracegate": "a8bdaa26b806", "acme": "0123456789ab"},
    findings=(FINDING, RecordedFinding("0f0f0f0f0f0f", "image-not-pinned", "error", True)),
)


def record(store: Store, age: float, **changes: Any) -> RecordedReview:
    """Record a review as if it had been done `age` seconds ago."""
    review = replace(REVIEWED, **changes)
    with store.transaction() as tx:
        reviews.record(tx, review)
        own = (REVIEW.c.number == review.number) & (REVIEW.c.head_sha == review.head_sha)
        tx.execute(sa.update(REVIEW).where(own).values(concluded_at=REVIEW.c.concluded_at - age))
    return review


def newest(store: Store, count: int = 10, repository_id: int = 42) -> list[RecordedReview]:
    with store.reading() as tx:
        found = reviews.newest_reviews(tx, repository_id, count)
    assert all(one.concluded_at > 0 for one in found)
    return [replace(one, concluded_at=0.0) for one in found]


def test_nothing_is_known_of_a_repository_without_reviews(store: Store) -> None:
    record(store, 0, repository_id=43)
    assert newest(store) == []


def test_a_review_comes_back_as_it_was_recorded(store: Store) -> None:
    record(store, 0)
    nothing = record(store, 60, number=2, merge_base_sha="", base_tip_sha="", policies={}, findings=())
    assert newest(store) == [REVIEWED, nothing]


def test_the_newest_head_of_each_pull_request_counts(store: Store) -> None:
    record(store, 300)
    second = record(store, 200, number=2)
    newer = record(store, 100, head_sha="newer", findings=(FINDING,))
    record(store, 400, number=3)
    assert newest(store, 2) == [newer, second]


def test_the_last_review_of_a_head_replaces_the_one_before(store: Store) -> None:
    record(store, 300)
    record(store, 200, number=2)
    again = record(store, 0, verdict="pass", conclusion="success", findings=())
    assert newest(store, 1) == [again]


def test_what_other_pull_requests_had_since_then(store: Store) -> None:
    record(store, 300, findings=(replace(FINDING, rule="long-ago"),))
    record(store, 100, number=2, findings=(FINDING, replace(FINDING, rule="other")))
    record(store, 100, number=3, findings=(replace(FINDING, rule="own"),))
    record(store, 100, repository_id=43, findings=(replace(FINDING, rule="elsewhere"),))
    run = Run("r", "d", "", "", 7, 42, "shop/web", 3, "head", 1, 0, 0, 0, None)
    with store.reading() as tx:
        since = max(tx.scalars(sa.select(REVIEW.c.concluded_at))) - 100
        rules = ("single-replica", "other", "own", "long-ago", "elsewhere")
        assert [rule for rule in rules if reviews.has_found(tx, run, rule, since)] == ["single-replica", "other"]
