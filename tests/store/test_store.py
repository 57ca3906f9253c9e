"""The store alone: what each step changes, and that a step at an old fence changes nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gracegate.errors import ConfigError
from gracegate.store import (
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

    def accept(self, guid: str, *numbers: int) -> tuple[str, list[Ticket]]:
        pulls = [PullHead(number, f"sha-{guid}") for number in numbers or (1,)]
        tickets: list[Ticket] = []
        with self.store.transaction() as tx:
            return deliveries.accept(tx, delivery(guid), pulls, tickets.append), tickets

    def close(self, guid: str) -> str:
        with self.store.transaction() as tx:
            return deliveries.close(tx, delivery(guid), PullHead(1, f"sha-{guid}"))

    def claim(self, guid: str, fence: int = 1) -> tuple[Run, float] | None:
        with self.store.transaction() as tx:
            return runs.claim(tx, f"{guid}/1", fence, "worker")

    def status(self, guid: str, fence: int = 1) -> str:
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
def desk(store: Store) -> Desk:
    return Desk(store)


def test_a_delivery_is_accepted_once(desk: Desk) -> None:
    assert desk.accept("a") == ("queued", [Ticket("a/1", 1, "42/1")])
    assert desk.accept("a") == ("duplicate", [])
    assert desk.accept("b", 2, 1) == ("queued", [Ticket("b/1", 1, "42/1"), Ticket("b/2", 1, "42/2")])
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
    desk.claim("a")
    assert desk.finish("a", 1, state)
    if concluded:
        with desk.store.transaction() as tx:
            runs.record_verdict(tx, run("a"), "sha-a", "pass", "success")
    assert desk.accept("a") == (outcome, [Ticket("a/1", 2, "42/1")] if outcome == "requeued" else [])


def test_a_delivery_again_starts_nothing_where_a_newer_one_came(desk: Desk) -> None:
    desk.accept("a")
    desk.claim("a")
    desk.finish("a", 1, "dead")
    desk.accept("b")
    assert desk.accept("a") == ("duplicate", [])


def test_claims_need_the_fence(desk: Desk) -> None:
    desk.accept("a")
    assert desk.claim("nobody") is None
    assert desk.claim("a", fence=2) is None
    assert desk.claim("a") == (run("a"), 0.0)
    assert desk.status("a") == "current"
    assert desk.claim("a") is None
    assert desk.requeue("a", 2) is None
    assert desk.requeue("a", 1, "failures", "502") == Ticket("a/1", 2, "42/1")
    assert desk.requeue("a", 1) is None
    assert not desk.finish("a", 1, "done")
    assert desk.claim("a", fence=2) == (run("a", fence=2, starts=1, failures=1, error="502"), 0.0)
    assert desk.status("a", fence=2) == "current"
    assert desk.finish("a", 2, "done")
    assert not desk.finish("a", 2, "dead")
    assert desk.requeue("a", 2) is None


def test_status_follows_the_pull_request(desk: Desk) -> None:
    desk.accept("a")
    assert desk.status("a") == "lost"
    desk.claim("a")
    assert desk.status("a") == "current"
    desk.accept("b")
    assert desk.status("a") == "superseded"
    desk.close("c")
    assert desk.status("a") == "closed"
    assert desk.status("a", fence=2) == "lost"
    assert desk.states() == {"a/1": "running", "b/1": "cancelled"}


def test_a_run_that_has_started_before_is_superseded_when_it_is_claimed(desk: Desk) -> None:
    desk.accept("a")
    desk.claim("a")
    desk.requeue("a", 1)
    desk.accept("b")
    assert desk.states() == {"a/1": "waiting", "b/1": "waiting"}
    assert desk.claim("a", fence=2) == (run("a", fence=2, starts=1), 0.0)
    assert desk.status("a", fence=2) == "superseded"


def test_a_rate_limit_holds_back_the_runs_of_its_installation(desk: Desk) -> None:
    desk.accept("a")
    with desk.store.transaction() as tx:
        runs.set_rate_limit(tx, 8, 100)
        runs.set_rate_limit(tx, 7, 100)
        runs.set_rate_limit(tx, 7, 1)
    claimed = desk.claim("a")
    assert claimed is not None
    assert (claimed[0], 90 < claimed[1] <= 100) == (run("a"), True)
    assert desk.states() == {"a/1": "waiting"}
    with desk.store.transaction() as tx:
        tx.exec_driver_sql("UPDATE rate_limit SET blocked_until = 1")
    assert desk.claim("a") == (run("a"), 0.0)


def test_heads_know_their_pull_requests(desk: Desk) -> None:
    desk.accept("a", 3, 2)
    desk.accept("b", 1)
    with desk.store.transaction() as tx:
        assert deliveries.pull_requests_with_head(tx, 42, "sha-a") == (2, 3)
        assert deliveries.pull_requests_with_head(tx, 43, "sha-a") == ()
    desk.close("b2")
    with desk.store.transaction() as tx:
        assert deliveries.pull_requests_with_head(tx, 42, "sha-b2") == ()


def test_verdicts_of_one_head(desk: Desk) -> None:
    desk.accept("a", 1, 2)
    other = dataclasses.replace(run("a"), number=2)
    with desk.store.transaction() as tx:
        runs.record_verdict(tx, run("a"), "sha", "fail", "failure")
        runs.record_verdict(tx, run("a"), "sha", "pass", "success")
        runs.record_verdict(tx, other, "sha", "fail", "failure")
        assert runs.verdicts(tx, 42, "sha") == {1: "pass", 2: "fail"}
        assert runs.verdicts(tx, 42, "other") == {}
        runs.record_verdict(tx, other, "other", "fail", "failure")
        assert (runs.verdicts(tx, 42, "sha"), runs.verdicts(tx, 42, "other")) == ({1: "pass"}, {2: "fail"})
    desk.close("b")
    with desk.store.transaction() as tx:
        assert runs.verdicts(tx, 42, "sha") == {}


def test_depth_and_what_is_unfinished(desk: Desk) -> None:
    with desk.store.transaction() as tx:
        assert runs.queue_depth(tx) == ({"waiting": 0, "running": 0}, 0.0)
    desk.accept("a", 1, 2)
    desk.claim("a")
    with desk.store.transaction() as tx:
        counts, oldest = runs.queue_depth(tx)
        assert (counts, oldest < 60) == ({"waiting": 1, "running": 1}, True)
        assert runs.unfinished_runs(tx) == {"a/1": 1, "a/2": 1}
        assert runs.unfinished_runs(tx, idle=60) == {}
    desk.finish("a", 1, "done")
    with desk.store.transaction() as tx:
        assert runs.unfinished_runs(tx) == {"a/2": 1}


def test_old_rows_go_and_heads_stay(desk: Desk) -> None:
    desk.accept("a")
    desk.claim("a")
    desk.finish("a", 1, "done")
    desk.accept("b", 2)
    with desk.store.transaction() as tx:
        runs.delete_old(tx, 60)
        assert len(tx.execute(RUN.select()).all()) == 2
        runs.delete_old(tx, -1)
        assert [row.id for row in tx.execute(RUN.select())] == ["b/2"]
        assert [row.id for row in tx.execute(DELIVERY.select())] == ["b"]
        assert len(tx.execute(HEAD.select()).all()) == 2


def test_heartbeats(store: Store) -> None:
    with store.transaction() as tx:
        executors.write_heartbeat(tx, "a")
        executors.write_heartbeat(tx, "b")
        executors.write_heartbeat(tx, "a")
        assert executors.live_executors(tx, 5) == {"a", "b"}
        tx.execute(EXECUTOR.update().where(EXECUTOR.c.id == "b").values(heartbeat_at=1))
        assert executors.live_executors(tx, 5) == {"a"}
        executors.delete_old(tx, 60)
        executors.mark_dead(tx, "a")
        assert tx.execute(EXECUTOR.select()).all() == []


def test_a_transaction_is_all_or_nothing(desk: Desk) -> None:
    with desk.store.engine.connect() as connection, connection.begin() as transaction:
        deliveries.accept(connection, delivery("a"), [PullHead(1, "sha-a")], lambda _ticket: None)
        transaction.rollback()
    assert desk.accept("a")[0] == "queued"


def test_a_defect_says_what_is_missing(tmp_path: Path, store: Store) -> None:
    assert store.check_readiness() is None
    fresh = Store(f"sqlite:///{tmp_path / 'fresh.db'}")
    assert fresh.check_readiness() == "tables are missing: delivery, executor, head, rate_limit, run, verdict"
    fresh.close()
    away = Store(f"sqlite:///{tmp_path}")
    assert away.check_readiness() == "the database does not answer: unable to open database file"
    with pytest.raises(DatabaseUnavailable), away.transaction():
        pass
    away.close()


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "nothing"],
    ids=["memory", ":memory:", "mysql", "no url"],
)
def test_a_url_that_is_invalid(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^GRACEGATE_DATABASE"):
        database_url(url)


def test_postgresql_gets_the_driver_that_we_ship() -> None:
    assert database_url("postgresql://u:p@host/db") == "postgresql+psycopg://u:p@host/db"
    assert url_without_password("postgresql://u:p@host/db") == "postgresql://u:***@host/db"
