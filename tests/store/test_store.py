"""The store alone: the changes of each step, and that a step at an old fence changes nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gracegate.errors import ConfigError
from gracegate.store import (
    BaseBranch,
    DatabaseUnavailable,
    Delivery,
    MergeGroup,
    PullHead,
    Run,
    Store,
    deliveries,
    executors,
    runs,
    url_without_password,
)
from gracegate.store import database as database_module
from gracegate.store.database import database_url
from gracegate.store.tables import EXECUTOR, HEAD, METADATA, RUN, VERDICT
from tests.processes import wait_for
from tests.runs import delays, unfinished


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

    def accept(self, guid: str, *numbers: int) -> str:
        pulls = [PullHead(number, f"sha-{guid}") for number in numbers or (1,)]
        with self.store.transaction() as tx:
            return deliveries.accept(tx, delivery(guid), pulls)

    def close(self, guid: str, sha: str) -> None:
        """GitHub told the newest run that the pull request is closed."""
        with self.store.transaction() as tx:
            runs.record_pull_request(tx, run(guid), sha, closed=True)

    def claim(self, guid: str, fence: int = 1) -> Run | None:
        with self.store.transaction() as tx:
            return runs.claim(tx, f"{guid}/1", fence, "worker")

    def status(self, guid: str, fence: int = 1) -> str:
        with self.store.transaction() as tx:
            return runs.status(tx, f"{guid}/1", fence)

    def requeue(self, guid: str, fence: int, cost: runs.Cost = None, error: str = "") -> bool:
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
    assert driver.accept("a") == "queued"
    assert driver.accept("a") == "duplicate"
    assert driver.accept("b", 2, 1) == "queued"
    assert driver.states() == {"a/1": "superseded", "b/1": "waiting", "b/2": "waiting"}
    assert delays(driver.store) == {"b/1": 0, "b/2": 0}


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
    assert driver.accept("a") == outcome
    assert unfinished(driver.store) == ({"a/1": 2} if outcome == "requeued" else {})


def test_a_repeated_delivery_restarts_nothing_if_a_newer_one_came(driver: StoreDriver) -> None:
    driver.accept("a")
    driver.claim("a")
    driver.finish("a", 1, "dead")
    driver.accept("b")
    assert (driver.accept("a"), unfinished(driver.store)) == ("duplicate", {"b/1": 1})


def test_claims_need_the_fence(driver: StoreDriver) -> None:
    driver.accept("a")
    assert driver.claim("nobody") is None
    assert driver.claim("a", fence=2) is None
    assert driver.claim("a") == run("a")
    assert driver.status("a") == "current"
    assert driver.claim("a") is None
    assert not driver.requeue("a", 2)
    assert driver.requeue("a", 1, "failures", "502")
    assert not driver.requeue("a", 1)
    assert not driver.finish("a", 1, "done")
    assert driver.claim("a", fence=2) == run("a", fence=2, starts=1, failures=1, error="502")
    assert driver.status("a", fence=2) == "current"
    assert driver.finish("a", 2, "done")
    assert not driver.finish("a", 2, "dead")
    assert not driver.requeue("a", 2)


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
    assert driver.claim("a", fence=2) == run("a", fence=2, starts=1)
    assert driver.status("a", fence=2) == "superseded"


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
    for guid, subject in (("g", group), ("b", branch), ("b", branch)):
        with driver.store.transaction() as tx:
            deliveries.accept(tx, delivery(guid), [subject])
    names = ("subject", "head_sha", "head_ref", "base_sha", "base_ref")
    with driver.store.transaction() as tx:
        found = {run_id: runs.claim(tx, run_id, 1, "worker") for run_id in ("g/0", "b/0")}
        assert [[getattr(claimed, name) for name in names] for claimed in found.values() if claimed] == [
            ["merge_group", *dataclasses.astuple(group)],
            ["base_branch", "sha-n", "", "sha-o", "main"],
        ]
        assert [runs.status(tx, run_id, fence) for run_id, fence in (("g/0", 1), ("b/0", 2))] == ["current", "lost"]
        assert runs.requeue(tx, "g/0", 1)
        assert runs.finish(tx, "b/0", 1, "dead")
        assert deliveries.accept(tx, delivery("b"), [branch]) == "requeued"
        assert tx.execute(HEAD.select()).all() == []


def test_the_newest_delivery_about_a_merge_group_is_reviewed(driver: StoreDriver) -> None:
    group = MergeGroup("sha", "refs/heads/gh-readonly-queue/main/pr-1", "sha-b", "main")
    with driver.store.transaction() as tx:
        deliveries.accept(tx, delivery("branch"), [BaseBranch("sha", "sha-o", "main")])
        for guid in ("a", "b"):
            deliveries.accept(tx, delivery(guid), [group])
    assert driver.states() == {"branch/0": "waiting", "a/0": "superseded", "b/0": "waiting"}


def test_a_merge_group_that_nobody_told_of_is_queued_unless_it_has_a_run(driver: StoreDriver) -> None:
    group = MergeGroup("sha", "refs/heads/gh-readonly-queue/main/pr-1", "sha-b", "main")
    with driver.store.transaction() as tx:
        assert [deliveries.queue_merge_group(tx, delivery(guid), group, 30.0) for guid in ("a", "b")] == [True, False]
        assert runs.finish(tx, "a/0", 1, "dead")
        assert deliveries.queue_merge_group(tx, delivery("c"), group, 30.0)
    assert (driver.states(), delays(driver.store)) == ({"a/0": "dead", "c/0": "waiting"}, {"c/0": 30})


def test_the_end_of_a_merge_group_requeues_its_unfinished_runs(driver: StoreDriver) -> None:
    group = MergeGroup("sha-g", "refs/heads/gh-readonly-queue/main/pr-1", "sha-b", "main")
    with driver.store.transaction() as tx:
        for guid in ("ended", "running", "waiting"):
            deliveries.accept(tx, delivery(guid), [group])
            assert guid == "waiting" or runs.claim(tx, f"{guid}/0", 1, "worker")
            assert guid != "ended" or runs.finish(tx, "ended/0", 1, "done")
        assert deliveries.merge_group_at(tx, 42, "sha-g") == group
        assert deliveries.merge_group_at(tx, 43, "sha-g") is None
        runs.requeue_merge_group(tx, 42, "sha-b")
        assert runs.status(tx, "running/0", 1) == "current"
        runs.requeue_merge_group(tx, 42, "sha-g")
        assert runs.status(tx, "running/0", 1) == "lost"
    assert unfinished(driver.store) == {"running/0": 2, "waiting/0": 2}


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
    pulls = [PullHead(number, "sha-new") for number in (5, 4, 3, 2)]
    with driver.store.transaction() as tx:
        deliveries.record(tx, delivery("push"), "queued")
        assert deliveries.queue_again(tx, delivery("push"), pulls, delay=30.0) == 3
    pushed = {run_id: delay for run_id, delay in delays(driver.store).items() if run_id.startswith("push")}
    assert pushed == {"push/5": 30, "push/3": 32, "push/2": 0}
    assert driver.states() == {
        "waits/1": "waiting",
        "waits/2": "running",
        "waits/3": "done",
        "waits/4": "waiting",
        **{f"push/{number}": "waiting" for number in (5, 3, 2)},
    }


def test_queue_depth(driver: StoreDriver) -> None:
    with driver.store.reading() as tx:
        assert runs.queue_depth(tx) == ({"waiting": 0, "running": 0}, 0.0)
    driver.accept("a", 1, 2)
    driver.claim("a")
    with driver.store.reading() as tx:
        counts, oldest = runs.queue_depth(tx)
    assert (counts, oldest < 60) == ({"waiting": 1, "running": 1}, True)


def test_heartbeats(store: Store) -> None:
    with store.transaction() as tx:
        executors.write_heartbeat(tx, "a")
        executors.write_heartbeat(tx, "b")
        executors.write_heartbeat(tx, "a")
        assert tx.scalars(sa.select(EXECUTOR.c.id).order_by(EXECUTOR.c.id)).all() == ["a", "b"]
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


@pytest.mark.parametrize(("syncs_at_once", "mode"), [(True, 2), (False, 1)], ids=["FULL", "NORMAL"])
def test_when_sqlite_syncs(tmp_path: Path, syncs_at_once: bool, mode: int) -> None:
    store = Store(f"sqlite:///{tmp_path / 'gracegate.db'}", syncs_at_once=syncs_at_once)
    with store.transaction() as tx:
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == mode
    store.close()


def test_what_reads_waits_for_no_transaction(store: Store) -> None:
    with store.transaction() as tx:
        executors.write_heartbeat(tx, "a")
        with store.reading() as reader:
            assert reader.execute(EXECUTOR.select()).all() == []
    with store.reading() as reader:
        assert len(reader.execute(EXECUTOR.select()).all()) == 1


def test_a_transaction_is_all_or_nothing(driver: StoreDriver) -> None:
    with driver.store.engine.connect() as connection, connection.begin() as transaction:
        deliveries.accept(connection, delivery("a"), [PullHead(1, "sha-a")])
        transaction.rollback()
    assert driver.accept("a") == "queued"


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
