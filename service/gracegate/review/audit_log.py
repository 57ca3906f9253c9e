"""Records each write to GitHub in the database: before it goes out, and again when it was answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TypeVar

import structlog

from gracegate.github_app import RecordWrite, Write
from gracegate.store import AuditRow, Run, Store, Transaction, audit

log = structlog.get_logger(__name__)
T = TypeVar("T")


def write_recorder(store: Store, app: str, run: Run | None = None) -> RecordWrite:
    """Records the writes of a run, or those of the App itself.

    A row that cannot be stored is in the log: the review goes on.
    """
    reason = (
        {}
        if run is None
        else {
            "installation_id": run.installation_id,
            "repository": run.repository,
            "number": run.number,
            "delivery_id": run.delivery_id,
            "run_id": run.id,
        }
    )

    def record(write: Write) -> Callable[[int], None]:
        row = AuditRow(app, write.method, write.path, write.summary, **reason)  # type: ignore[arg-type]
        row_id = _store(store, row, lambda tx: audit.add(tx, row))

        def record_end(status: int) -> None:
            answered = replace(row, status=status)
            if row_id is None:
                _store(store, answered, lambda tx: audit.add(tx, answered))
            else:
                _store(store, answered, lambda tx: audit.set_status(tx, row_id, status))

        return record_end

    return record


def _store(store: Store, row: AuditRow, act: Callable[[Transaction], T]) -> T | None:
    try:
        with store.transaction() as tx:
            return act(tx)
    except Exception:
        log.exception("audit_row_not_stored", **asdict(row))
        return None
