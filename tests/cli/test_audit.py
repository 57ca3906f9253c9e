"""`gracegate audit` as an operator sees it: rows on standard output, hints on standard error."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest

from gracegate.cli.main import CLEAN, USAGE, run
from gracegate.store import AuditRow, Store, audit
from tests.store.test_audit import WRITES


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The migrated database of a service, which the command is told by its folder alone."""
    monkeypatch.delenv("GRACEGATE_DATABASE", raising=False)
    monkeypatch.setenv("GRACEGATE_DATA_DIR", str(tmp_path))
    store = Store(f"sqlite:///{tmp_path / 'gracegate.db'}")
    store.migrate()
    return store


def add(store: Store, *rows: AuditRow) -> None:
    with store.transaction() as tx:
        for row in rows:
            audit.add(tx, row)


def audit_json(capfd: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert run(["audit", "--format", "json", *options]) == CLEAN
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def test_an_empty_log(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["audit"]) == CLEAN
    assert capfd.readouterr() == ("", "No writes to GitHub match.\n")
    assert audit_json(capfd) == {"writes": [], "before": None}


def test_a_row_for_each_write_the_newest_first(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    add(store, *WRITES)
    assert run(["audit"]) == CLEAN
    out, err = capfd.readouterr()
    assert re.sub(r"^\S+T\S+\+00:00", "TIME", out, flags=re.MULTILINE).splitlines() == [
        "TIME  -    -           ask for a webhook delivery again",
        "TIME  422  Shop/Api#1  post a review                     run c/1",
        "TIME  200  shop/web#1  conclude the check                run b/1",
        "TIME  ?    shop/web#1  start the check                   run a/1",
    ]
    assert err == ""


def test_a_write_without_a_summary_is_named_by_its_request(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    add(store, AuditRow("1", "DELETE", "/repositories/42/labels", ""))
    run(["audit"])
    assert capfd.readouterr().out.endswith("  ?  -  DELETE /repositories/42/labels\n")


def test_pages(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    add(store, *WRITES)
    first = audit_json(capfd, "--limit", "3")
    second = audit_json(capfd, "--limit", "3", "--before", str(first["before"]))
    assert [write["run_id"] for write in first["writes"] + second["writes"]] == [None, "c/1", "b/1", "a/1"]
    assert second["before"] is None
    assert run(["audit", "--limit", "3"]) == CLEAN
    assert capfd.readouterr().err == f"There are older ones: add `--before {first['before']}`.\n"


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        (["--repository", "SHOP/web"], ["b/1", "a/1"]),
        (["--repository", "shop/api", "--pull-request", "1"], ["c/1"]),
        (["--run", "a/1"], ["a/1"]),
        (["--since", "1h"], [None, "c/1", "b/1", "a/1"]),
        (["--since", "2000-01-01"], [None, "c/1", "b/1", "a/1"]),
        (["--since", (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()], []),
    ],
)
def test_filters(store: Store, capfd: pytest.CaptureFixture[str], options: list[str], runs: list[str | None]) -> None:
    add(store, *WRITES)
    assert [write["run_id"] for write in audit_json(capfd, *options)["writes"]] == runs


def test_json_has_all_of_a_row(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    add(store, WRITES[1])
    (write,) = audit_json(capfd)["writes"]
    assert dt.datetime.fromisoformat(write.pop("at")).tzinfo is dt.UTC
    assert write == {
        "id": 1,
        "app": "1",
        "installation_id": 7,
        "repository": "shop/web",
        "number": 1,
        "delivery_id": "b",
        "run_id": "b/1",
        "method": "PATCH",
        "path": "/repositories/42/check-runs/5",
        "summary": "conclude the check",
        "status": 200,
    }


@pytest.mark.parametrize("time", ["yesterday", "12", "9999999d", "2030-13-01"])
def test_a_wrong_time(store: Store, capfd: pytest.CaptureFixture[str], time: str) -> None:
    assert run(["audit", "--since", time]) == USAGE
    assert "write 12h or 7d, or a date such as 2030-01-31" in capfd.readouterr().err


def test_reading_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setenv("GRACEGATE_DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("GRACEGATE_DATABASE", raising=False)
    assert run(["audit"]) == USAGE
    assert capfd.readouterr().err.startswith(
        f"gracegate: there is no database at {tmp_path}/elsewhere/gracegate.db: set"
    )
    assert not (tmp_path / "elsewhere").exists()


def test_a_database_of_an_earlier_version(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    with store.transaction() as tx:
        tx.exec_driver_sql("DROP TABLE audit")
    assert run(["audit"]) == USAGE
    assert capfd.readouterr().err == "gracegate: tables are missing: audit; the service makes them when it starts\n"
