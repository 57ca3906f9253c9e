"""A service that has reviewed much: two public repositories and a private one, runs of all kinds, and writes."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from gracegate.store import (
    AuditRow,
    Delivery,
    KnownRepository,
    PullHead,
    RecordedFinding,
    RecordedReview,
    RecordedWaiver,
    Store,
    audit,
    deliveries,
    repositories,
    reviews,
    runs,
)
from gracegate.store.tables import REVIEW, RUN, now

DAY = 86400.0
RULES = ("prestop-drain-missing", "readiness-probe-missing", "rollout-drops-all-replicas", "grace-period-exhausted")
TODAY = dt.datetime.now(dt.UTC).date()
WAIVERS = (
    RecordedWaiver("single-replica", "Deployment labs/try, container app", "An experiment.", None),
    RecordedWaiver("prestop-drain-missing", "Deployment shop/old", "It goes away.", f"{TODAY + dt.timedelta(days=9)}"),
    RecordedWaiver("pdb-missing", "Deployment shop/<b>cart</b>", "Moved in June.", f"{TODAY - dt.timedelta(days=9)}"),
)


def fill(store: Store, names: dict[int, tuple[str, bool]], count: int = 40) -> None:
    """Reviews of the repositories by id, with their names and whether they are public."""
    with store.transaction() as tx:
        for place, (repository_id, (name, is_public)) in enumerate(names.items()):
            repositories.record_review(tx, 7, repository_id, KnownRepository(name, is_public))
            for number in range(count):
                record(tx, repository_id, number + place, days=(count - number) * 1.7)
        one = next(iter(names))
        for number, error in ((901, None), (902, "GitHub answered 502"), (903, "the check took too long")):
            delivery = Delivery(f"d-{number}", "pull_request", "opened", 7, one, names[one][0])
            deliveries.accept(tx, delivery, [PullHead(number, f"{number:040x}")])
            if error:
                changes = {"failures": number - 900, "error": error}
                tx.execute(sa.update(RUN).where(RUN.c.number == number).values(changes))
        runs.finish(tx, "d-903/903", 1, "dead", error="the check took too long")
        for number in range(120):
            path, summary = f"/repos/shop/open/check-runs/{number}", "conclude the check as success"
            row = AuditRow("1", "PATCH", path, summary, 7, "shop/open", number + 1, "d-901", "d-901/901", 200)
            audit.add(tx, row)


def record(tx: sa.Connection, repository_id: int, number: int, days: float) -> None:
    """A review of a pull request that ended so many days ago; its outcome depends on the number."""
    found = tuple(
        RecordedFinding(f"{rule}-{number}", rule, "error" if number % 7 == 0 else "warning", number % 7 == 0)
        for place, rule in enumerate(RULES)
        if number % (place + 2) == 0
    )
    verdict = "fail" if any(one.blocks for one in found) else "incomplete" if number % 11 == 0 else "pass"
    conclusion = "failure" if verdict != "pass" else "neutral" if found else "success"
    not_covered = {"not_followed": 2, "template": 1} if number % 3 == 0 else {}
    commits = (f"{number:040x}", f"{1:040x}", f"{2:040x}")
    more = (found, WAIVERS if number % 5 == 0 else (), not_covered)
    reviews.record(tx, RecordedReview(repository_id, number, *commits, verdict, conclusion, {}, *more))
    own = (REVIEW.c.repository_id == repository_id, REVIEW.c.number == number)
    tx.execute(sa.update(REVIEW).where(*own).values(concluded_at=now() - days * DAY))
