"""`gracegate policy rollback`: what it changes in the database of the service, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gracegate.cli.main import CLEAN, FINDINGS, USAGE, run
from gracegate.model import PolicyVersion
from gracegate.store import Store, policy_sets

SOURCE = "acme/policies@main"
FIRST, SECOND = (PolicyVersion(digit * 64, f"{digit}" * 40, "policies") for digit in "12")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The database of a service, in which one version of a set is in use."""
    monkeypatch.setenv("GRACEGATE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("GRACEGATE_DATABASE", raising=False)
    store = Store(f"sqlite:///{tmp_path / 'gracegate.db'}")
    store.migrate()
    use(store, FIRST)
    yield store
    store.close()


def use(store: Store, version: PolicyVersion) -> None:
    with store.transaction() as tx:
        policy_sets.add(tx, SOURCE, version, b"")
        policy_sets.activate(tx, SOURCE, "acme", version.digest)


def active(store: Store) -> PolicyVersion | None:
    with store.reading() as tx:
        return policy_sets.read(tx, SOURCE).active


def test_the_version_before_is_in_use_again(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    use(store, SECOND)
    assert run(["policy", "rollback", "acme"]) == CLEAN
    assert active(store) == FIRST
    assert capfd.readouterr().out == (
        "acme: 111111111111 (111111111111) is in use again, until acme/policies@main has another version than "
        "222222222222 (222222222222)\n"
    )
    assert run(["policy", "rollback", "acme"]) == FINDINGS
    assert active(store) == FIRST


def test_there_is_no_version_before(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "rollback", "acme"]) == FINDINGS
    message = "acme: the service has used no other version before 111111111111 (111111111111)\n"
    assert capfd.readouterr() == ("", message)


def test_there_is_no_such_set(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "rollback", "other"]) == USAGE
    assert capfd.readouterr().err == "gracegate: no policy set called other is in use; in use: acme\n"


def test_there_is_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRACEGATE_DATA_DIR", str(tmp_path / "none"))
    assert run(["policy", "rollback", "acme"]) == USAGE
    assert "there is no database at" in capfd.readouterr().err
    assert not (tmp_path / "none").exists()
