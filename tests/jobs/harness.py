"""A service of real processes on a database of its own: a SQLite file, unless GRACEGATE_DATABASE is given."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gracegate.settings import Settings
from gracegate.store import Delivery, PullHead, Store, deliveries
from gracegate.store.tables import RUN
from tests.processes import WaitFailed, wait_for

STUB = Path(__file__).with_name("stub_worker.py")
PEM = "-----BEGIN RSA PRIVATE KEY-----\nnone\n-----END RSA PRIVATE KEY-----\n"


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "GRACEGATE_APP_ID": "1",
        "GRACEGATE_PRIVATE_KEY": PEM,
        "GRACEGATE_WEBHOOK_SECRETS": "newest,oldest",
        "GRACEGATE_COMMENT_SIGNING_KEYS": "key",
        "GRACEGATE_DATA_DIR": str(folder),
        "GRACEGATE_POLL_SECONDS": "0.05",
        "GRACEGATE_HEARTBEAT_SECONDS": "0.5",
        "GRACEGATE_DEAD_SECONDS": "5",
        "GRACEGATE_BACKOFF_SECONDS": "0.2",
        "GRACEGATE_SHUTDOWN_SECONDS": "10",
        **more,
    }


@dataclasses.dataclass
class Service:
    """The queue of a fresh database and the workers on it."""

    folder: Path
    env: dict[str, str]
    store: Store
    workers: list[subprocess.Popen[bytes]] = dataclasses.field(default_factory=list)

    @property
    def audit_file(self) -> Path:
        return self.folder / "audit.jsonl"

    def start_worker(self) -> subprocess.Popen[bytes]:
        with (self.folder / "workers.log").open("ab") as log:
            worker = subprocess.Popen([sys.executable, STUB, self.audit_file], env=self.env, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def deliver(self, guid: str, number: int, head: str, action: str = "synchronize") -> str:
        delivery = Delivery(guid, "pull_request", action, 7, 42, "shop/web")
        with self.store.transaction() as tx:
            return deliveries.accept(tx, delivery, [PullHead(number, head)])

    def audit(self) -> list[tuple[str, str]]:
        """What happened so far, as (what, head)."""
        return [(line["what"], line["head"]) for line in self.audit_lines()]

    def audit_lines(self) -> list[dict[str, Any]]:
        if not self.audit_file.exists():
            return []
        return [json.loads(line) for line in self.audit_file.read_text().splitlines()]

    def states(self) -> dict[str, str]:
        with self.store.transaction() as tx:
            return {row.delivery_id: row.state for row in tx.execute(RUN.select())}

    def wait(self, until: Callable[[], bool]) -> None:
        try:
            wait_for("the workers", until)
        except WaitFailed as error:
            error.add_note(f"{self.states()}\n{self.audit()}\n{(self.folder / 'workers.log').read_text()[-3000:]}")
            raise

    def stop(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGKILL)
            worker.wait()
        self.store.close()


def make_service(folder: Path, **more: str) -> Service:
    env = environment(folder, **more)
    settings = Settings.from_environment(env)
    store = Store(settings.database)
    store.migrate()
    return Service(folder, env, store)
