"""`gracegate policy check` and `test`, as authors of rules see them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gracegate.cli.main import CLEAN, FINDINGS, USAGE, run
from tests.policy.sets.policy_sets import GOOD, RULE, write
from tests.policy.sets.test_set_tests import CASE, DEPLOYMENT, PASSING

BROKEN = GOOD[RULE].replace("severity: error", "severity: fatal")


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opa: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a policy set; the working directory is above it."""
    monkeypatch.setenv("PATH", str(opa.parent), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "acme", PASSING)


def test_a_good_set(acme: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "check", "acme"]) == CLEAN
    assert capfd.readouterr().out.startswith("acme: 1 rule, evaluated in Wasm; ")
    assert run(["policy", "test", "acme"]) == CLEAN
    assert capfd.readouterr() == ("1 rule, 2 tests, 1 case: all pass.\n", "")


@pytest.mark.parametrize("name", ["check", "test"])
def test_all_mistakes_are_named(acme: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    write(acme, {RULE: BROKEN, "policy/deny.rego": "package main\n"})
    assert run(["policy", name, "acme"]) == FINDINGS
    assert capfd.readouterr().err == (
        "acme/policy/deny.rego:1: a rule lives in rules/<group>/<rule>.rego and a library in lib/, in lower case\n"
        f"acme/{RULE}:7: severity is one of error, warning, info, not fatal\n"
    )


def test_a_test_that_fails(acme: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(acme, {CASE: DEPLOYMENT.replace("error", "warning")})
    assert run(["policy", "test", "acme"]) == FINDINGS
    assert capfd.readouterr().out == (
        f"FAIL {CASE}:12: expected `memory-limit-missing warning`, found `memory-limit-missing error`\n"
        "1 rule, 2 tests, 1 case: 1 failed.\n"
    )
    assert run(["policy", "test", "acme", "--format", "json"]) == FINDINGS
    answer = json.loads(capfd.readouterr().out)
    assert (answer["tests"], answer["cases"], [one["line"] for one in answer["failures"]]) == (2, 1, [12])


def test_the_set_above_the_working_directory(
    acme: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(acme, {"gracegate-policies.yaml": "name: named\n"})
    monkeypatch.chdir(acme / "rules" / "acme")
    assert run(["policy", "check"]) == CLEAN
    assert capfd.readouterr().out.startswith("named: 1 rule")


def test_a_folder_that_is_no_set(acme: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (acme.parent / "empty").mkdir()
    assert run(["policy", "check", "empty"]) == USAGE
    assert "there are no Rego files" in capfd.readouterr().err
