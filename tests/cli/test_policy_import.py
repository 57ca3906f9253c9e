"""Policies for another tool become part of a policy set."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate.cli.main import CLEAN, FINDINGS, USAGE, run
from tests.policy.sets.policy_sets import FOREIGN, write

POLICIES = {name: text for name, text in FOREIGN.items() if name != "gracegate-policies.yaml"}
DENY = "conftest.main.deny  error    Images come from us"
CONFTEST = f"1 rule for conftest, 1 file in Rego v0:\n  {DENY}\n"
CONFTEST_ENTRY = "- {kind: conftest, path: policy, namespaces: [main]}\n"
COMBINED = {
    "policy/pairs.rego": """\
package pairs

deny[msg] {
  service := input[i].contents
  service.kind == "Service"
  msg := "A service"
}
"""
}
GATEKEEPER = """\
1 rule for gatekeeper, 1 file in Rego v0:
  gatekeeper.enough-replicas  warning  Replicas
Left out: 1 constraint
  Unknown/other: there is no template of its kind
"""
OTHER = FOREIGN["gk/constraint.yaml"].replace("kind: Replicas", "kind: Unknown").replace("enough-replicas", "other")


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opa: Path) -> Path:
    monkeypatch.setenv("GRACEGATE_OPA", str(opa))
    monkeypatch.chdir(write(tmp_path, POLICIES))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "before", "output", "after"),
    [
        (["conftest", "policy"], None, CONFTEST, f"foreign:\n{CONFTEST_ENTRY}"),
        (["conftest", "./policy"], "name: acme\n", CONFTEST, f"name: acme\nforeign:\n{CONFTEST_ENTRY}"),
        (["conftest", "policy"], f"foreign:\n{CONFTEST_ENTRY}", CONFTEST, f"foreign:\n{CONFTEST_ENTRY}"),
        (["gatekeeper", "gk"], None, GATEKEEPER, "foreign:\n- {kind: gatekeeper, path: gk}\n"),
    ],
)
def test_import(
    top: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], before: str | None, output: str, after: str
) -> None:
    write(top, {"gk/other.yaml": OTHER} | ({} if before is None else {"gracegate-policies.yaml": before}))
    assert run(["policy", "import", *arguments]) == CLEAN
    assert capfd.readouterr().out == output
    assert (top / "gracegate-policies.yaml").read_text() == after


def test_packages_that_need_all_files_at_once_are_left_out(top: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(top, COMBINED)
    assert run(["policy", "import", "conftest", "policy"]) == CLEAN
    left_out = "  pairs: it needs all files at once (--combine): policy/pairs.rego:4\n"
    assert capfd.readouterr().out == CONFTEST.replace("1 file", "2 files") + f"Left out: 1 package\n{left_out}"
    assert (top / "gracegate-policies.yaml").read_text() == f"foreign:\n{CONFTEST_ENTRY}"
    # Who names it anyway is told that it would say nothing.
    write(
        top, {"gracegate-policies.yaml": f"name: acme\nforeign:\n{CONFTEST_ENTRY.replace('[main]', '[main, pairs]')}"}
    )
    assert run(["policy", "check"]) == FINDINGS
    reason = "pairs needs all files at once (--combine): leave it out of `namespaces`"
    assert capfd.readouterr().err == f"policy/pairs.rego:4: {reason}\n"


def test_a_folder_elsewhere(top: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(top / "set", POLICIES)
    assert run(["policy", "import", "conftest", ".."]) == USAGE
    assert capfd.readouterr().err == ("gracegate: .. is not below the working directory, which the policy set is in\n")
