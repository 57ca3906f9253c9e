"""Supervises one stub worker: `python supervised.py AUDIT`."""

from __future__ import annotations

import sys
from pathlib import Path

from gracegate.jobs.supervisor import Program, supervise
from gracegate.jobs.worker import bury
from gracegate.settings import Settings, environment
from gracegate.store.database import Store

if __name__ == "__main__":
    store = Store(Settings.from_environment().database)
    stub = str(Path(__file__).with_name("stub_worker.py"))
    worker = Program("worker", (sys.executable, stub, sys.argv[1]))
    supervise([worker], environment(), grace=10, ended=lambda pid: bury(store, pid))
