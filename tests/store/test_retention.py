"""What is old goes, in small transactions, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from gracegate.store import Keep, KnownRepository, Store, repositories, retention
from gracegate.store.tables import (
    AUDIT,
    DELIVERY,
    EXECUTOR,
    HEAD,
    POLICY_RULES,
    RATE_LIMIT,
    REPORT,
    REVIEW,
    RUN,
    SESSION,
    SHARED_TASK,
    SWEEP,
    VERDICT,
    WRITE_BUDGET,
    now,
)

DAY = 86400.0
# What a column of this type holds where the test does not care.
FILL: dict[type[sa.types.TypeEngine[Any]], Any] = {
    sa.Text: "x",
    sa.BigInteger: 42,
    sa.Integer: 1,
    sa.Boolean: False,
    sa.JSON: {},
    sa.LargeBinary: b"x",
}


def add(tx: sa.Connection, table: sa.Table, **values: Any) -> None:
    """Insert a row; numbers of days are times so long ago."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.name in values and isinstance(column.type, sa.Float):
            row[column.name] = now() - values[column.name] * DAY
        elif column.name in values:
            row[column.name] = values[column.name]
        elif not column.nullable:
            row[column.name] = now() if isinstance(column.type, sa.Float) else FILL[type(column.type)]
    tx.execute(sa.insert(table).values(row))


def delete_old(store: Store) -> int:
    """Does all steps until nothing is left to do; how many transactions that took."""
    transactions = 0
    for step in retention.steps(Keep()):
        is_done = False
        while not is_done:
            with store.transaction() as tx:
                is_done = not step(tx)
            transactions += 1
    return transactions


def know_repositories(tx: sa.Connection) -> None:
    add(tx, SHARED_TASK, name="sweep", completed_at=0.1)
    repositories.replace(tx, 7, {42: KnownRepository("shop/web", is_public=True)})


Act = Callable[[sa.Connection], object]
OLD: dict[str, tuple[sa.Table, Act]] = {
    "a run": (RUN, lambda tx: add(tx, RUN, finished_at=31)),
    "a delivery": (DELIVERY, lambda tx: add(tx, DELIVERY, received_at=31)),
    "a closed pull request": (HEAD, lambda tx: add(tx, HEAD, closed=True, updated_at=31)),
    "a pull request of a repository that is gone": (
        HEAD,
        lambda tx: (know_repositories(tx), add(tx, HEAD, repository_id=43, updated_at=2)),
    ),
    "a verdict of no pull request": (VERDICT, lambda tx: add(tx, VERDICT, concluded_at=2)),
    "a review": (REVIEW, lambda tx: add(tx, REVIEW, concluded_at=91)),
    "a review of a repository that is gone": (
        REVIEW,
        lambda tx: (know_repositories(tx), add(tx, REVIEW, repository_id=43, concluded_at=2)),
    ),
    "a report": (REPORT, lambda tx: add(tx, REPORT, created_at=31)),
    "a report of an earlier head": (
        REPORT,
        lambda tx: (add(tx, REPORT, head_sha="a", created_at=31), add(tx, HEAD, sha="b")),
    ),
    "a report of a closed pull request": (
        REPORT,
        lambda tx: (add(tx, REPORT, head_sha="a", created_at=31), add(tx, HEAD, sha="a", closed=True)),
    ),
    "a report of a repository that is gone": (
        REPORT,
        lambda tx: (know_repositories(tx), add(tx, REPORT, repository_id=43, created_at=2)),
    ),
    "a write": (AUDIT, lambda tx: add(tx, AUDIT, at=91)),
    "a rate limit": (RATE_LIMIT, lambda tx: add(tx, RATE_LIMIT, blocked_until=0.1)),
    "a full budget": (
        WRITE_BUDGET,
        lambda tx: add(tx, WRITE_BUDGET, minute_full_at=0.1, hour_full_at=0.1, notifications_full_at=0.1),
    ),
    "a heartbeat": (EXECUTOR, lambda tx: add(tx, EXECUTOR, heartbeat_at=2)),
    "a session": (SESSION, lambda tx: add(tx, SESSION, expires_at=0.1)),
}
KEPT: dict[str, tuple[sa.Table, Act]] = {
    "a session": (SESSION, lambda tx: add(tx, SESSION, expires_at=-0.1)),
    "a run": (RUN, lambda tx: add(tx, RUN, finished_at=29)),
    "a run that has not ended": (RUN, lambda tx: add(tx, RUN, created_at=99, updated_at=99)),
    "the newest run of a pull request": (
        RUN,
        lambda tx: (add(tx, RUN, id="a", number=5, finished_at=99), add(tx, HEAD, number=5, run_id="a")),
    ),
    "a delivery": (DELIVERY, lambda tx: add(tx, DELIVERY, received_at=29)),
    "a delivery with a run": (
        DELIVERY,
        lambda tx: (add(tx, DELIVERY, received_at=99, id="d"), add(tx, RUN, delivery_id="d")),
    ),
    "a closed pull request": (HEAD, lambda tx: add(tx, HEAD, closed=True, updated_at=29)),
    "an open pull request": (HEAD, lambda tx: (know_repositories(tx), add(tx, HEAD, updated_at=999))),
    "a pull request while the repositories are not known": (HEAD, lambda tx: add(tx, HEAD, updated_at=999)),
    "a pull request of a repository that may be new": (
        HEAD,
        lambda tx: (know_repositories(tx), add(tx, HEAD, repository_id=43, updated_at=0.5)),
    ),
    "a verdict": (VERDICT, lambda tx: (add(tx, VERDICT, concluded_at=999), add(tx, HEAD))),
    "a review of no pull request": (REVIEW, lambda tx: (know_repositories(tx), add(tx, REVIEW, concluded_at=89))),
    "a review while the repositories are not known": (REVIEW, lambda tx: add(tx, REVIEW, concluded_at=2)),
    "a report": (REPORT, lambda tx: add(tx, REPORT, created_at=29)),
    "a report of an open pull request": (
        REPORT,
        lambda tx: (add(tx, REPORT, head_sha="a", created_at=999), add(tx, HEAD, sha="a")),
    ),
    "a write": (AUDIT, lambda tx: add(tx, AUDIT, at=89)),
    "a rate limit": (RATE_LIMIT, lambda tx: add(tx, RATE_LIMIT, blocked_until=-0.1)),
    "a budget": (WRITE_BUDGET, lambda tx: add(tx, WRITE_BUDGET, minute_full_at=1, hour_full_at=-1)),
    "a heartbeat": (EXECUTOR, lambda tx: add(tx, EXECUTOR, heartbeat_at=0.5)),
}


def count(store: Store, table: sa.Table) -> int:
    with store.transaction() as tx:
        return tx.scalar(sa.select(sa.func.count()).select_from(table)) or 0


GOES = [pytest.param(*old, 0, id=f"{name} goes") for name, old in OLD.items()]
STAYS = [pytest.param(*kept, 1, id=f"{name} stays") for name, kept in KEPT.items()]


@pytest.mark.parametrize(("table", "act", "left"), [*GOES, *STAYS])
def test_what_goes(store: Store, table: sa.Table, act: Act, left: int) -> None:
    with store.transaction() as tx:
        act(tx)
    delete_old(store)
    assert count(store, table) == left


def test_one_old_version_of_the_rules_of_a_policy_set_stays(store: Store) -> None:
    with store.transaction() as tx:
        for policy_set, ages in {"acme": (1, 91, 92, 93), "other": (93,)}.items():
            for age in ages:
                add(tx, POLICY_RULES, policy_set=policy_set, digest=str(age), first_used_at=age)
    delete_old(store)
    with store.reading() as tx:
        kept = {(row.policy_set, row.digest) for row in tx.execute(POLICY_RULES.select())}
    assert kept == {("acme", "1"), ("acme", "91"), ("other", "93")}


def test_many_rows_go_in_small_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    with store.transaction() as tx:
        for number in range(35):
            add(tx, RUN, id=f"r{number}", finished_at=31)
            add(tx, HEAD, number=number, closed=True, updated_at=31)
        add(tx, RUN, id="new", finished_at=1)
    assert delete_old(store) == 4 + 4 + 10
    assert (count(store, RUN), count(store, HEAD)) == (1, 0)


def known(names: Mapping[int, str]) -> dict[int, KnownRepository]:
    return {number: KnownRepository(name, is_public=True) for number, name in names.items()}


def test_who_may_see_a_repository_is_what_was_seen_last(store: Store) -> None:
    with store.transaction() as tx:
        assert not repositories.is_public(tx, 1)
        repositories.record(tx, 7, 1, KnownRepository("shop/web", is_public=True))
        assert repositories.is_public(tx, 1)
        repositories.set_private(tx, 1)
        assert not repositories.is_public(tx, 1)
        repositories.replace(tx, 7, known({1: "shop/web"}))
        assert repositories.is_public(tx, 1)


def test_the_repositories_that_the_app_may_read(store: Store) -> None:
    def full_names() -> set[str] | None:
        with store.transaction() as tx:
            return repositories.full_names(tx)

    with store.transaction() as tx:
        repositories.replace(tx, 7, known({1: "shop/web", 2: "shop/old"}))
        repositories.replace(tx, 8, known({3: "other/web"}))
        add(tx, SWEEP, installation_id=7)
    assert full_names() is None
    with store.transaction() as tx:
        add(tx, SHARED_TASK, name="sweep", completed_at=0.1)
        repositories.replace(tx, 7, known({1: "shop/new-name", 4: "shop/more"}))
        # A transfer, which the sweep of its new installation finds first.
        repositories.replace(tx, 8, known({3: "other/web", 1: "other/new-name"}))
    assert full_names() == {"other/new-name", "shop/more", "other/web"}
    with store.transaction() as tx:
        repositories.forget_other_installations(tx, [8])
    assert (full_names(), count(store, SWEEP)) == ({"other/new-name", "other/web"}, 0)
    with store.transaction() as tx:
        tx.execute(sa.update(SHARED_TASK).values(completed_at=now() - 2 * DAY))
    assert full_names() is None
