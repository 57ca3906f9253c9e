"""Databases of earlier versions are brought up to date, and new ones get the tables that the code expects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gracegate.errors import ConfigError
from gracegate.store import Run, Sibling, Store, runs, verdicts
from gracegate.store.migrations import upgrade
from gracegate.store.tables import DELIVERY, EXECUTOR, HEAD, METADATA, RUN

FIRST_RELEASE = Path(__file__).with_name("first_release.sql").read_text().split(";\n")
QUEUE_OF_DBOS = Path(__file__).with_name("queue_of_dbos.sql").read_text().split(";\n")


@pytest.fixture
def old_store(database: str) -> Iterator[Store]:
    """A database of the first release, which did not use Alembic."""
    store = Store(database)
    with store.transaction() as tx:
        for statement in filter(str.strip, FIRST_RELEASE):
            tx.exec_driver_sql(statement)
    yield store
    store.close()


def holds_the_rows_of_the_first_release(store: Store) -> bool:
    with store.reading() as tx:
        row = tx.execute(RUN.select()).one()
        assert (row.id, row.state, row.fence, row.failures, row.error) == ("a/1", "waiting", 2, 1, "502")
        assert (row.partition, row.due_at) == ("42/1", 1700000000.0)
        # Its installation is rate-limited.
        assert runs.due_runs(tx, 5) == []
        assert tx.scalars(sa.select(EXECUTOR.c.id)).all() == ["host-1-ab"]
        other = Run(**{name: getattr(row, name) for name in Run.__slots__ if name != "number"}, number=2)
        assert verdicts.siblings(tx, other, "sha-a") == (Sibling(1, "pass", "success"),)
        return [len(tx.execute(table.select()).all()) for table in (DELIVERY, HEAD)] == [1, 1]


def test_a_database_of_the_first_release_keeps_its_rows(old_store: Store) -> None:
    assert "rate_limit" in (old_store.check_readiness() or "")
    old_store.migrate()
    assert old_store.check_readiness() is None
    assert holds_the_rows_of_the_first_release(old_store)
    old_store.migrate()
    assert holds_the_rows_of_the_first_release(old_store)


def test_processes_that_start_at_once_migrate_once(old_store: Store, database: str) -> None:
    program = "import sys; from gracegate.store import Store; Store(sys.argv[1]).migrate()"
    processes = [subprocess.Popen([sys.executable, "-c", program, database]) for _ in range(4)]
    assert [process.wait(timeout=300) for process in processes] == [0, 0, 0, 0]
    assert holds_the_rows_of_the_first_release(old_store)


def test_a_migration_that_fails_changes_nothing(old_store: Store) -> None:
    with old_store.transaction() as tx:
        tx.exec_driver_sql("ALTER TABLE executor RENAME COLUMN beat_at TO unexpected")
    with pytest.raises(Exception, match="beat_at"):
        old_store.migrate()
    assert "rate_limit" in (old_store.check_readiness() or "")


@pytest.fixture
def store_with_dbos(database: str) -> Iterator[Store]:
    """A database of version 8, with runs in several states."""
    store = Store(database)
    with store.transaction() as tx:
        upgrade(tx, "8")
        if tx.dialect.name == "postgresql":
            tx.exec_driver_sql("CREATE SCHEMA dbos")
            tx.exec_driver_sql("SET LOCAL search_path = dbos")
        for statement in filter(str.strip, QUEUE_OF_DBOS):
            tx.exec_driver_sql(statement)
        if tx.dialect.name == "postgresql":
            tx.exec_driver_sql("SET LOCAL search_path = public")
        for created_at, (name, number, state) in enumerate(
            [("running", 1, "running"), ("waiting", 1, "waiting"), ("group", 0, "waiting"), ("done", 2, "done")]
        ):
            texts = dict.fromkeys(("delivery_id", "event", "action", "repository", "subject"), "x")
            refs = dict.fromkeys(("head_ref", "base_sha", "base_ref"), "")
            counts = dict.fromkeys(("fence", "starts", "failures", "crashes"), 1)
            ids = {"id": name, "installation_id": 7, "repository_id": 42, "number": number, "head_sha": f"sha-{name}"}
            times = {"created_at": created_at, "updated_at": 0.0, "state": state, "waits_for_siblings": False}
            executor = {"executor": "old"} if state == "running" else {}
            row = {**ids, **texts, **refs, **counts, **times, **executor}
            tx.execute(sa.insert(sa.table("run", *map(sa.column, row))).values(row))
    yield store
    store.close()


def tables(store: Store) -> set[str]:
    """Those of DBOS on PostgreSQL, and all on SQLite."""
    with store.reading() as tx:
        return set(sa.inspect(tx).get_table_names(schema="dbos" if tx.dialect.name == "postgresql" else None))


def test_what_was_queued_in_dbos_is_reviewed(store_with_dbos: Store) -> None:
    before = tables(store_with_dbos)
    store_with_dbos.migrate()
    with store_with_dbos.reading() as tx:
        columns = (RUN.c.id, RUN.c.state, RUN.c.fence, RUN.c.executor, RUN.c.partition, RUN.c.due_at)
        assert [tuple(row) for row in tx.execute(sa.select(*columns).order_by(RUN.c.created_at))] == [
            ("running", "waiting", 2, None, "42/1", 0.0),
            ("waiting", "waiting", 1, None, "42/1", 1.0),
            ("group", "waiting", 1, None, "42/sha-group", 2.0),
            ("done", "done", 1, None, "42/2", 3.0),
        ]
        assert runs.due_runs(tx, 5) == [("running", 2), ("waiting", 1), ("group", 1)]
    assert {"workflow_status", "queues"} <= before
    assert tables(store_with_dbos) - set(METADATA.tables) <= {"alembic_version"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["queues", "workflow_status"])
def test_tables_of_dbos_that_another_program_uses_stay(store_with_dbos: Store, table: str) -> None:
    with store_with_dbos.transaction() as tx:
        tx.execute(
            sa.update(sa.table(table, sa.column("application_name"), schema="dbos")).values(application_name="x")
        )
    before = tables(store_with_dbos)
    store_with_dbos.migrate()
    assert tables(store_with_dbos) == before


def test_the_migrations_make_the_tables_of_the_code(store: Store) -> None:
    with store.transaction() as tx:
        assert compare_metadata(MigrationContext.configure(tx), METADATA) == []


def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    with store.transaction() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"^GRACEGATE_DATABASE was used by a newer gracegate"):
        store.migrate()


def test_tables_that_take_rows_are_left_as_they_are(store: Store) -> None:
    assert store.check_writes() is None
    with store.transaction() as tx:
        assert tx.execute(EXECUTOR.select()).all() == []
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '1'")
    assert (store.check_writes() or "").startswith("the tables are of another version of gracegate")
