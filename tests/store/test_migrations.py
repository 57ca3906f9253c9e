"""Databases of earlier versions are brought up to date, and new ones get the tables that the code expects."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gracegate.errors import ConfigError
from gracegate.store import Sibling, Store, executors, runs, verdicts
from gracegate.store.tables import DELIVERY, EXECUTOR, HEAD, METADATA, RUN

FIRST_RELEASE = Path(__file__).with_name("first_release.sql").read_text().split(";\n")


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
    with store.transaction() as tx:
        claimed = runs.claim(tx, "a/1", 2, "worker")
        assert claimed is not None
        run, retry_after = claimed
        assert (run.delivery_id, run.failures, run.error, retry_after > 1e8) == ("a", 1, "502", True)
        assert executors.live_executors(tx, 5) == {"host-1-ab"}
        other = dataclasses.replace(run, number=2)
        assert verdicts.siblings(tx, other, "sha-a") == (Sibling(1, "pass", "success"),)
        return [len(tx.execute(table.select()).all()) for table in (DELIVERY, HEAD, RUN)] == [1, 1, 1]


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
