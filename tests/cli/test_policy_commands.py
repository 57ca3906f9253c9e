"""`gracegate policy`: its commands as authors of rules see them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gracegate.cli.main import CLEAN, FINDINGS, USAGE, run
from gracegate.policy import builtin_policies
from tests.cli.policy_json import SCHEMA, validate_policy_json
from tests.policy.sets.policy_sets import FOREIGN, GOOD, ID, RULE, write
from tests.policy.sets.test_set_tests import CASE, DEPLOYMENT, PASSING
from tests.processes import WAIT_SECONDS
from tests.shop import PRESTOP, SERVICE, WITHOUT_DRAIN

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


def test_a_set_for_other_tools(acme: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(acme.parent / "others", FOREIGN)
    assert run(["policy", "check", "others"]) == CLEAN
    assert re.sub(r"[0-9a-f]{12}", "DIGEST", capfd.readouterr().out) == (
        "others/policy: 1 rule, evaluated by OPA; DIGEST\nothers/gk: 1 rule, evaluated by OPA; DIGEST\n"
    )
    assert run(["policy", "test", "others"]) == USAGE
    assert "the set has no rules of its own" in capfd.readouterr().err


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


def test_a_new_rule_passes_all_that_is_asked_of_it(
    acme: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(acme)
    assert run(["policy", "new", "acme/owner-missing"]) == CLEAN
    assert capfd.readouterr().out == (
        "created rules/acme/owner_missing.rego\n"
        "created rules/acme/owner_missing_test.rego\n"
        "created cases/owner-missing/bad.yaml\n"
        "next: write `violation` and what it finds, then `gracegate policy test`\n"
    )
    assert run(["policy", "test"]) == CLEAN
    assert capfd.readouterr().out == "2 rules, 4 tests, 2 cases: all pass.\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("acme/memory-limit-missing", f"acme/{RULE}: it is there already", id="there"),
        pytest.param("acme", "acme is no name of a rule: write a group and an id", id="no group"),
        pytest.param("Acme/x", "Acme/x is no name of a rule", id="capitals"),
        pytest.param("termination/mine", "termination/mine is taken by the built-in rules", id="a built-in group"),
        pytest.param("acme/pdb-missing", "acme/pdb-missing is taken by the built-in rules", id="a built-in id"),
    ],
)
def test_no_new_rule(
    acme: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.chdir(acme)
    before = {path: path.read_bytes() for path in acme.rglob("*") if path.is_file()}
    assert run(["policy", "new", name]) == USAGE
    assert message in capfd.readouterr().err
    assert {path: path.read_bytes() for path in acme.rglob("*") if path.is_file()} == before


def test_the_input_is_what_opa_evaluates(acme: Path, opa: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(acme.parent, {"apps/web.yaml": WITHOUT_DRAIN, "apps/service.yaml": SERVICE})
    assert run(["policy", "input", "apps", "--policies", "acme"]) == CLEAN
    out, err = capfd.readouterr()
    assert err.startswith("The libraries of gracegate, for --data: ")
    assert {one["path"] for one in json.loads(out)["documents"]} == {"apps/service.yaml", "apps/web.yaml"}
    assert {ID, PRESTOP} <= {*json.loads(out)["rules"]}
    write(acme.parent, {"input.json": out})
    data = ["--data", str(acme / "rules"), "--data", str(builtin_policies() / "lib")]
    query = f'data.gracegate.rules.acme["{ID}"].violation'
    command = [opa, "eval", "--format", "raw", "--input", "input.json", *data, query]
    found = subprocess.run(command, capture_output=True, check=True, text=True, timeout=WAIT_SECONDS).stdout
    assert [one["message"] for one in json.loads(found)] == ['Container "web" has no memory limit.']


def test_no_input(acme: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "input", "acme/rules"]) == USAGE
    assert capfd.readouterr().err == "gracegate: there is no manifest that a rule reads\n"


def test_what_a_rule_finds_and_prints(
    acme: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printing = GOOD[RULE].replace(
        "not container.resources", 'print("looking at", container.name)\n\tnot container.resources'
    )
    write(acme, {RULE: printing})
    write(acme.parent, {"apps/web.yaml": WITHOUT_DRAIN, "apps/service.yaml": SERVICE})
    monkeypatch.chdir(acme)
    assert run(["policy", "try", "../apps"]) == FINDINGS
    out, err = capfd.readouterr()
    assert 'error: Container "web" has no memory limit. [memory-limit-missing]' in out
    assert PRESTOP not in out
    assert re.search(r"\nprint: looking at web\nacme: \d+\.\d ms\n\Z", out)
    assert err == ""


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_programs_get_nothing_but_json(acme: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of a set that can be used, and of one that has mistakes; what is told otherwise is all there."""

    def answer(*arguments: str, code: int = CLEAN) -> Any:
        assert run(["policy", *arguments, "--format", "json"]) == code
        out, err = capfd.readouterr()
        assert err == ""
        values = json.loads(out)
        validate_policy_json(arguments[0], values)
        return values

    (part,) = answer("check", "acme")["parts"]
    assert (part["name"], part["rules"], part["engine"]) == ("acme", [ID], "wasm")
    result = answer("test", "acme")
    assert (result["policy_set"], result["tests"], result["cases"], result["failures"]) == ("acme", 2, 1, [])
    assert [one["rule"] for one in answer("bench", "acme")["rules"]] == [ID]
    assert answer("docs", "acme", "--out", "pages")["files"] == ["pages/README.md", f"pages/pages/{ID}.md"]
    write(acme.parent, {"apps/web.yaml": WITHOUT_DRAIN, **FOREIGN, "gracegate-policies.yaml": ""})
    tried = answer("try", "apps", "--policies", "acme", code=FINDINGS)
    assert [one["rule"] for one in tried["report"]["findings"]] == [ID]
    assert [(one["name"], one["printed"], one["ms"] > 0) for one in tried["sets"]] == [("acme", [], True)]
    imported = answer("import", "conftest", "policy")
    assert imported["rules"] == [{"id": "conftest.main.deny", "severity": "error", "title": "Images come from us"}]
    assert (imported["rego_v0"], imported["is_written"]) == (["policy/deny.rego"], True)
    assert not answer("import", "conftest", "policy")["is_written"]
    rule = "rules/acme/owner_missing"
    assert answer("new", "acme/owner-missing") == {
        "schema": 1,
        "folder": str(acme.parent),
        "created": [f"{rule}.rego", f"{rule}_test.rego", "cases/owner-missing/bad.yaml"],
    }
    write(acme, {CASE: DEPLOYMENT.replace("error", "warning")})
    (failure,) = answer("test", "acme", code=FINDINGS)["failures"]
    assert (failure["file"], failure["line"]) == (CASE, 12)
    write(acme, {RULE: BROKEN})
    (mistake,) = answer("check", "acme", code=FINDINGS)["mistakes"]
    assert (mistake["file"], mistake["line"]) == (f"acme/{RULE}", 7)


def test_pages_about_own_rules(acme: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "docs", "acme", "--out", "pages"]) == CLEAN
    assert f"[{ID}](pages/{ID}.md)" in Path("pages/README.md").read_text()
    page = Path(f"pages/pages/{ID}.md").read_text()
    assert "has no memory limit.\n" in page
    assert "memory: 256Mi" in page
    before = {path: path.read_text() for path in Path("pages").rglob("*.md")}
    # One more rule, which finds something in the example of the first one.
    write(acme, {RULE.replace("memory", "second"): GOOD[RULE].replace(ID, "second-limit-missing")})
    assert run(["policy", "docs", "acme", "--out", "pages"]) == CLEAN
    changed = [path.name for path, text in before.items() if path.read_text() != text]
    assert changed == ["README.md"]
    capfd.readouterr()
