"""A check is concluded before any comment waits, and the pace is kept without the database too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gracegate.errors import WriteBudgetSpent
from gracegate.github_app import AppClient, Pace, TokenBroker
from gracegate.model import WriteDebts
from gracegate.review.write_budget import SharedWriteBudget
from gracegate.store import Store, write_budgets
from tests.processes import free_port
from tests.review.conftest import Stage, is_current
from tests.shop import WITHOUT_DRAIN

ONE_CHECK_LEFT = WriteDebts(minute=0.0, hour=14.4 * 248)


def set_debts(store: Store, installation_id: int, debts: WriteDebts) -> None:
    with store.transaction() as tx:
        write_budgets.exchange(tx, installation_id, lambda _: debts)


def test_a_spent_budget_delays_the_comments_and_not_the_check(stage: Stage) -> None:
    fake, store = stage.fake, stage.reviewer.store
    broker = TokenBroker(str(fake.app.id), fake.app.private_key, fake.url)
    client = AppClient(broker, Pace(sleep=lambda _: None), SharedWriteBudget(store))
    reviewer = replace(stage.reviewer, client=client)
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    set_debts(store, stage.installation, ONE_CHECK_LEFT)
    with pytest.raises(WriteBudgetSpent):
        reviewer.review(stage.run(number), is_current)
    assert (stage.checks(), stage.comments(number)) == ([("completed", "failure")], [])

    set_debts(store, stage.installation, WriteDebts())
    outcome = reviewer.review(stage.run(number, conclusion="failure"), is_current)
    assert (outcome.state, stage.checks(), len(stage.comments(number))) == ("done", [("completed", "failure")], 1)


def test_without_the_database_each_process_keeps_the_pace() -> None:
    store = Store(f"postgresql://gracegate@127.0.0.1:{free_port()}/none")
    budget = SharedWriteBudget(store)
    found: list[WriteDebts] = []

    def take(debts: WriteDebts) -> WriteDebts:
        found.append(debts)
        return WriteDebts(3600.0, 0.0, 0.0)

    budget.exchange(1, take)
    budget.exchange(1, take)
    assert (found[0], found[1].minute > 3000.0) == (WriteDebts(), True)
