"""Reports are found by their head, the newest counts, and those of a repository that is not public go at once."""

from __future__ import annotations

from dataclasses import replace

from gracegate.store import Store, StoredReport, reports

REPORT = StoredReport(42, 1, "head", "shop/web", b"\0one")


def save(store: Store, *stored: StoredReport) -> None:
    with store.transaction() as tx:
        for one in stored:
            reports.save(tx, one)


def find(store: Store, repository_id: int = 42, number: int = 1, head_sha: str = "head") -> StoredReport | None:
    with store.reading() as tx:
        found = reports.find(tx, repository_id, number, head_sha)
    assert found is None or found.created_at > 0
    return None if found is None else replace(found, created_at=0.0)


def test_a_report_is_found_by_its_head(store: Store) -> None:
    assert find(store) is None
    other = replace(REPORT, head_sha="other", content=b"two")
    save(store, REPORT, other)
    assert [find(store), find(store, head_sha="other")] == [REPORT, other]
    assert [find(store, 43), find(store, number=2), find(store, head_sha="HEAD")] == [None] * 3


def test_the_newest_report_of_a_head_counts(store: Store) -> None:
    newer = replace(REPORT, repository="shop/renamed", content=b"newer")
    save(store, REPORT, newer)
    assert find(store) == newer


def test_a_repository_that_is_not_public_has_none(store: Store) -> None:
    other = replace(REPORT, repository_id=43)
    save(store, REPORT, replace(REPORT, number=2), other)
    with store.transaction() as tx:
        reports.delete_all(tx, 42)
    assert [find(store), find(store, number=2), find(store, 43)] == [None, None, other]


def test_reports_of_repositories_that_a_sweep_finds_private_go(store: Store) -> None:
    other = replace(REPORT, repository_id=43)
    save(store, REPORT, other)
    with store.transaction() as tx:
        reports.delete_private(tx, {42, 44})
    assert [find(store), find(store, 43)] == [None, other]
