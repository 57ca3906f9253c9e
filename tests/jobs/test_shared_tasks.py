"""The tasks that one worker at a time does for all, done by real processes."""

from __future__ import annotations

import signal
from typing import Any

from tests.jobs.harness import Service
from tests.processes import WAIT_SECONDS


def sweeps(service: Service) -> list[dict[str, Any]]:
    return [line for line in service.audit_lines() if line["what"] in {"sweep", "swept"}]


def test_workers_sweep_in_turn_and_each_at_its_start(service: Service) -> None:
    service.env |= {"GRACEGATE_RECONCILE_SECONDS": "3600", "STUB_SWEEP_SECONDS": "0.5"}
    first = service.start_worker()
    service.wait(lambda: len(sweeps(service)) == 2)
    second = service.start_worker()
    service.wait(lambda: len(sweeps(service)) == 4)
    assert [line["pid"] for line in sweeps(service)] == [first.pid] * 2 + [second.pid] * 2
    told = [line["what"] for line in service.audit_lines() if line["what"].startswith("redeliver")]
    assert told == ["redeliver after the first time and 3600 s", "redeliver after another time and 3600 s"]


def test_workers_sweep_again_and_again_and_never_at_once(service: Service) -> None:
    service.env |= {"GRACEGATE_RECONCILE_SECONDS": "1", "STUB_SWEEP_SECONDS": "0.5"}
    for _ in range(3):
        service.start_worker()
    service.wait(lambda: len(sweeps(service)) >= 10)
    assert [line["what"] for line in sweeps(service)[:10]] == ["sweep", "swept"] * 5


def test_the_sweep_of_a_killed_worker_is_done_by_another(service: Service) -> None:
    service.env |= {"GRACEGATE_RECONCILE_SECONDS": "1", "STUB_SWEEP_SECONDS": "600"}
    first = service.start_worker()
    service.wait(lambda: len(sweeps(service)) == 1)
    second = service.start_worker()
    first.kill()
    service.wait(lambda: len(sweeps(service)) == 2)
    assert sweeps(service)[1]["pid"] == second.pid
    # A worker that is stopped does not wait for its sweep to end by itself.
    second.send_signal(signal.SIGTERM)
    assert second.wait(WAIT_SECONDS) == 0
    assert [line["what"] for line in sweeps(service)] == ["sweep", "sweep", "swept"]
