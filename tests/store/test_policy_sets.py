"""Which version of a policy set is in use: one answer for all machines; what was rolled back stays out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from gracegate.model import PolicyRecord, PolicyVersion
from gracegate.store import Store, policy_sets

SOURCE = "acme/policies@main"
FIRST, SECOND, THIRD = (PolicyVersion(digit * 64, f"commit-{digit}", "policies") for digit in "123")


def record(store: Store, source: str = SOURCE) -> PolicyRecord:
    with store.reading() as tx:
        return policy_sets.read(tx, source)


def add(store: Store, version: PolicyVersion, archive: bytes = b"files") -> None:
    with store.transaction() as tx:
        policy_sets.add(tx, SOURCE, version, archive)


def use(store: Store, *versions: PolicyVersion) -> None:
    for version in versions:
        add(store, version, version.commit.encode())
        with store.transaction() as tx:
            policy_sets.activate(tx, SOURCE, "acme", version.digest)


def roll_back(store: Store) -> bool:
    with store.transaction() as tx:
        return policy_sets.roll_back(tx, SOURCE)


def archives(store: Store) -> list[bytes | None]:
    with store.reading() as tx:
        return [policy_sets.read_archive(tx, SOURCE, one.digest) for one in (FIRST, SECOND, THIRD)]


def test_nothing_is_recorded_of_an_unknown_source(store: Store) -> None:
    assert record(store) == PolicyRecord(SOURCE)
    assert not roll_back(store)
    assert archives(store) == [None, None, None]
    with store.reading() as tx:
        assert policy_sets.read_named(tx, "acme") == policy_sets.read_named(tx, "") == []


def test_a_version_is_used_when_it_is_activated(store: Store) -> None:
    add(store, FIRST)
    assert record(store) == PolicyRecord(SOURCE, newest=FIRST)
    use(store, FIRST)
    use(store, FIRST)
    assert record(store) == PolicyRecord(SOURCE, "acme", FIRST, FIRST)
    use(store, SECOND)
    assert record(store) == PolicyRecord(SOURCE, "acme", SECOND, SECOND, FIRST)
    with store.reading() as tx:
        assert policy_sets.read_named(tx, "acme") == policy_sets.read_named(tx, "") == [record(store)]
        assert policy_sets.read_named(tx, "other") == []


def test_only_versions_that_may_be_needed_are_kept(store: Store) -> None:
    use(store, FIRST, SECOND)
    assert archives(store) == [b"commit-1", b"commit-2", None]
    use(store, THIRD)
    assert archives(store) == [None, b"commit-2", b"commit-3"]


def test_another_commit_with_the_same_files(store: Store) -> None:
    use(store, FIRST)
    later = PolicyVersion(FIRST.digest, "commit-later", "policies")
    add(store, later, b"commit-1")
    assert record(store) == PolicyRecord(SOURCE, "acme", later, later)


def test_a_version_that_was_rolled_back_is_not_activated_again(store: Store) -> None:
    use(store, FIRST, SECOND)
    assert roll_back(store)
    rolled_back = PolicyRecord(SOURCE, "acme", SECOND, FIRST, rolled_back=SECOND)
    assert record(store) == rolled_back
    use(store, SECOND)
    assert record(store) == rolled_back
    assert not roll_back(store)
    use(store, THIRD)
    assert record(store) == PolicyRecord(SOURCE, "acme", THIRD, THIRD, FIRST)
    # What was rolled back may come back after that, as a revert does.
    use(store, SECOND)
    assert record(store).active == SECOND


def test_a_refusal_stays_until_a_version_is_activated(store: Store) -> None:
    use(store, FIRST)
    add(store, SECOND)
    with store.transaction() as tx:
        policy_sets.refuse(tx, SOURCE, "why")
    assert record(store) == PolicyRecord(SOURCE, "acme", SECOND, FIRST, refusal="why")
    use(store, THIRD)
    assert record(store).refusal == ""


def test_an_error_stays_until_the_source_can_be_read(store: Store) -> None:
    with store.transaction() as tx:
        policy_sets.record_error(tx, SOURCE, "no answer")
    assert record(store) == PolicyRecord(SOURCE, error="no answer")
    add(store, FIRST)
    assert record(store).error == ""


def test_one_of_many_reads_a_source_in_a_while(store: Store) -> None:
    def claim(seconds: float) -> bool:
        with store.transaction() as tx:
            return policy_sets.claim(tx, SOURCE, seconds)

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(claim, [3600.0] * 16)) == [*[False] * 15, True]
    assert claim(0.0)


@pytest.mark.parametrize("times", [1, 2])
def test_activating_at_once_keeps_the_version_before(store: Store, times: int) -> None:
    use(store, FIRST)
    add(store, SECOND)

    def activate(_: int) -> None:
        with store.transaction() as tx:
            policy_sets.activate(tx, SOURCE, "acme", SECOND.digest)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(activate, range(8 * times)))
    assert record(store) == PolicyRecord(SOURCE, "acme", SECOND, SECOND, FIRST)
