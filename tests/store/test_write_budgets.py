"""The write budget of an installation: one for all processes, by the clock of the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from gracegate.model import WriteDebts
from gracegate.store import Store, write_budgets

HOUR = 3600.0


def add(store: Store, installation_id: int, *seconds: float) -> WriteDebts:
    """Add to the debts of an installation; returns those that it had."""
    found = []

    def take(debts: WriteDebts) -> WriteDebts:
        found.append(debts)
        return WriteDebts(*(debt + more for debt, more in zip(debts, seconds, strict=True)))

    with store.transaction() as tx:
        write_budgets.exchange(tx, installation_id, take)
    return found[0]


def test_debts_belong_to_an_installation_and_go_down(store: Store) -> None:
    assert add(store, 1, HOUR, 2 * HOUR, 0.0) == WriteDebts()
    found = add(store, 1, 0.0, 0.0, 0.0)
    assert found == pytest.approx((HOUR, 2 * HOUR, 0.0), rel=0.1)
    later = add(store, 1, 0.0, 0.0, 0.0)
    assert later.minute < found.minute
    assert add(store, 2, HOUR, 0.0, 0.0) == WriteDebts()


def test_writes_at_once_are_all_counted(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: add(store, 1, HOUR, 0.0, HOUR), range(40)))
    assert add(store, 1, 0.0, 0.0, 0.0) == pytest.approx((40 * HOUR, 0.0, 40 * HOUR), rel=0.1)
