"""A bad rule on the command line: what is good beside it is found as without it, and the bad one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate.cli.main import INCOMPLETE, run
from tests.cli.test_policies import report
from tests.policy.sets.bad_rules import BadRule, each_bad_rule
from tests.policy.sets.policy_sets import FOREIGN, GOOD, write
from tests.shop import SERVICE, WITHOUT_DRAIN


@pytest.fixture
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opa: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The working directory, with a workload; beside it there are the sets acme and others."""
    for name in ("OPA_URL", "GRACEGATE_OPA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(opa.parent), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    write(tmp_path / "shop", {"web.yaml": WITHOUT_DRAIN, "service.yaml": SERVICE})
    write(tmp_path / "acme", GOOD)
    write(tmp_path / "others", FOREIGN)
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path


@each_bad_rule
def test_a_bad_rule_costs_nothing_else(folder: Path, capfd: pytest.CaptureFixture[str], bad: BadRule) -> None:
    arguments = ["check", "--format", "json", "--fail-on", "never", "--policies", "../others", "--policies", "../acme"]
    run(arguments)
    without = report(capfd)["findings"]
    write(folder / "acme", bad.files)
    assert run(arguments) == INCOMPLETE
    answer = report(capfd)
    # A set that is refused has no version before on the command line.
    expected = [one for one in without if one["policy_set"] != "acme"] if bad.is_refused else without
    assert expected != []
    assert answer["findings"] == expected
    said = [
        f"{one['file']}:{one['line']}: {one['message']}" if one["file"] else one["message"]
        for one in answer["problems"]
    ]
    wanted = bad.said.replace(": ", ": The policy set acme is not used: ", 1) if bad.is_refused else bad.said
    assert any(wanted in one for one in said), said
