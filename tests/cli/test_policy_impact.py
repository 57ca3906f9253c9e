"""What a change of rules would find in real clones, and what it would have blocked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gracegate.cli.main import CLEAN, FINDINGS, INCOMPLETE, run
from tests.cli.policy_json import validate_policy_json
from tests.cli.test_cli import commit
from tests.policy.sets.policy_sets import GOOD, ID, RULE, write
from tests.shop import DEPLOYMENT

LIMITED = DEPLOYMENT.replace("image: registry", "resources: {limits: {memory: 1Gi}}\n          image: registry", 1)
DOCUMENTS = "some i, document in input.documents"


@pytest.fixture
def clones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opa: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A policy set in the working directory, and two clones beside it: the last change of one takes a limit away."""
    monkeypatch.setenv("GRACEGATE_OPA", str(opa))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    commit(write(tmp_path / "acme", GOOD), "rules")
    commit(write(tmp_path / "one", {"web.yaml": LIMITED}), "first")
    commit(write(tmp_path / "one", {"web.yaml": DEPLOYMENT}), "second")
    commit(write(tmp_path / "two", {"apps/web.yaml": LIMITED, "README.md": "two"}), "first")
    write(tmp_path, {"repos.txt": "# ours\none\ntwo@HEAD  # the other one\n"})
    monkeypatch.chdir(tmp_path / "acme")
    return tmp_path


def impact(capfd: pytest.CaptureFixture[str], *arguments: str, exit_code: int = CLEAN) -> str:
    assert run(["policy", "impact", "--repos", "../repos.txt", *arguments]) == exit_code
    return capfd.readouterr().out


@pytest.mark.parametrize(
    ("change", "arguments", "lines"),
    [
        pytest.param(
            {},
            [],
            [
                f"{ID}  1 new error, in 1 of 2 clones",
                f'  new error: one web.yaml:14: Container "web" has no memory limit. [{ID}]',
                "2 clones, 2 objects.",
            ],
            id="new rules",
        ),
        pytest.param({}, ["--base", "HEAD"], ["No finding appears or disappears.", "2 clones, 2 objects."], id="none"),
        pytest.param(
            {RULE: GOOD[RULE].replace("severity: error", "severity: warning")},
            ["--base", "HEAD"],
            [
                f"{ID}  1 now warning, in 1 of 2 clones",
                f'  now warning: one web.yaml:14: Container "web" has no memory limit. [{ID}]',
                "2 clones, 2 objects.",
            ],
            id="another level",
        ),
        pytest.param(
            {RULE: GOOD[RULE].replace(DOCUMENTS, f'{DOCUMENTS}\n\tdocument.path != "web.yaml"')},
            ["--base", "HEAD"],
            [
                f"{ID}  1 gone, in 1 of 2 clones",
                f'  gone: one web.yaml:14: Container "web" has no memory limit. [{ID}]',
                "2 clones, 2 objects.",
            ],
            id="less",
        ),
    ],
)
def test_findings(
    clones: Path, capfd: pytest.CaptureFixture[str], change: dict[str, str], arguments: list[str], lines: list[str]
) -> None:
    write(clones / "acme", change)
    assert impact(capfd, *arguments).splitlines() == lines


def test_changes(clones: Path, capfd: pytest.CaptureFixture[str]) -> None:
    output = impact(capfd, "--changes", "5", "--fail-if-blocks", "0", exit_code=FINDINGS)
    said = "Of the last 1 change of manifests: 0 would have got a comment (now: 0), 1 would have been blocked (now: 0)."
    assert said in output
    assert f"is blocked, not passes: web.yaml:14 {ID}" in output
    assert "1 would have been blocked" in impact(capfd, "--changes", "5", "--fail-if-blocks", "1")


def test_it_finds_what_check_finds(clones: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = json.loads(impact(capfd, "--format", "json"))
    validate_policy_json("impact", found)
    assert (found["disappear"], found["relevelled"], found["changes"], found["unread"]) == ([], [], [], [])
    arguments = ["--policies", ".", "--rule", ID, "--format", "json", "--fail-on", "never"]
    assert run(["check", *arguments, "../one", "../two"]) == CLEAN
    by_check: list[Any] = json.loads(capfd.readouterr().out)["findings"]
    assert [(one["rule"], one["line"], one["message"]) for one in found["appear"]] == [
        (one["rule"], one["line"], one["message"]) for one in by_check
    ]


def test_a_clone_that_is_not_there_is_named(clones: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(clones, {"repos.txt": "one\nthree\n"})
    output = impact(capfd, exit_code=INCOMPLETE)
    assert "1 clone, 1 object." in output
    assert "three could not be read: " in output


def test_rules_that_cannot_be_used(clones: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(clones / "acme", {RULE: "package gracegate.rules.acme\n"})
    assert impact(capfd, exit_code=INCOMPLETE) == ""
