"""The rules of each version of a policy set that reviews have used, so that it can be said since when a rule is so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from gracegate.store.tables import POLICY_RULES, insert, now


def record(tx: sa.Connection, policy_set: str, source: str, digest: str, rules: Mapping[str, str]) -> None:
    """Record that a review uses a version of a policy set. `rules` are words by id that differ where a rule blocks in
    another way; those of a version that is known stay."""
    values = {
        "policy_set": policy_set,
        "source": source,
        "digest": digest,
        "rules": dict(rules),
        "first_used_at": now(),
    }
    tx.execute(insert(tx.dialect.name, POLICY_RULES).values(values).on_conflict_do_nothing())


class ChangedRule(NamedTuple):
    """Since when a rule is as it is, in seconds since the epoch, and whether it was not there before."""

    since: float
    is_new: bool


def changed_rules(tx: sa.Connection, policy_set: str, source: str, digest: str) -> dict[str, ChangedRule]:
    """The rules of a recorded version that were not so in an earlier one.

    A rule that is in all recorded versions as it is now has not changed, as far as anybody knows.
    """
    own = (POLICY_RULES.c.policy_set == policy_set, POLICY_RULES.c.source == source)
    query = sa.select(POLICY_RULES.c.digest, POLICY_RULES.c.rules, POLICY_RULES.c.first_used_at).where(*own)
    versions = tx.execute(query.order_by(POLICY_RULES.c.first_used_at.desc(), POLICY_RULES.c.digest)).all()
    place = next(number for number, version in enumerate(versions) if version.digest == digest)
    current, earlier = versions[place], versions[place + 1 :]
    changed = {}
    for rule, words in current.rules.items():
        since = current.first_used_at
        for version in earlier:
            if version.rules.get(rule) != words:
                changed[rule] = ChangedRule(since, rule not in version.rules)
                break
            since = version.first_used_at
    return changed
