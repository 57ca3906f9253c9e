"""What gracegate remembers: deliveries, newest heads, runs, verdicts. Nothing is ever read from the queue's tables."""

from __future__ import annotations

from gracegate.store import deliveries, executors, runs
from gracegate.store.database import DatabaseUnavailable, Store, Transaction, translate_errors, url_without_password
from gracegate.store.deliveries import CANCELLED, DEAD, DONE, SUPERSEDED, WAITING, Delivery, PullHead, Ticket
from gracegate.store.runs import Cost, Outcome, Run, RunStatus

__all__ = [
    "CANCELLED",
    "DEAD",
    "DONE",
    "SUPERSEDED",
    "WAITING",
    "Cost",
    "DatabaseUnavailable",
    "Delivery",
    "Outcome",
    "PullHead",
    "Run",
    "RunStatus",
    "Store",
    "Ticket",
    "Transaction",
    "deliveries",
    "executors",
    "runs",
    "translate_errors",
    "url_without_password",
]
