"""Policies for another tool become part of a policy set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gracegate.cli.main import CLEAN, FINDINGS, USAGE, run
from gracegate.repo_config import POLICIES_FILE
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
""",
    "policy/some.rego": """\
package some

import future.keywords.in

warn[msg] { some file in input; some x in file; x.kind == "Service"; msg := "A service" }
""",
}
WITH_INPUTS = {
    POLICIES_FILE: """\
foreign:
- {kind: conftest, path: policy, namespaces: [one], combine: [twice], data: [allowed], kinds: [ConfigMap]}
""",
    "allowed/ports.yaml": "ports: [80, 443]\n",
    "allowed/more/x.json": '{"ports": [8443]}',
    "policy/one.rego": """\
package one

import data.conftest.file
import data.ports
import rego.v1

deny contains msg if {
	some entry in input.spec.ports
	not entry.port in array.concat(ports, data.more.ports)
	not file.name == "a.yaml"
	msg := sprintf("%v in %v: %v is not allowed", [file.name, file.dir, entry.port])
}

deny contains {"msg": msg, "_loc": {"path": ["data"]}} if {
	input.data == {}
	msg := sprintf("%v in %v: no data", [file.name, file.dir])
}
""",
    "policy/twice.rego": """\
package twice

deny[msg] {
  one := input[_].contents
  other := input[_].contents
  one.metadata.name < other.metadata.name
  port := one.spec.ports[_].port
  port == other.spec.ports[_].port
  msg := sprintf("%v is the port of %v and %v", [port, one.metadata.name, other.metadata.name])
}
""",
}
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec:
  selector: {app: NAME}
  ports:
  - port: 8080
"""
MANIFESTS = {
    "a.yaml": SERVICE.replace("NAME", "a"),
    "b.yaml": SERVICE.replace("NAME", "b"),
    "config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {}\n",
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


def test_packages_that_need_all_files_at_once(top: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(top, COMBINED)
    assert run(["policy", "import", "conftest", "policy"]) == CLEAN
    rules = (
        f"3 rules for conftest, 3 files in Rego v0:\n  {DENY.replace('  error', '   error')}\n"
        "  conftest.pairs.deny  error    pairs.deny\n"
        "  conftest.some.warn   warning  some.warn\n"
        "Asked about all files at once, as with --combine: pairs and some\n"
    )
    entry = CONFTEST_ENTRY.replace("]}", "], combine: [pairs, some]}")
    assert (capfd.readouterr().out, (top / POLICIES_FILE).read_text()) == (rules, f"foreign:\n{entry}")
    # Who names it as any other package is told that it would say nothing.
    write(top, {POLICIES_FILE: f"name: acme\nforeign:\n{CONFTEST_ENTRY.replace('[main]', '[main, pairs, some]')}"})
    assert run(["policy", "check"]) == FINDINGS
    reason = "pairs needs all files at once: name it in `combine`, not in `namespaces`"
    assert capfd.readouterr().err == f"policy/pairs.rego:4: {reason}\n"


def test_what_conftest_gives_its_policies(top: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """All files at once, data, the name of the file, and kinds that gracegate does not read by itself."""
    write(top, {**WITH_INPUTS, **{f"apps/{name}": text for name, text in MANIFESTS.items()}})
    assert run(["check", "--policies", ".", "--format", "json", "apps"]) == FINDINGS
    report = json.loads(capfd.readouterr().out)
    found = [(one["file"], one["line"], one["rule"], one["message"]) for one in report["findings"]]
    assert report["problems"] == []
    assert [one for one in found if one[2].startswith("conftest.")] == [
        ("apps/a.yaml", 7, "conftest.twice.deny", "8080 is the port of a and b"),
        ("apps/b.yaml", 7, "conftest.one.deny", "b.yaml in /apps: 8080 is not allowed"),
        ("apps/config.yaml", 4, "conftest.one.deny", "config.yaml in /apps: no data"),
    ]


def test_a_folder_elsewhere(top: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(top / "set", POLICIES)
    assert run(["policy", "import", "conftest", ".."]) == USAGE
    assert capfd.readouterr().err == ("gracegate: .. is not below the working directory, which the policy set is in\n")
