"""Supervises one stub worker: `python supervised.py AUDIT`."""

from __future__ import annotations

import sys
from pathlib import Path

from gracegate.cli.supervisor import Program, supervise
from gracegate.jobs import mark_dead
from gracegate.settings import Settings, environment
from gracegate.store import Store

if __name__ == "__main__":
    store = Store(Settings.from_environment().database)
    stub = str(Path(__file__).parents[1] / "jobs" / "stub_worker.py")
    worker = Program("worker", (sys.executable, stub, sys.argv[1]))
    supervise([worker], environment(), stop_seconds=10, on_exit=lambda pid: mark_dead(store, pid))
