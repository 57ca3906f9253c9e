from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.jobs.harness import make_service
from tests.processes import WAIT_SECONDS


def test_a_dead_worker_is_replaced_and_its_run_is_taken_over_at_once(tmp_path: Path) -> None:
    # Without a supervisor its runs would be taken over after ten minutes without a heartbeat.
    service = make_service(tmp_path, GRACEGATE_DEAD_SECONDS="600")
    service.deliver("a", 1, "slow-1")
    command = [sys.executable, Path(__file__).with_name("supervised.py"), service.audit_file]
    with (tmp_path / "workers.log").open("ab") as log:
        supervisor = subprocess.Popen(command, env=service.env, stdout=log, stderr=log)
    service.wait(lambda: ("start", "slow-1") in service.audit())
    os.kill(service.audit_lines()[0]["pid"], signal.SIGKILL)
    service.wait(lambda: service.states() == {"a": "done"})
    supervisor.terminate()
    assert supervisor.wait(WAIT_SECONDS) == 0
    assert service.audit().count(("write", "slow-1")) == 1
    service.stop()
