"""The database: deliveries, newest heads, runs, verdicts and rate limits. The tables of the queue are not read here."""

from __future__ import annotations

from gracegate.store import deliveries, executors, runs
from gracegate.store.database import DatabaseUnavailable, Store, Transaction, translate_errors, url_without_password
from gracegate.store.deliveries import Delivery, PullHead, Ticket
from gracegate.store.runs import Cost, Outcome, Run, RunStatus
from gracegate.store.tables import CANCELLED, DEAD, DONE, SUPERSEDED, WAITING

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
