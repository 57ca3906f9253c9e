"""The store alone: the changes of each step, and that a step at an old fence changes nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from gracegate.errors import ConfigError
from gracegate.store import (
    BaseBranch,
    DatabaseUnavailable,
    Delivery,
    MergeGroup,
    PullHead,
    Run,
    Store,
    Ticket,
    deliveries,
    executors,
    runs,
    url_without_password,
)
from gracegate.store import database as database_module
from gracegate.store.database import database_url
from gracegate.store.tables import EXECUTOR, HEAD, METADATA, RUN, VERDICT
from tests.processes import wait_for


def delivery(guid: str) -> Delivery:
    return Delivery(guid, "pull_request", "synchronize", 7, 42, "shop/web")


def run(guid: str, **more: object) -> Run:
    values: dict[str, object] = {"fence": 1, "starts": 0, "failures": 0, "crashes": 0, "error": None, **more}
    return Run(f"{guid}/1", guid, "pull_request", "synchronize", 7, 42, "shop/web", 1, f"sha-{guid}", **values)  # type: ignore[arg-type]


def verdict_row(guid: str) -> dict[str, object]:
    key = {"repository_id": 42, "head_sha": f"sha-{guid}", "number": 1}
    return {**key, "run_id": f"{guid}/1", "verdict": "pass", "conclusion": "success", "concluded_at": 0.0}


class StoreDriver:
    """The store's functions, each in a transaction of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def accept(self, guid: str, *numbers: int) -> tuple[str, list[Ticket]]:
        pulls = [PullHead(number, f"sha-{guid}") for number in numbers or (1,)]
        tickets: list[Ticket] = []
        with self.store.transaction() as tx:
            return deliveries.accept(tx, delivery(guid), pulls, tickets.append), tickets

    def close(self, guid: str, sha: str) -> None:
        """GitHub told the newest run that the pull request is closed."""
        with self.store.transaction() as tx:
            runs.record_pull_request(tx, run(guid), sha, closed=True)

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
def driver(store: Store) -> StoreDriver:
    return StoreDriver(store)


def test_a_delivery_is_accepted_once(driver: StoreDriver) -> None:
    assert driver.accept("a") == ("queued", [Ticket("a/1", 1, "42/1")])
    assert driver.accept("a") == ("duplicate", [])
    assert driver.accept("b", 2, 1) == ("queued", [Ticket("b/1", 1, "42/1"), Ticket("b/2", 1, "42/2")])
    assert driver.states() == {"a/1": "superseded", "b/1": "waiting", "b/2": "waiting"}


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
def test_a_repeated_delivery_restarts_a_run_without_a_concluded_check(
    driver: StoreDriver, state: str, concluded: bool, outcome: str
) -> None:
    driver.accept("a")
    driver.claim("a")
    assert driver.finish("a", 1, state)
    if concluded:
        with driver.store.transaction() as tx:
            tx.execute(VERDICT.insert().values(verdict_row("a")))
    assert driver.accept("a") == (outcome, [Ticket("a/1", 2, "42/1")] if outcome == "requeued" else [])


def test_a_repeated_delivery_restarts_nothing_if_a_newer_one_came(driver: StoreDriver) -> None:
    driver.accept("a")
    driver.claim("a")
    driver.finish("a", 1, "dead")
    driver.accept("b")
    assert driver.accept("a") == ("duplicate", [])


def test_claims_need_the_fence(driver: StoreDriver) -> None:
    driver.accept("a")
    assert driver.claim("nobody") is None
    assert driver.claim("a", fence=2) is None
    assert driver.claim("a") == (run("a"), 0.0)
    assert driver.status("a") == "current"
    assert driver.claim("a") is None
    assert driver.requeue("a", 2) is None
    assert driver.requeue("a", 1, "failures", "502") == Ticket("a/1", 2, "42/1")
    assert driver.requeue("a", 1) is None
    assert not driver.finish("a", 1, "done")
    assert driver.claim("a", fence=2) == (run("a", fence=2, starts=1, failures=1, error="502"), 0.0)
    assert driver.status("a", fence=2) == "current"
    assert driver.finish("a", 2, "done")
    assert not driver.finish("a", 2, "dead")
    assert driver.requeue("a", 2) is None


def test_status_follows_the_pull_request(driver: StoreDriver) -> None:
    driver.accept("a")
    assert driver.status("a") == "lost"
    driver.claim("a")
    assert driver.status("a") == "current"
    driver.accept("b")
    assert driver.status("a") == "superseded"
    assert driver.status("a", fence=2) == "lost"
    assert driver.states() == {"a/1": "running", "b/1": "waiting"}


def test_a_run_that_has_started_before_is_superseded_when_it_is_claimed(driver: StoreDriver) -> None:
    driver.accept("a")
    driver.claim("a")
    driver.requeue("a", 1)
    driver.accept("b")
    assert driver.states() == {"a/1": "waiting", "b/1": "waiting"}
    assert driver.claim("a", fence=2) == (run("a", fence=2, starts=1), 0.0)
    assert driver.status("a", fence=2) == "superseded"


def test_a_rate_limit_holds_back_the_runs_of_its_installation(driver: StoreDriver) -> None:
    driver.accept("a")
    with driver.store.transaction() as tx:
        runs.set_rate_limit(tx, 8, 100)
        runs.set_rate_limit(tx, 7, 100)
        runs.set_rate_limit(tx, 7, 1)
    claimed = driver.claim("a")
    assert claimed is not None
    assert (claimed[0], 90 < claimed[1] <= 100) == (run("a"), True)
    assert driver.states() == {"a/1": "waiting"}
    with driver.store.transaction() as tx:
        tx.exec_driver_sql("UPDATE rate_limit SET blocked_until = 1")
    assert driver.claim("a") == (run("a"), 0.0)


def test_pull_requests_with_a_head(driver: StoreDriver) -> None:
    driver.accept("a", 3, 2)
    driver.accept("b", 1)
    with driver.store.transaction() as tx:
        assert deliveries.pull_requests_with_head(tx, 42, "sha-a") == (2, 3)
        assert deliveries.pull_requests_with_head(tx, 43, "sha-a") == ()
    driver.close("a", "sha-b")
    with driver.store.transaction() as tx:
        assert deliveries.pull_requests_with_head(tx, 42, "sha-b") == (1,)
    driver.close("b", "sha-b")
    with driver.store.transaction() as tx:
        assert deliveries.pull_requests_with_head(tx, 42, "sha-b") == ()


def test_a_run_may_be_about_a_merge_group_or_a_base_branch(driver: StoreDriver) -> None:
    group = MergeGroup("sha-g", "refs/heads/gh-readonly-queue/main/pr-1", "sha-b", "main")
    branch = BaseBranch("sha-n", "sha-o", "main")
    tickets: list[Ticket] = []
    for guid, subject in (("g", group), ("b", branch), ("b", branch)):
        with driver.store.transaction() as tx:
            deliveries.accept(tx, delivery(guid), [subject], tickets.append)
    assert tickets == [Ticket("g/0", 1, "42/sha-g"), Ticket("b/0", 1, "42/sha-n")]
    names = ("subject", "head_sha", "head_ref", "base_sha", "base_ref")
    with driver.store.transaction() as tx:
        found = {run_id: runs.claim(tx, run_id, 1, "worker") for run_id in ("g/0", "b/0")}
        assert [[getattr(claimed[0], name) for name in names] for claimed in found.values() if claimed] == [
            ["merge_group", *dataclasses.astuple(group)],
            ["base_branch", "sha-n", "", "sha-o", "main"],
        ]
        assert [runs.status(tx, run_id, fence) for run_id, fence in (("g/0", 1), ("b/0", 2))] == ["current", "lost"]
        assert runs.requeue(tx, "g/0", 1) == Ticket("g/0", 2, "42/sha-g")
        assert runs.finish(tx, "b/0", 1, "dead")
        assert deliveries.accept(tx, delivery("b"), [branch], tickets.append) == "requeued"
        assert tx.execute(HEAD.select()).all() == []


def test_the_end_of_a_merge_group_requeues_its_unfinished_runs(driver: StoreDriver) -> None:
    group = MergeGroup("sha-g", "refs/heads/gh-readonly-queue/main/pr-1", "sha-b", "main")
    with driver.store.transaction() as tx:
        for guid in ("ended", "running", "waiting"):
            deliveries.accept(tx, delivery(guid), [group], lambda _ticket: None)
        for guid in ("ended", "running"):
            assert runs.claim(tx, f"{guid}/0", 1, "worker")
        runs.finish(tx, "ended/0", 1, "done")
        assert deliveries.merge_group_at(tx, 42, "sha-g") == group
        assert deliveries.merge_group_at(tx, 43, "sha-g") is None
        assert runs.requeue_merge_group(tx, 42, "sha-b") == []
        assert runs.requeue_merge_group(tx, 42, "sha-g") == [
            Ticket(f"{guid}/0", 2, "42/sha-g") for guid in ("running", "waiting")
        ]
        assert runs.status(tx, "running/0", 1) == "lost"


def test_unfinished_runs_follow_their_repository(driver: StoreDriver) -> None:
    driver.accept("a", 1, 2)
    driver.claim("a")
    driver.finish("a", 1, "done")
    with driver.store.transaction() as tx:
        runs.move_repository(tx, 43, 8, "shop/other")
        runs.move_repository(tx, 42, 8, "shop/moved")
        names = {row.id: (row.repository, row.installation_id) for row in tx.execute(RUN.select())}
    assert names == {"a/1": ("shop/web", 7), "a/2": ("shop/moved", 8)}


@pytest.mark.parametrize(("repositories", "state"), [(None, "cancelled"), ([41, 42], "cancelled"), ([41], "waiting")])
def test_what_an_installation_has_lost_does_not_wait(
    driver: StoreDriver, repositories: list[int] | None, state: str
) -> None:
    driver.accept("a", 1, 2)
    driver.claim("a")
    with driver.store.transaction() as tx:
        runs.cancel_waiting(tx, 8, repositories)
        runs.cancel_waiting(tx, 7, repositories)
    assert driver.states() == {"a/1": "running", "a/2": state}


def test_many_reviews_that_nobody_waits_for_are_spread(driver: StoreDriver) -> None:
    driver.accept("waits", 1, 2, 3, 4)
    with driver.store.transaction() as tx:
        for number in (2, 3):
            assert runs.claim(tx, f"waits/{number}", 1, "worker")
        assert runs.finish(tx, "waits/3", 1, "done")
    tickets: list[tuple[str, float]] = []
    pulls = [PullHead(number, "sha-new") for number in (5, 4, 3, 2)]
    with driver.store.transaction() as tx:
        deliveries.record(tx, delivery("push"), "queued")
        queued = deliveries.queue_again(
            tx, delivery("push"), pulls, lambda ticket, delay: tickets.append((ticket.run_id, delay))
        )
    assert (queued, tickets) == (3, [("push/5", 0.0), ("push/3", 2.0), ("push/2", 0.0)])
    assert driver.states() == {
        "waits/1": "waiting",
        "waits/2": "running",
        "waits/3": "done",
        "waits/4": "waiting",
        **{f"push/{number}": "waiting" for number in (5, 3, 2)},
    }


def test_queue_depth_and_unfinished_runs(driver: StoreDriver) -> None:
    with driver.store.transaction() as tx:
        assert runs.queue_depth(tx) == ({"waiting": 0, "running": 0}, 0.0)
    driver.accept("a", 1, 2)
    driver.claim("a")
    with driver.store.transaction() as tx:
        counts, oldest = runs.queue_depth(tx)
        assert (counts, oldest < 60) == ({"waiting": 1, "running": 1}, True)
        assert runs.unfinished_runs(tx) == {"a/1": 1, "a/2": 1}
        assert runs.unfinished_runs(tx, idle=60) == {}
    driver.finish("a", 1, "done")
    with driver.store.transaction() as tx:
        assert runs.unfinished_runs(tx) == {"a/2": 1}


def test_heartbeats(store: Store) -> None:
    with store.transaction() as tx:
        executors.write_heartbeat(tx, "a")
        executors.write_heartbeat(tx, "b")
        executors.write_heartbeat(tx, "a")
        assert executors.live_executors(tx, 5) == {"a", "b"}
        tx.execute(EXECUTOR.update().where(EXECUTOR.c.id == "b").values(heartbeat_at=1))
        assert executors.live_executors(tx, 5) == {"a"}
        executors.mark_dead(tx, "a")
        executors.mark_dead(tx, "b")
        assert tx.execute(EXECUTOR.select()).all() == []


def test_a_database_is_for_its_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "data" / "gracegate.db"

    def modes() -> dict[str, str]:
        Store(f"sqlite:///{file}").migrate()
        return {path.name: oct(path.stat().st_mode & 0o777) for path in (file.parent, *file.parent.iterdir())}

    private = {"gracegate.db": "0o600", "gracegate.db-shm": "0o600", "gracegate.db-wal": "0o600"}
    assert modes() == {"data": "0o700", **private}
    # As earlier versions left them, and a folder that is perhaps not ours.
    for path in (file.parent, *file.parent.iterdir()):
        path.chmod(0o755)
    assert modes() == {"data": "0o755", **private}


def test_a_transaction_is_all_or_nothing(driver: StoreDriver) -> None:
    with driver.store.engine.connect() as connection, connection.begin() as transaction:
        deliveries.accept(connection, delivery("a"), [PullHead(1, "sha-a")], lambda _ticket: None)
        transaction.rollback()
    assert driver.accept("a")[0] == "queued"


@pytest.fixture
def impatient_store(monkeypatch: pytest.MonkeyPatch, database: str) -> Iterator[Store]:
    """A store whose transactions wait one second for each other."""
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 1)
    store = Store(database)
    store.migrate()
    yield store
    store.close()


def test_a_transaction_does_not_wait_for_ever_for_another(impatient_store: Store) -> None:
    with impatient_store.transaction() as tx:
        deliveries.record(tx, delivery("a"), "queued")
        with pytest.raises(DatabaseUnavailable), impatient_store.transaction() as other:
            deliveries.record(other, delivery("a"), "queued")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_process_that_stops_inside_a_transaction_loses_its_locks(impatient_store: Store) -> None:
    def is_recorded() -> bool:
        try:
            with impatient_store.transaction() as other:
                return deliveries.record(other, delivery("a"), "queued")
        except DatabaseUnavailable:
            return False

    def stop() -> None:
        with impatient_store.transaction() as tx:
            deliveries.record(tx, delivery("a"), "queued")
            wait_for("the lock", is_recorded)

    with pytest.raises(DatabaseUnavailable):
        stop()


def test_readiness_says_what_is_missing(tmp_path: Path, store: Store) -> None:
    assert store.check_readiness() is None
    fresh = Store(f"sqlite:///{tmp_path / 'fresh.db'}")
    missing = f"tables are missing: {', '.join(sorted(METADATA.tables))}; the service makes them"
    assert (fresh.check_readiness() or "").startswith(missing)
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
