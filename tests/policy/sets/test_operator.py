"""The operator's policy sets: a change is used when nothing is wrong with it, else the version before stays."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gracegate.git import ReadLimits, TreeFetcher
from gracegate.model import PolicySource, parse_policy_source
from gracegate.policy.sets import MemoryRecords, PolicySets
from gracegate.policy.sources import MAX_BYTES, PolicyFetcher, pack
from tests.policy.sets.policy_sets import GOOD, ID, RULE, write
from tests.policy.sets.test_set_tests import PASSING, TEST, TESTS
from tests.policy.sources.bundle_server import BundleServer, sha256
from tests.policy.sources.conftest import bundles

__all__ = ["bundles"]

OTHER_RULE = "rules/acme/other.rego"
OTHER = {OTHER_RULE: GOOD[RULE].replace(ID, "other")}
BROKEN = {RULE: GOOD[RULE].replace("severity: error", "severity: fatal")}
FATAL = f"{RULE}:7: severity is one of error, warning, info, not fatal"


class Records(MemoryRecords):
    """Records that also do what `gracegate policy rollback` does in the database."""

    def roll_back(self, source: str) -> None:
        record = self.read(source)
        self._records[source] = replace(record, active=record.previous, previous=None, rolled_back=record.active)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "acme", GOOD)


def sets_of(opa: Path, *folders: Path, records: MemoryRecords | None = None) -> PolicySets:
    """The sets of folders; what was recorded of them before is in `records`."""
    sources = [parse_policy_source(str(folder)) for folder in folders]
    return sets_from(opa, folders[0].parent / "data", *sources, records=records)


def sets_from(opa: Path, data: Path, *sources: PolicySource, records: MemoryRecords | None = None) -> PolicySets:
    trees = TreeFetcher(data / "git", limits=ReadLimits(MAX_BYTES, MAX_BYTES))
    fetcher = PolicyFetcher(trees, "http://127.0.0.1:1", lambda _: None)
    return PolicySets(sources, fetcher, lambda: opa, data, records or MemoryRecords())


def rules_in_use(sets: PolicySets) -> list[tuple[str, list[str], list[str]]]:
    return [
        (one.name, sorted(r for part in one.own for r in part.catalog.rules), [str(m) for m in one.mistakes])
        for one in sets.current()
    ]


def test_no_folders(tmp_path: Path, opa: Path) -> None:
    assert sets_from(opa, tmp_path).current() == ()


def test_a_change_is_used_when_nothing_is_wrong_with_it(folder: Path, opa: Path) -> None:
    records = MemoryRecords()
    sets = sets_of(opa, folder, records=records)
    assert rules_in_use(sets) == [("acme", [ID], [])]
    first = sets.current()
    assert sets.current() == first
    write(folder, BROKEN)
    assert rules_in_use(sets) == [("acme", [ID], [FATAL])]
    assert sets.current()[0].own == first[0].own
    # Another process, or the same one after a restart.
    assert rules_in_use(sets_of(opa, folder, records=records)) == [("acme", [ID], [FATAL])]
    write(folder, {**GOOD, **OTHER})
    assert rules_in_use(sets) == [("acme", [ID, "other"], [])]


def test_a_change_whose_tests_fail_is_not_used(folder: Path, opa: Path) -> None:
    records = MemoryRecords()
    sets = sets_of(opa, folder, records=records)
    write(folder, PASSING)
    assert rules_in_use(sets) == [("acme", [ID], [])]
    write(folder, {TEST: TESTS.replace("count(found) == 1", "count(found) == 2")})
    mistakes = [f"{TEST}:17: a test fails: test_found: `count(found) == 2` is not true"]
    again = sets_of(opa, folder, records=records)
    assert rules_in_use(sets) == rules_in_use(again) == [("acme", [ID], mistakes)]
    # What has passed is not run again by another process: this one has no OPA.
    write(folder, PASSING)
    assert rules_in_use(sets) == [("acme", [ID], [])]
    assert rules_in_use(sets_of(Path("/nothing"), folder, records=records)) == [("acme", [ID], [])]


def test_a_set_that_never_could_be_used(folder: Path, opa: Path) -> None:
    write(folder, BROKEN)
    sets = sets_of(opa, folder)
    assert rules_in_use(sets) == [("acme", [], [FATAL])]
    assert sets.current()[0].rule_ids == {ID}


def test_a_folder_that_vanishes(folder: Path, opa: Path) -> None:
    sets = sets_of(opa, folder)
    sets.current()
    folder.rename(folder.with_name("elsewhere"))
    assert rules_in_use(sets) == [("acme", [ID], [f"{folder}: there is no such folder of policies"])]


def test_a_rule_of_another_set(folder: Path, opa: Path) -> None:
    other = write(folder.parent / "other", GOOD)
    assert rules_in_use(sets_of(opa, folder, other)) == [
        ("acme", [ID], []),
        ("other", [], [f"{RULE}:1: the policy set acme has a rule `{ID}` too, in {folder}/{RULE}"]),
    ]


def test_a_rule_that_another_set_gets_later(folder: Path, opa: Path) -> None:
    """The version before stays, until the rule is called otherwise here or there."""
    other = write(folder.parent / "other", OTHER)
    sets = sets_of(opa, folder, other)
    assert rules_in_use(sets) == [("acme", [ID], []), ("other", ["other"], [])]
    write(other, GOOD)
    mistake = f"{RULE}:1: the policy set acme has a rule `{ID}` too, in {folder}/{RULE}"
    assert rules_in_use(sets) == [("acme", [ID], []), ("other", ["other"], [mistake])]
    (folder / RULE).rename(folder / "rules/acme/third.rego")
    write(folder, {"rules/acme/third.rego": GOOD[RULE].replace(ID, "third")})
    assert rules_in_use(sets)[0] == ("acme", ["third"], [])
    assert rules_in_use(sets) == [("acme", ["third"], []), ("other", [ID, "other"], [])]


@pytest.fixture
def remote(bundles: BundleServer) -> PolicySource:
    bundles.files["/acme.tar.gz"] = bundle(GOOD)
    return parse_policy_source(f"{bundles.url}/acme.tar.gz")


def bundle(files: Mapping[str, str]) -> bytes:
    return pack({name: text.encode() for name, text in files.items()})


def test_a_version_of_a_server_is_used_after_the_next_look(
    bundles: BundleServer, remote: PolicySource, tmp_path: Path, opa: Path
) -> None:
    records = MemoryRecords()
    sets, other = (sets_from(opa, tmp_path / name, remote, records=records) for name in ("one", "other"))
    # A review waits for the first version, and for no other.
    assert rules_in_use(sets) == rules_in_use(other) == [("acme", [ID], [])]
    assert [status for _, status in bundles.requests] == [200]
    bundles.files["/acme.tar.gz"] = bundle({**GOOD, **OTHER})
    assert rules_in_use(sets) == [("acme", [ID], [])]
    other.look()
    assert rules_in_use(sets) == rules_in_use(other) == [("acme", [ID, "other"], [])]
    assert [part.commit for part in sets.current()[0].own] == [sha256(bundles.files["/acme.tar.gz"])]


def test_a_review_waits_for_a_look_that_has_begun(remote: PolicySource, tmp_path: Path, opa: Path) -> None:
    is_looking, may_go_on = threading.Event(), threading.Event()

    def find_opa_late() -> Path:
        is_looking.set()
        may_go_on.wait(timeout=120)
        return opa

    trees = TreeFetcher(tmp_path / "git", limits=ReadLimits(MAX_BYTES, MAX_BYTES))
    fetcher = PolicyFetcher(trees, "http://127.0.0.1:1", lambda _: None)
    sets = PolicySets((remote,), fetcher, find_opa_late, tmp_path, MemoryRecords())
    looking = threading.Thread(target=sets.look)
    looking.start()
    assert is_looking.wait(timeout=120)
    threading.Timer(0.3, may_go_on.set).start()
    assert rules_in_use(sets) == [("acme", [ID], [])]
    looking.join(timeout=120)


def test_a_source_that_cannot_be_read_keeps_its_version(
    bundles: BundleServer, remote: PolicySource, tmp_path: Path, opa: Path
) -> None:
    sets = sets_from(opa, tmp_path, remote)
    content = bundles.files.pop("/acme.tar.gz")
    missing = f"{remote.text}: the server answers 404"
    assert rules_in_use(sets) == [(remote.text, [], [missing])]
    # It is not asked again for each review.
    assert rules_in_use(sets) == [(remote.text, [], [missing])]
    assert len(bundles.requests) == 1
    bundles.files["/acme.tar.gz"] = content
    sets.look()
    assert rules_in_use(sets) == [("acme", [ID], [])]
    del bundles.files["/acme.tar.gz"]
    sets.look()
    assert rules_in_use(sets) == [("acme", [ID], [missing])]
    bundles.files["/acme.tar.gz"] = content
    sets.look()
    assert rules_in_use(sets) == [("acme", [ID], [])]


def test_a_refused_version_of_a_server(bundles: BundleServer, remote: PolicySource, tmp_path: Path, opa: Path) -> None:
    records = MemoryRecords()
    sets = sets_from(opa, tmp_path, remote, records=records)
    sets.look()
    bundles.files["/acme.tar.gz"] = bundle(BROKEN)
    sets.look()
    sets.look()
    assert rules_in_use(sets) == [("acme", [ID], [FATAL])]
    assert sets.current()[0].rule_ids == {ID}
    # A process that has built nothing, and whose source is gone.
    bundles.files.clear()
    assert rules_in_use(sets_from(opa, tmp_path / "new", remote, records=records)) == [("acme", [ID], [FATAL])]


def test_a_version_that_was_rolled_back(folder: Path, opa: Path) -> None:
    records = Records()
    sets = sets_of(opa, folder, records=records)
    sets.current()
    write(folder, OTHER)
    assert rules_in_use(sets) == [("acme", [ID, "other"], [])]
    records.roll_back(str(folder))
    reason = "it was rolled back: the next version of the source is used again"
    assert rules_in_use(sets) == [("acme", [ID], [reason])]
    assert sets.current()[0].is_rolled_back
    write(folder, {OTHER_RULE: OTHER[OTHER_RULE].replace("A leak in", "Any leak in")})
    assert rules_in_use(sets) == [("acme", [ID, "other"], [])]
