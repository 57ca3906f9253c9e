"""The operator's policy sets: a change is used when nothing is wrong with it, else the version before stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate.policy.sets import PolicySets
from tests.policy.sets.policy_sets import GOOD, ID, RULE, write
from tests.policy.sets.test_set_tests import PASSING, TEST, TESTS

OTHER = {"rules/acme/other.rego": GOOD[RULE].replace(ID, "other")}
BROKEN = {RULE: GOOD[RULE].replace("severity: error", "severity: fatal")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "acme", GOOD)


def sets_of(opa: Path, *folders: Path) -> PolicySets:
    return PolicySets(folders, lambda: opa, folders[0].parent / "data")


def rules_in_use(sets: PolicySets) -> list[tuple[str, list[str], list[str]]]:
    return [
        (one.name, sorted(r for part in one.own for r in part.catalog.rules), [str(m) for m in one.mistakes])
        for one in sets.current()
    ]


FATAL = f"{RULE}:7: severity is one of error, warning, info, not fatal"


def test_no_folders(tmp_path: Path, opa: Path) -> None:
    assert PolicySets((), lambda: opa, tmp_path).current() == ()


def test_a_change_is_used_when_nothing_is_wrong_with_it(folder: Path, opa: Path) -> None:
    sets = sets_of(opa, folder)
    assert rules_in_use(sets) == [("acme", [ID], [])]
    first = sets.current()
    assert sets.current() == first
    write(folder, BROKEN)
    assert rules_in_use(sets) == [("acme", [ID], [FATAL])]
    assert sets.current()[0].own == first[0].own
    # Another process, or the same one after a restart.
    assert rules_in_use(sets_of(opa, folder)) == [("acme", [ID], [FATAL])]
    write(folder, {**GOOD, **OTHER})
    assert rules_in_use(sets) == [("acme", [ID, "other"], [])]


def test_a_change_whose_tests_fail_is_not_used(folder: Path, opa: Path) -> None:
    sets = sets_of(opa, folder)
    write(folder, PASSING)
    assert rules_in_use(sets) == [("acme", [ID], [])]
    write(folder, {TEST: TESTS.replace("count(found) == 1", "count(found) == 2")})
    mistakes = [f"{TEST}:17: a test fails: test_found: `count(found) == 2` is not true"]
    assert rules_in_use(sets) == rules_in_use(sets_of(opa, folder)) == [("acme", [ID], mistakes)]
    # What has passed is not run again by another process: this one has no OPA.
    write(folder, PASSING)
    assert rules_in_use(sets) == [("acme", [ID], [])]
    assert rules_in_use(PolicySets((folder,), lambda: Path("/nothing"), folder.parent / "data")) == [("acme", [ID], [])]


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
        ("other", [], [f"{other}: the policy set acme has a rule `{ID}` too"]),
    ]
