"""Workers as real processes: another one takes over from a killed one, and a run that cannot succeed is concluded."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing

import pytest

from tests import postgresql
from tests.jobs.harness import Service
from tests.processes import WAIT_SECONDS

on_sqlite_alone = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
on_postgresql_alone = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
# For pg_stat_activity: the connections of other processes to this database.
OTHERS = "pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
ONE_REVIEW = [("start", "ok-1"), ("write", "ok-1"), ("end", "ok-1")]


def test_a_repeated_delivery_is_reviewed_once(service: Service) -> None:
    assert service.deliver("a", 1, "ok-1") == "queued"
    assert service.deliver("a", 1, "ok-1") == "duplicate"
    service.start_worker()
    service.wait(lambda: service.states() == {"a": "done"})
    assert service.deliver("a", 1, "ok-1") == "duplicate"
    assert service.audit() == ONE_REVIEW


def test_a_review_whose_worker_is_killed_is_finished_by_another(service: Service) -> None:
    service.deliver("a", 1, "slow-1")
    first = service.start_worker()
    service.wait(lambda: ("start", "slow-1") in service.audit())
    first.kill()
    service.start_worker()
    service.wait(lambda: service.states() == {"a": "done"})
    assert Counter(service.audit()) == {("start", "slow-1"): 2, ("write", "slow-1"): 1, ("end", "slow-1"): 1}


@on_sqlite_alone
def test_a_worker_that_wakes_up_after_it_was_taken_over_writes_nothing(service: Service) -> None:
    service.deliver("a", 1, "slow-1")
    first = service.start_worker()
    service.wait(lambda: ("start", "slow-1") in service.audit())
    pause_outside_a_transaction(service, first)
    service.start_worker()
    service.wait(lambda: service.states() == {"a": "done"})
    first.send_signal(signal.SIGCONT)
    service.wait(lambda: service.audit().count(("end", "slow-1")) == 2)
    assert Counter(service.audit()) == {("start", "slow-1"): 2, ("write", "slow-1"): 1, ("end", "slow-1"): 2}


def pause_outside_a_transaction(service: Service, worker: subprocess.Popen[bytes]) -> None:
    """Inside one it would hold SQLite's lock, and every other process would wait for it."""
    while True:
        worker.send_signal(signal.SIGSTOP)
        # Returns when all threads have stopped. Until then one of them could still begin a transaction.
        os.waitpid(worker.pid, os.WUNTRACED)
        with closing(sqlite3.connect(service.folder / "gracegate.db", timeout=0.5, isolation_level=None)) as probe:
            try:
                probe.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                worker.send_signal(signal.SIGCONT)
            else:
                return


@on_postgresql_alone
def test_workers_survive_that_the_server_ends_their_connections(service: Service) -> None:
    service.deliver("a", 1, "slow-1")
    service.start_worker()
    service.wait(lambda: ("start", "slow-1") in service.audit())
    with postgresql.connect(service.store.engine.url) as administrator:
        administrator.exec_driver_sql(f"SELECT pg_terminate_backend(pid), {OTHERS}")
    service.wait(lambda: service.states() == {"a": "done"})
    service.deliver("b", 1, "ok-2")
    service.wait(lambda: service.states() == {"a": "done", "b": "done"})
    assert Counter(service.audit())[("end", "slow-1")] == 1


def test_a_newer_head_ends_the_running_review_and_the_waiting_ones(service: Service) -> None:
    service.deliver("a", 1, "stuck-1")
    service.start_worker()
    service.wait(lambda: ("start", "stuck-1") in service.audit())
    service.deliver("b", 1, "ok-2")
    service.deliver("c", 1, "ok-3")
    service.wait(lambda: service.states() == {"a": "superseded", "b": "superseded", "c": "done"})
    assert ("cancel: a newer head is waiting", "stuck-1") in service.audit()
    assert ("write", "stuck-1") not in service.audit()
    assert ("start", "ok-2") not in service.audit()


def test_failures_are_retried_and_a_rate_limit_costs_no_attempt(service: Service) -> None:
    service.deliver("a", 1, "flaky-1")
    service.deliver("b", 2, "limited-2")
    service.start_worker()
    service.wait(lambda: set(service.states().values()) == {"done"})
    assert Counter(service.audit())[("start", "flaky-1")] == 3


@on_sqlite_alone
def test_a_run_that_cannot_succeed_is_concluded_and_a_redelivery_restarts_it(service: Service) -> None:
    service.env["GRACEGATE_ATTEMPTS"] = "2"
    service.deliver("a", 1, "poison-1")
    service.start_worker()
    service.wait(lambda: service.states() == {"a": "dead"})
    incomplete = ("incomplete: an internal error (ZeroDivisionError)", "poison-1")
    assert Counter(service.audit()) == {("start", "poison-1"): 2, ("end", "poison-1"): 2, incomplete: 1}
    assert service.deliver("a", 1, "poison-1") == "requeued"
    service.wait(lambda: service.audit().count(incomplete) == 2)


@on_sqlite_alone
def test_a_run_that_kills_its_workers_is_concluded(service: Service) -> None:
    service.env["GRACEGATE_CRASHES"] = "2"
    service.deliver("a", 1, "killer-1")
    for _ in range(2):
        service.start_worker().wait()
    service.start_worker()
    service.wait(lambda: service.states() == {"a": "dead"})
    incomplete = "incomplete: the worker died 2 times while it reviewed this pull request"
    assert service.audit() == [("start", "killer-1"), ("start", "killer-1"), (incomplete, "killer-1")]


@on_sqlite_alone
def test_sigterm_finishes_short_reviews_and_requeues_long_ones(service: Service) -> None:
    service.env["GRACEGATE_SHUTDOWN_SECONDS"] = "12"
    service.deliver("a", 1, "slow-1")
    service.deliver("b", 2, "stuck-2")
    first = service.start_worker()
    service.wait(lambda: service.audit().count(("start", "slow-1")) + service.audit().count(("start", "stuck-2")) == 2)
    first.send_signal(signal.SIGTERM)
    assert first.wait(WAIT_SECONDS) == 0
    assert service.states() == {"a": "done", "b": "waiting"}
    service.start_worker()
    service.wait(lambda: service.audit().count(("start", "stuck-2")) == 2)
