"""The store alone: what each step changes, and that a step at an old fence changes nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from gracegate.errors import ConfigError
from gracegate.store import (
    Accepted,
    DatabaseUnavailable,
    Delivery,
    PullHead,
    Run,
    Store,
    Ticket,
    deliveries,
    executors,
    runs,
    url_without_password,
)
from gracegate.store.database import database_url
from gracegate.store.runs import Claim
from gracegate.store.tables import DELIVERY, EXECUTOR, HEAD, RUN


def delivery(guid: str) -> Delivery:
    return Delivery(guid, "pull_request", "synchronize", 7, 42, "shop/web")


def run(guid: str, **more: object) -> Run:
    values: dict[str, object] = {"fence": 1, "starts": 0, "failures": 0, "crashes": 0, "error": None, **more}
    return Run(f"{guid}/1", guid, "pull_request", "synchronize", 7, 42, "shop/web", 1, f"sha-{guid}", **values)  # type: ignore[arg-type]


class Desk:
    """The store's functions, each in a transaction of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def accept(self, guid: str, *numbers: int) -> Accepted:
        with self.store.transaction() as tx:
            return deliveries.accept(
                tx, delivery(guid), [PullHead(number, f"sha-{guid}") for number in numbers or (1,)]
            )

    def close(self, guid: str) -> Accepted:
        with self.store.transaction() as tx:
            return deliveries.close(tx, delivery(guid), PullHead(1, f"sha-{guid}"))

    def claim(self, guid: str, fence: int = 1) -> Claim:
        with self.store.transaction() as tx:
            return runs.claim(tx, f"{guid}/1", fence, "worker")

    def standing(self, guid: str, fence: int = 1) -> str:
        with self.store.transaction() as tx:
            return runs.status(tx, f"{guid}/1", fence)

    def requeue(self, guid: str, fence: int, cost: runs.Cost = None, error: str = "") -> Ticket | None:
        with self.store.transaction() as tx:
            return runs.requeue(tx, f"{guid}/1", fence, cost=cost, error=error)

    def finish(self, guid: str, fence: int, state: str) -> bool:
        with self.store.transaction() as tx:
            return runs.finish(tx, f"{guid}/1", fence, state)

    def states(self) -> dict[str, str]:
        with self.store.transaction() as tx:
            return {row.id: row.state for row in tx.execute(RUN.select())}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'new' / 'gracegate.db'}")
    store.create()
    yield store
    store.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def test_a_delivery_is_accepted_once(desk: Desk) -> None:
    assert desk.accept("a") == Accepted((Ticket("a/1", 1, "42/1"),), "queued")
    assert desk.accept("a") == Accepted((), "duplicate")
    assert desk.accept("b", 2, 1) == Accepted((Ticket("b/1", 1, "42/1"), Ticket("b/2", 1, "42/2")), "queued")
    assert desk.states() == {"a/1": "superseded", "b/1": "waiting", "b/2": "waiting"}


@pytest.mark.parametrize(
    ("state", "concluded", "outcome"),
    [
        ("done", False, "duplicate"),
        ("superseded", False, "duplicate"),
        ("dead", True, "duplicate"),
        ("dead", False, "requeued"),
        ("cancelled", False, "requeued"),
    ],
)
def test_a_delivery_again_starts_work_again_only_without_a_concluded_check(
    desk: Desk, state: str, concluded: bool, outcome: str
) -> None:
    desk.accept("a")
    claim = desk.claim("a")
    assert desk.finish("a", 1, state)
    if concluded and claim.run:
        with desk.store.transaction() as tx:
            runs.conclude(tx, claim.run, "sha-a", "pass", "success")
    tickets = (Ticket("a/1", 2, "42/1"),) if outcome == "requeued" else ()
    assert desk.accept("a") == Accepted(tickets, outcome)


def test_a_delivery_again_starts_nothing_where_a_newer_one_came(desk: Desk) -> None:
    desk.accept("a")
    desk.claim("a")
    desk.finish("a", 1, "dead")
    desk.accept("b")
    assert desk.accept("a") == Accepted((), "duplicate")


def test_claims_need_the_fence(desk: Desk) -> None:
    desk.accept("a")
    assert desk.claim("nobody") == Claim(None, "lost")
    assert desk.claim("a", fence=2) == Claim(None, "lost")
    assert desk.claim("a") == Claim(run("a"), "current")
    assert desk.claim("a") == Claim(None, "lost")
    assert desk.requeue("a", 2) is None
    assert desk.requeue("a", 1, "failures", "502") == Ticket("a/1", 2, "42/1")
    assert desk.requeue("a", 1) is None
    assert not desk.finish("a", 1, "done")
    assert desk.claim("a", fence=2) == Claim(run("a", fence=2, starts=1, failures=1, error="502"), "current")
    assert desk.finish("a", 2, "done")
    assert not desk.finish("a", 2, "dead")
    assert desk.requeue("a", 2) is None


def test_standing_follows_the_pull_request(desk: Desk) -> None:
    desk.accept("a")
    assert desk.standing("a") == "lost"
    desk.claim("a")
    assert desk.standing("a") == "current"
    desk.accept("b")
    assert desk.standing("a") == "superseded"
    desk.close("c")
    assert desk.standing("a") == "closed"
    assert desk.standing("a", fence=2) == "lost"
    assert desk.states() == {"a/1": "running", "b/1": "cancelled"}


def test_a_run_that_has_begun_gives_way_when_it_is_claimed(desk: Desk) -> None:
    desk.accept("a")
    desk.claim("a")
    desk.requeue("a", 1)
    desk.accept("b")
    assert desk.states() == {"a/1": "waiting", "b/1": "waiting"}
    assert desk.claim("a", fence=2) == Claim(run("a", fence=2, starts=1), "superseded")


def test_a_closed_gate_holds_back_its_installation(desk: Desk) -> None:
    desk.accept("a")
    with desk.store.transaction() as tx:
        runs.set_rate_limit(tx, 8, 100)
        runs.set_rate_limit(tx, 7, 100)
        runs.set_rate_limit(tx, 7, 1)
    claim = desk.claim("a")
    assert (claim.run, claim.status, 90 < claim.retry_after <= 100) == (run("a"), "current", True)
    assert desk.states() == {"a/1": "waiting"}
    with desk.store.transaction() as tx:
        tx.exec_driver_sql("UPDATE gate SET closed_until = 1")
    assert desk.claim("a").retry_after == 0.0


def test_heads_know_their_pull_requests(desk: Desk) -> None:
    desk.accept("a", 3, 2)
    desk.accept("b", 1)
    with desk.store.transaction() as tx:
        assert deliveries.numbers_with_head(tx, 42, "sha-a") == (2, 3)
        assert deliveries.numbers_with_head(tx, 43, "sha-a") == ()
    desk.close("b2")
    with desk.store.transaction() as tx:
        assert deliveries.numbers_with_head(tx, 42, "sha-b2") == ()


def test_verdicts_of_one_head(desk: Desk) -> None:
    desk.accept("a", 1, 2)
    other = dataclasses.replace(run("a"), number=2)
    with desk.store.transaction() as tx:
        runs.conclude(tx, run("a"), "sha", "fail", "failure")
        runs.conclude(tx, run("a"), "sha", "pass", "success")
        runs.conclude(tx, other, "sha", "fail", "failure")
        assert runs.verdicts(tx, 42, "sha") == {1: "pass", 2: "fail"}
        assert runs.verdicts(tx, 42, "other") == {}
        runs.conclude(tx, other, "other", "fail", "failure")
        assert (runs.verdicts(tx, 42, "sha"), runs.verdicts(tx, 42, "other")) == ({1: "pass"}, {2: "fail"})
    desk.close("b")
    with desk.store.transaction() as tx:
        assert runs.verdicts(tx, 42, "sha") == {}


def test_depth_and_what_is_unfinished(desk: Desk) -> None:
    with desk.store.transaction() as tx:
        assert runs.depth(tx) == ({"waiting": 0, "running": 0}, 0.0)
    desk.accept("a", 1, 2)
    desk.claim("a")
    with desk.store.transaction() as tx:
        counts, oldest = runs.depth(tx)
        assert (counts, oldest < 60) == ({"waiting": 1, "running": 1}, True)
        assert runs.unfinished(tx) == {"a/1": 1, "a/2": 1}
        assert runs.unfinished(tx, idle=60) == {}
    desk.finish("a", 1, "done")
    with desk.store.transaction() as tx:
        assert runs.unfinished(tx) == {"a/2": 1}


def test_old_rows_go_and_heads_stay(desk: Desk) -> None:
    desk.accept("a")
    desk.claim("a")
    desk.finish("a", 1, "done")
    desk.accept("b", 2)
    with desk.store.transaction() as tx:
        runs.forget(tx, 60)
        assert len(tx.execute(RUN.select()).all()) == 2
        runs.forget(tx, -1)
        assert [row.id for row in tx.execute(RUN.select())] == ["b/2"]
        assert [row.id for row in tx.execute(DELIVERY.select())] == ["b"]
        assert len(tx.execute(HEAD.select()).all()) == 2


def test_heartbeats(store: Store) -> None:
    with store.transaction() as tx:
        executors.beat(tx, "a")
        executors.beat(tx, "b")
        executors.beat(tx, "a")
        assert executors.alive(tx, 5) == {"a", "b"}
        tx.execute(EXECUTOR.update().where(EXECUTOR.c.id == "b").values(beat_at=1))
        assert executors.alive(tx, 5) == {"a"}
        executors.bury(tx, 60)
        executors.leave(tx, "a")
        assert tx.execute(EXECUTOR.select()).all() == []


def test_a_transaction_is_all_or_nothing(desk: Desk) -> None:
    with desk.store.engine.connect() as connection, connection.begin() as transaction:
        deliveries.accept(connection, delivery("a"), [PullHead(1, "sha-a")])
        transaction.rollback()
    assert desk.accept("a").outcome == "queued"


def test_missing_says_what(tmp_path: Path, store: Store) -> None:
    assert store.missing() is None
    fresh = Store(f"sqlite:///{tmp_path / 'fresh.db'}")
    assert fresh.missing() == "tables are missing: delivery, executor, gate, head, run, verdict"
    fresh.close()
    away = Store(f"sqlite:///{tmp_path}")
    assert away.missing() == "the database does not answer: unable to open database file"
    with pytest.raises(DatabaseUnavailable), away.transaction():
        pass
    away.close()


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "nothing"],
    ids=["memory", ":memory:", "mysql", "no url"],
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^GRACEGATE_DATABASE"):
        database_url(url)


def test_postgresql_gets_the_driver_that_we_ship() -> None:
    assert database_url("postgresql://u:p@host/db") == "postgresql+psycopg://u:p@host/db"
    assert url_without_password("postgresql://u:p@host/db") == "postgresql://u:***@host/db"
