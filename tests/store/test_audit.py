"""The audit log: rows are found by what they are about, the newest first, and page by page."""

from __future__ import annotations

import dataclasses

import pytest

from gracegate.store import AuditFilter, AuditRow, Store, audit

WRITES = [
    AuditRow("1", "POST", "/repositories/42/check-runs", "start the check", 7, "shop/web", 1, "a", "a/1"),
    AuditRow("1", "PATCH", "/repositories/42/check-runs/5", "conclude the check", 7, "shop/web", 1, "b", "b/1", 200),
    AuditRow("1", "POST", "/repositories/43/pulls/1/reviews", "post a review", 7, "Shop/Api", 1, "c", "c/1", 422),
    AuditRow("1", "POST", "/app/hook/deliveries/9/attempts", "ask for a webhook delivery again", status=0),
]


@pytest.fixture
def ids(store: Store) -> list[int]:
    """The rows are in the store, each in a transaction of its own."""
    found = []
    for row in WRITES:
        with store.transaction() as tx:
            found.append(audit.add(tx, row))
    return found


def find(store: Store, limit: int = 10, **which: object) -> list[AuditRow]:
    """Without their ids and times."""
    with store.transaction() as tx:
        rows = audit.find(tx, AuditFilter(**which), limit)  # type: ignore[arg-type]
    return [dataclasses.replace(row, id=0, at=0.0) for row in rows]


def test_an_empty_log(store: Store) -> None:
    assert find(store) == []


def test_rows_are_as_they_were_written_the_newest_first(store: Store, ids: list[int]) -> None:
    assert find(store) == WRITES[::-1]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({"repository": "shop/web"}, [1, 0]),
        ({"repository": "shop/api"}, [2]),
        ({"repository": "shop"}, []),
        ({"repository": "shop/web", "number": 1, "run_id": "a/1"}, [0]),
        ({"number": 2}, []),
        ({"since": 0.0}, [3, 2, 1, 0]),
        ({"since": 4e9}, []),
    ],
)
def test_filters(store: Store, ids: list[int], which: dict[str, object], expected: list[int]) -> None:
    assert find(store, **which) == [WRITES[index] for index in expected]


def test_pages(store: Store, ids: list[int]) -> None:
    assert find(store, limit=3) == WRITES[:0:-1]
    assert find(store, limit=3, before=ids[1]) == WRITES[:1]


def test_a_row_gets_the_status_of_its_answer(store: Store, ids: list[int]) -> None:
    with store.transaction() as tx:
        audit.set_status(tx, ids[0], 201)
    assert find(store, before=ids[1]) == [dataclasses.replace(WRITES[0], status=201)]


def test_the_time_is_the_databases(store: Store, ids: list[int]) -> None:
    with store.transaction() as tx:
        newest = audit.find(tx, AuditFilter(), 1)[0]
    assert (newest.id, newest.at > 1.7e9) == (ids[-1], True)
