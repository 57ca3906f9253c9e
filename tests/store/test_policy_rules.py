"""Since when a rule is as it is, by the versions of its policy set that reviews used."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gracegate.store import Store, policy_rules
from gracegate.store.tables import POLICY_RULES

DAY = 86400.0
# The rules of each version, oldest first, and which of those of the last one have changed, with the version that did.
HISTORIES: dict[str, tuple[list[dict[str, str]], dict[str, tuple[int, bool]]]] = {
    "the first version": ([{"a": "error"}], {}),
    "nothing": ([{"a": "error"}, {"a": "error"}], {}),
    "a new rule": ([{"a": "error"}, {"a": "error", "b": "warning"}], {"b": (1, True)}),
    "a rule that went": ([{"a": "error", "b": "warning"}, {"a": "error"}], {}),
    "a higher level": (
        [{"a": "warning"}, {"a": "error"}, {"a": "error", "b": "error"}],
        {"a": (1, False), "b": (2, True)},
    ),
    "a rule that came back": ([{"a": "error"}, {}, {"a": "error"}], {"a": (2, True)}),
}


def record(store: Store, number: int, rules: dict[str, str], policy_set: str = "acme", source: str = "s") -> None:
    """Record a version as if it had first been used `number` days after the epoch."""
    with store.transaction() as tx:
        policy_rules.record(tx, policy_set, source, f"digest-{number}", rules)
        new = (POLICY_RULES.c.digest == f"digest-{number}", POLICY_RULES.c.first_used_at > 1000 * DAY)
        tx.execute(sa.update(POLICY_RULES).where(*new).values(first_used_at=number * DAY))


def changed(store: Store, number: int) -> dict[str, tuple[float, bool]]:
    with store.reading() as tx:
        found = policy_rules.changed_rules(tx, "acme", "s", f"digest-{number}")
    return {rule: (one.since / DAY, one.is_new) for rule, one in found.items()}


@pytest.mark.parametrize(("versions", "expected"), HISTORIES.values(), ids=HISTORIES.keys())
def test_since_when_a_rule_is_so(
    store: Store, versions: list[dict[str, str]], expected: dict[str, tuple[int, bool]]
) -> None:
    record(store, 0, {"a": "other", "b": "other"}, policy_set="another")
    record(store, 0, {"a": "other", "b": "other"}, source="another")
    for number, rules in enumerate(versions):
        record(store, number, rules)
    assert changed(store, len(versions) - 1) == expected


def test_a_version_is_recorded_once_and_may_be_used_beside_a_newer_one(store: Store) -> None:
    record(store, 0, {"a": "warning"})
    record(store, 1, {"a": "error"})
    record(store, 2, {"a": "error", "b": "error"})
    record(store, 1, {"a": "ignored"})
    assert [changed(store, number) for number in range(3)] == [
        {}, {"a": (1, False)}, {"a": (1, False), "b": (2, True)},
    ]  # fmt: skip
