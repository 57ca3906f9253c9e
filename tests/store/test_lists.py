"""What pages list: repositories by their last review, runs by their state, and what became of deliveries."""

from __future__ import annotations

import sqlalchemy as sa

from gracegate.store import (
    Delivery,
    KnownRepository,
    PullHead,
    RecordedFinding,
    RecordedReview,
    RecordedWaiver,
    Store,
    deliveries,
    executors,
    reports,
    repositories,
    reviews,
    runs,
)
from gracegate.store.tables import REPOSITORY, RUN, now
from tests.store.test_reports import REPORT


def test_repositories_come_by_their_last_review(store: Store) -> None:
    with store.transaction() as tx:
        for number, is_public in ((1, True), (2, False), (3, False), (4, True)):
            repositories.record_review(tx, 7, number, KnownRepository(f"shop/{number}", is_public))
            tx.execute(sa.update(REPOSITORY).where(REPOSITORY.c.id == number).values(reviewed_at=float(number)))
        repositories.record(tx, 7, 5, KnownRepository("shop/never-reviewed", is_public=True))
        # What a sweep finds out says nothing of reviews.
        repositories.replace(tx, 7, {number: KnownRepository(f"shop/{number}", number != 2) for number in range(1, 6)})

        def listed(also: tuple[int, ...], before: float | None = None, limit: int = 9) -> list[int]:
            return [one.id for one in repositories.reviewed(tx, also, before, limit)]

        assert listed(()) == [4, 3, 1]
        assert listed((2, 99)) == [4, 3, 2, 1]
        assert (listed((2,), limit=2), listed((2,), before=3.0)) == ([4, 3], [2, 1])
        assert [repositories.name_of(tx, number) for number in (1, 99)] == ["shop/1", None]


def test_a_review_keeps_what_it_waived_and_did_not_cover(store: Store) -> None:
    finding = RecordedFinding("f", "rule", "error", blocks=True)
    waiver = RecordedWaiver("rule", "Deployment shop/web", "Why not.", "2030-06-30")
    first = RecordedReview(42, 1, "head", "base", "tip", "fail", "failure", {}, (finding,), (waiver,), {"template": 2})
    with store.transaction() as tx:
        reviews.record(tx, first)
        reviews.record(tx, RecordedReview(42, 1, "newer", "base", "tip", "pass", "success", {}, ()))
        reviews.record(tx, RecordedReview(43, 1, "other", "base", "tip", "pass", "success", {}, ()))
        found = reviews.newest_of_all_heads(tx, 42, 9)
        assert [one.head_sha for one in found] == ["newer", "head"]
        assert (found[1].waivers, found[1].not_covered, found[0].waivers) == ((waiver,), {"template": 2}, ())
        assert len(reviews.newest_of_all_heads(tx, 42, 1)) == 1


def test_runs_come_by_their_state(store: Store) -> None:
    with store.transaction() as tx:
        for number in (1, 2, 3, 4):
            delivery = Delivery(f"d{number}", "pull_request", "opened", 7, 40 + number % 2, "shop/web")
            deliveries.accept(tx, delivery, [PullHead(number, "head")])
        assert runs.claim(tx, "d2/2", 1, "worker") is not None
        for number in (3, 4):
            runs.finish(tx, f"d{number}/{number}", 1, "dead", error="it failed")
            tx.execute(sa.update(RUN).where(RUN.c.number == number).values(updated_at=now() + number))
        runs.set_rate_limit(tx, 7, 60.0)
        executors.write_heartbeat(tx, "worker")

        assert [(one.id, one.state) for one in runs.unfinished(tx, 9)] == [("d2/2", "running"), ("d1/1", "waiting")]
        assert [one.id for one in runs.unfinished(tx, 9, [41])] == ["d1/1"]
        assert [(one.id, one.error) for one in runs.dead(tx, 9)] == [("d4/4", "it failed"), ("d3/3", "it failed")]
        assert (len(runs.dead(tx, 1)), [*runs.rate_limits(tx)]) == (1, [7])
        (age,) = executors.heartbeats(tx).values()
        assert 0 <= age < 60
        assert deliveries.outcomes(tx, {"d1", "other"}) == {"d1": "queued"}


def test_the_heads_of_pull_requests_that_have_a_report(store: Store) -> None:
    with store.transaction() as tx:
        reports.save(tx, REPORT)
        assert reports.stored_heads(tx, 42, [REPORT.number, 99]) == {(REPORT.number, REPORT.head_sha)}
        assert reports.stored_heads(tx, 42, [99]) == set()
