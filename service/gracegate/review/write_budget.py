"""The write budgets of the database, which all workers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from gracegate.github_app import LocalWriteBudget
from gracegate.model import WriteDebts
from gracegate.store import DatabaseUnavailable, Store, write_budgets

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SharedWriteBudget:
    """Implements github_app.WriteBudget. While the database is away each process keeps the pace by itself."""

    store: Store
    local: LocalWriteBudget = field(default_factory=LocalWriteBudget)

    def exchange(self, installation_id: int, take: Callable[[WriteDebts], WriteDebts]) -> None:
        try:
            with self.store.transaction() as tx:
                write_budgets.exchange(tx, installation_id, take)
        except DatabaseUnavailable as error:
            log.warning("database_unavailable", doing="write_budget", error=str(error))
            self.local.exchange(installation_id, take)
