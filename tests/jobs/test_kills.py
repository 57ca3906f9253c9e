"""Deliveries over HTTP while web and workers are killed at random: none is lost, none is stuck, none overlaps.

The audit is a file that knows nothing of the database. KILL_DELIVERIES and KILL_KILLS make the test longer, KILL_SEED
makes it another one.
"""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from gracegate.store.tables import HEAD, RUN
from tests.jobs.harness import Service, make_service
from tests.processes import wait_for
from tests.web.payloads import post, pull_request

DELIVERIES = int(os.environ.get("KILL_DELIVERIES", "24"))
KILLS = int(os.environ.get("KILL_KILLS", "4"))
DICE = random.Random(int(os.environ.get("KILL_SEED", "1")))  # noqa: S311 - chance, not a secret
PULLS = max(4, DELIVERIES // 5)
FINAL = {"done", "superseded", "cancelled", "dead"}
# The first digit of a head decides what its review does, see stub_worker.py.
KINDS = "000123"


class KilledProcesses:
    """Two workers and a web process that are killed and started again."""

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self.url = f"http://127.0.0.1:{port}"
        self.web_env = {**service.env, "GRACEGATE_BIND": f"127.0.0.1:{port}"}
        self.killed: set[int] = set()
        self.workers = [service.start_worker() for _ in range(2)]
        self.web = self._start_web()

    def kill_one(self) -> None:
        victim = DICE.choice(["web", 0, 1])
        if victim == "web":
            self.web.kill()
            self.web.wait()
            self.web = self._start_web()
            return
        worker = self.workers[victim]
        worker.kill()
        worker.wait()
        self.killed.add(worker.pid)
        self.workers[victim] = self.service.start_worker()

    def deliver(self, guid: str, number: int, head: str) -> None:
        """Sends it as GitHub does, and again until it is accepted."""

        def is_accepted() -> bool:
            try:
                status, _ = post(self.url, "pull_request", pull_request("synchronize", number, head), guid)
            except requests.ConnectionError:
                return False
            return status == 202

        wait_for("the delivery to be accepted", is_accepted)

    def _start_web(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "gracegate", "serve", "--web-only"]
        with (self.service.folder / "web.log").open("ab") as log:
            return subprocess.Popen(command, env=self.web_env, stdout=log, stderr=log)


@pytest.fixture
def processes(tmp_path: Path, database: str, free_port: int) -> Iterator[KilledProcesses]:
    service = make_service(tmp_path, GRACEGATE_DATABASE=database, GRACEGATE_ATTEMPTS="4", GRACEGATE_CRASHES="8")
    processes = KilledProcesses(service, free_port)
    yield processes
    processes.web.terminate()
    processes.web.wait()
    service.stop()


def test_nothing_is_lost(processes: KilledProcesses) -> None:
    deliveries = [(f"d{n}", n % PULLS + 1, f"{DICE.choice(KINDS)}{n:039x}") for n in range(DELIVERIES)]
    kill_after = set(DICE.sample(range(DELIVERIES), KILLS))
    for n, delivery in enumerate(deliveries):
        processes.deliver(*delivery)
        if DICE.random() < 0.1:
            processes.deliver(*delivery)
        if n in kill_after:
            processes.kill_one()
        time.sleep(DICE.uniform(0, 0.3))
    processes.service.wait(lambda: set(processes.service.states().values()) <= FINAL)
    assert processes.service.states().keys() == {guid for guid, _, _ in deliveries}
    assert _overlaps(processes.service.audit_lines(), processes.killed) == []
    assert _unreviewed_heads(processes.service, deliveries) == []


def _overlaps(audit: list[dict[str, Any]], killed: set[int]) -> list[dict[str, Any]]:
    """The starts of reviews while another one of the same pull request was alive."""
    open_by_pull: defaultdict[int, set[int]] = defaultdict(set)
    found = []
    for line in audit:
        running = open_by_pull[line["pull"]]
        if line["what"] == "start":
            if running - killed:
                found.append(line)
            running.add(line["pid"])
        elif line["what"] == "end":
            running.discard(line["pid"])
    return found


def _unreviewed_heads(service: Service, deliveries: list[tuple[str, int, str]]) -> list[str]:
    """The newest heads whose review neither wrote nor was concluded as incomplete."""
    newest = {number: (guid, head) for guid, number, head in deliveries}
    notes = defaultdict(list)
    for line in service.audit_lines():
        notes[line["delivery"]].append(line["what"].partition(":")[0])
    with service.store.transaction() as tx:
        kept = {row.number: row.run_id for row in tx.execute(HEAD.select())}
        states = {row.id: row.state for row in tx.execute(RUN.select())}
    expected = {number: f"{guid}/{number}" for number, (guid, _) in newest.items()}
    assert kept == expected
    wanted = {"done": "write", "dead": "incomplete"}
    return [run for run in kept.values() if wanted.get(states[run], "?") not in notes[run.partition("/")[0]]]


def test_the_audit_sees_an_overlap() -> None:
    lines = [
        dict(zip(("what", "pull", "pid"), line, strict=True)) for line in itertools.product(["start"], [1], [5, 6])
    ]
    assert _overlaps(lines, set()) == [lines[1]]
    assert _overlaps(lines, {5}) == []
