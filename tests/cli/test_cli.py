"""The command line as a user sees it: exit codes, errors in one line, only the report on standard output."""

from __future__ import annotations

import json
import os
import pty
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

import gracegate.outputs.json as json_output
from gracegate import __version__
from gracegate.cli import fix as fix_command
from gracegate.cli.main import CLEAN, FINDINGS, INCOMPLETE, USAGE, run
from gracegate.cli.policies import ActivePolicies, ChosenPolicies
from gracegate.policy import Cluster, load_builtin
from tests.manifests import hostile
from tests.processes import WAIT_SECONDS
from tests.shop import DEPLOYMENT, PRESTOP, SERVICE, WITHOUT_BOTH, WITHOUT_DRAIN


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a served Deployment that has no drain, which is also the working directory."""
    for name in ("OPA_URL", "GRACEGATE_OPA", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    write(tmp_path, {"apps/web.yaml": WITHOUT_DRAIN, "apps/service.yaml": SERVICE})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())


def commit(folder: Path, message: str) -> str:
    setup = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], [*setup, "commit", "-q", "-m", message]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, timeout=WAIT_SECONDS)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, timeout=WAIT_SECONDS, capture_output=True
    )
    return head.stdout.decode().strip()


def findings_in(output: str) -> list[tuple[str, str, str]]:
    return [(f["rule"], f["status"], f["file"]) for f in json.loads(output)["findings"]]


def test_a_clean_file(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop, {"apps/web.yaml": DEPLOYMENT})
    assert run(["check"]) == CLEAN
    assert capfd.readouterr() == ("No problems in 1 workload.\n", "")


def test_a_finding(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check"]) == FINDINGS
    out, err = capfd.readouterr()
    assert out.startswith("apps/web.yaml:14:11: error: Container")
    assert f"[{PRESTOP}]\n    14 |         - name: web\n       |           ^^^^^^^^^\n    in Deployment web" in out
    assert "\n    +              sleep:\n" in out
    assert out.endswith("Found 1 error in 1 workload; `gracegate fix` fixes 1 of them.\n")
    assert err == ""


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [("error", FINDINGS), ("warning", FINDINGS), ("info", FINDINGS), ("never", CLEAN)],
)
def test_fail_on(shop: Path, fail_on: str, code: int) -> None:
    assert run(["check", "--fail-on", fail_on]) == code


VERDICT = "Found 1 error in 1 workload; `gracegate fix` fixes 1 of them.\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--quiet"], (FINDINGS, VERDICT, ""), id="quiet"),
        pytest.param(["--quiet", "--exit-zero"], (CLEAN, VERDICT, ""), id="exit with 0"),
        pytest.param(["--format", "json=report.json"], (FINDINGS, "", VERDICT), id="all goes into files"),
    ],
)
def test_the_verdict(
    shop: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], expected: tuple[int, str, str]
) -> None:
    assert (run(["check", *arguments]), *capfd.readouterr()) == expected


def test_a_baseline_for_a_tree_without_history(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline"]) == CLEAN
    assert capfd.readouterr() == ("", "gracegate-baseline.json accepts 1 finding.\n")
    assert run(["check", "--baseline", "gracegate-baseline.json"]) == CLEAN
    assert capfd.readouterr().out == "No new findings (1 finding already there).\n"
    write(shop, {"apps/web.yaml": WITHOUT_BOTH, "other/x": ""})
    assert run(["check", "apps", "--baseline", "gracegate-baseline.json", "--quiet"]) == FINDINGS
    assert capfd.readouterr().out.endswith("(1 finding already there).\n")
    write(shop, {"apps/web.yaml": DEPLOYMENT})
    assert run(["check", "--baseline", "gracegate-baseline.json"]) == CLEAN
    assert capfd.readouterr().out.startswith("gracegate-baseline.json: note: 1 finding of this baseline is gone, in")


def test_more_is_shown_where_it_is_asked_for(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(11):
        name = f"web-{number}"
        write(shop, {f"apps/{name}.yaml": WITHOUT_DRAIN.replace("web", name) + "---\n" + SERVICE.replace("web", name)})
    run(["check", "--rule", PRESTOP])
    few = capfd.readouterr().out
    assert (few.count("^^^"), few.count("sleep:"), "12 findings only the messages" in few) == (0, 0, True)
    run(["check", "--rule", PRESTOP, "--verbose"])
    many = capfd.readouterr().out
    assert (many.count("^^^ ") + many.count("^\n"), many.count("sleep:"), "only the" in many) == (12, 12, False)


def test_paths_are_those_from_the_working_directory(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write(shop, {".gracegate.yaml": "", "other/x": ""})
    monkeypatch.chdir(shop / "other")
    run(["check", ".."])
    assert capfd.readouterr().out.startswith("../apps/web.yaml:14:11: error: ")
    run(["check", "..", "--format", "json"])
    assert findings_in(capfd.readouterr().out) == [(PRESTOP, "present", "apps/web.yaml")]
    write(shop, {".gracegate.yaml": "gatee: enforce\n", "apps/broken.yaml": f"{DEPLOYMENT}:"})
    assert run(["check", ".."]) == USAGE
    assert capfd.readouterr().err.startswith("gracegate: ../.gracegate.yaml:1: ")
    write(shop, {".gracegate.yaml": ""})
    run(["fix", ".."])
    assert capfd.readouterr().err.startswith("../apps/broken.yaml:")


@pytest.mark.parametrize(
    ("profile", "arguments", "code"),
    [
        pytest.param("recommended", [], CLEAN, id="a warning passes"),
        pytest.param("strict", [], FINDINGS, id="strict: a warning blocks"),
        pytest.param("strict", ["--fail-on", "error"], CLEAN, id="the option outranks the profile"),
        pytest.param("baseline", [], FINDINGS, id="a severity of its own turns a rule on"),
    ],
)
def test_the_profile_decides_what_fails(shop: Path, profile: str, arguments: list[str], code: int) -> None:
    severity = "error" if profile == "baseline" else "warning"
    write(shop, {".gracegate.yaml": f"profile: {profile}\nrules: {{{PRESTOP}: {severity}}}\n"})
    assert run(["check", *arguments]) == code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["check", "nowhere"], "gracegate: nowhere: there is no such file or directory", id="path"),
        pytest.param(["check", "--rule", "prestop-drain-mising"], f"did you mean `{PRESTOP}`?", id="rule"),
        pytest.param(["check", "--config", "x"], "gracegate: x: there is no such file", id="configuration"),
        pytest.param(["check", "--head", "HEAD"], "--head needs --base", id="head alone"),
        pytest.param(
            ["check", "-", "apps"], "`-` is standard input and cannot be given with other paths", id="dash and path"
        ),
        pytest.param(["check", "--base", "main"], "gracegate: ", id="no repository"),
        pytest.param(["check", "--form"], "Did you mean '--format'?", id="option"),
        pytest.param(["check", "--format", "xml"], "'xml' is not one of 'text', 'json', 'sarif'", id="format"),
        pytest.param(["check", "--format", "json="], "'json=' names no file", id="format without a file"),
        pytest.param(
            ["check", "--format", "text", "--format", "json"],
            "give one a file, as --format json=FILE",
            id="two formats on standard output",
        ),
        pytest.param(["check", "--format", "json=no/folder.json"], "no/folder.json: cannot be written: ", id="file"),
        pytest.param(["fix", "-"], "Standard input has no file to fix", id="fix standard input"),
        pytest.param(["rules", "nothing-like-it"], "`gracegate rules` lists them.", id="rule of no name"),
        pytest.param(["chek"], "There is no command `chek`; did you mean `check`?", id="command"),
        pytest.param(["policy", "x"], "no command `x`; `gracegate policy --help` lists them.", id="no such command"),
        pytest.param(["check", "--base", "x", "--baseline", "x"], "both say what was there before", id="two bases"),
        pytest.param(["check", "--baseline", "x"], "gracegate: x: there is no such file; `grace", id="no baseline"),
        pytest.param(["check", "-q", "-v"], "--quiet and --verbose contradict each other", id="quiet and verbose"),
        pytest.param(["check", "--opa", "/nope"], "gracegate: --opa /nope: there is no such program", id="opa"),
    ],
)
def test_wrong_usage(shop: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert run(arguments) == USAGE
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err.splitlines()[-1]


def test_a_wrong_configuration_is_one_line(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop, {".gracegate.yaml": "comments: introduced\ngatee: enforce\n"})
    assert run(["check", "apps"]) == USAGE
    assert capfd.readouterr() == ("", "gracegate: .gracegate.yaml:2: unknown key `gatee`, did you mean `gate`?\n")


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(f"rules: {{{PRESTOP}: off}}", id="off"),
        pytest.param("exclude: [apps/]", id="excluded"),
        pytest.param(f"waivers: [{{rules: [{PRESTOP}], path: 'apps/*', reason: They retry.}}]", id="waived"),
        pytest.param(f"rules: {{{PRESTOP}: warning}}", id="a warning only"),
    ],
)
def test_the_configuration_of_a_parent_directory_is_used(
    shop: Path, monkeypatch: pytest.MonkeyPatch, config: str
) -> None:
    write(shop, {".gracegate.yaml": config})
    monkeypatch.chdir(shop / "apps")
    assert run(["check", "web.yaml"]) == CLEAN


def test_a_file_is_checked_with_the_others_of_its_directory(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "apps/web.yaml", "--format", "json"]) == FINDINGS
    assert findings_in(capfd.readouterr().out) == [(PRESTOP, "present", "apps/web.yaml")]


def test_a_page_shows_lines_and_rollouts(shop: Path) -> None:
    assert run(["check", "apps", "--format", "html=report.html"]) == FINDINGS
    page = Path("report.html").read_text()
    assert (page.count("data:image/svg+xml"), '<span class="marked">' in page) == (1, True)


def test_a_report_in_several_formats(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    formats = ["--format", "sarif=out.sarif", "--format", "text", "--format", "junit=junit.xml"]
    assert run(["check", "apps", *formats]) == FINDINGS
    assert f"[{PRESTOP}]" in capfd.readouterr().out
    [result] = json.loads(Path("out.sarif").read_text())["runs"][0]["results"]
    assert result["ruleId"] == PRESTOP
    assert PRESTOP in Path("junit.xml").read_text()


def test_in_a_workflow_of_github_actions(
    shop: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(shop / "summary.md"))
    write(shop, {"summary.md": "# Before\n"})
    assert run(["check", "apps", "--format", "github"]) == FINDINGS
    assert capfd.readouterr().out.startswith("::error file=apps/web.yaml,line=")
    assert (shop / "summary.md").read_text().startswith("# Before\n# 1 error")


def test_context_adds_a_service_from_another_directory(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (shop / "apps/service.yaml").unlink()
    namespaced = [text.replace("name: web", "name: web, namespace: shop", 1) for text in (SERVICE,)]
    write(shop, {"edge/service.yaml": namespaced[0]})
    write(
        shop, {"apps/web.yaml": WITHOUT_DRAIN.replace("  name: web\nspec", "  name: web\n  namespace: shop\nspec", 1)}
    )
    assert run(["check", "apps/web.yaml"]) == CLEAN
    assert run(["check", "apps/web.yaml", "--context", "edge"]) == FINDINGS


def test_one_rule(shop: Path) -> None:
    assert run(["check", "--rule", "probe-port-undefined"]) == CLEAN
    assert run(["check", "--rule", PRESTOP]) == FINDINGS


def test_a_file_that_cannot_be_read_is_not_clean(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop, {"apps/web.yaml": DEPLOYMENT.replace("spec:\n  replicas", "spec: [\n  replicas")})
    assert run(["check"]) == INCOMPLETE
    out, err = capfd.readouterr()
    assert out.startswith("apps/web.yaml:")
    assert ": not evaluated: " in out
    assert err == ""


def test_an_engine_that_does_not_answer_is_not_clean(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--opa", "http://127.0.0.1:9"]) == INCOMPLETE
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), err[:11]) == ("", 1, "gracegate: ")


def test_another_engine_finds_the_same(shop: Path, opa: Path, capfd: pytest.CaptureFixture[str]) -> None:
    reports = []
    for options in ([], ["--opa", str(opa)]):
        assert run(["check", "--format", "json", *options]) == FINDINGS
        reports.append(json.loads(capfd.readouterr().out))
    engines = [report.pop("engine")["name"] for report in reports]
    assert reports[0] == reports[1]
    assert engines == ["opa-wasm", "opa"]


def test_json_is_valid_and_its_suggestions_fix_the_file(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--format", "json"]) == FINDINGS
    report = json.loads(capfd.readouterr().out)
    schema = json.loads(Path(json_output.__file__).with_name("report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, schema)
    lines = WITHOUT_DRAIN.split("\n")
    for suggestion in sorted(report["suggestions"], key=lambda s: -s["start_line"]):
        lines[suggestion["start_line"] - 1 : suggestion["end_line"]] = suggestion["text"].split("\n")
    write(shop, {"apps/web.yaml": "\n".join(lines)})
    assert run(["check"]) == CLEAN


def test_standard_input(shop: Path) -> None:
    command = [sys.executable, "-m", "gracegate", "check", "-", "--format", "json", "--rule", PRESTOP]
    result = subprocess.run(
        command, input=f"{WITHOUT_DRAIN}---\n{SERVICE}".encode(), capture_output=True, check=False, timeout=WAIT_SECONDS
    )
    assert (result.returncode, result.stderr) == (FINDINGS, b"")
    assert findings_in(result.stdout.decode()) == [(PRESTOP, "present", "stdin.yaml")]


def test_base_and_head(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop, {"old/web.yaml": WITHOUT_DRAIN, "old/service.yaml": SERVICE, "apps/web.yaml": DEPLOYMENT})
    base = commit(shop, "base")
    assert run(["check", "--base", base]) == CLEAN
    write(shop, {"apps/web.yaml": WITHOUT_DRAIN})
    capfd.readouterr()
    assert run(["check", "--base", base, "--format", "json"]) == FINDINGS
    uncommitted = capfd.readouterr().out
    head = commit(shop, "head")
    write(shop, {"apps/web.yaml": DEPLOYMENT})
    assert run(["check", "--base", base, "--head", head, "--format", "json"]) == FINDINGS
    assert findings_in(capfd.readouterr().out) == findings_in(uncommitted) == [(PRESTOP, "introduced", "apps/web.yaml")]
    assert run(["check", "old", "--base", base, "--head", head]) == CLEAN


def test_the_configuration_of_the_base_is_used(shop: Path) -> None:
    write(shop, {"apps/web.yaml": DEPLOYMENT})
    base = commit(shop, "base")
    write(shop, {"apps/web.yaml": WITHOUT_DRAIN, ".gracegate.yaml": "exclude: ['**']"})
    head = commit(shop, "head")
    assert run(["check", "--base", base, "--head", head]) == FINDINGS


def test_fix_without_write_changes_nothing(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["fix"]) == FINDINGS
    out, err = capfd.readouterr()
    assert out.startswith("--- a/apps/web.yaml\n+++ b/apps/web.yaml\n@@ ")
    assert err == "`gracegate fix --write` fixes 1 finding in 1 file.\n"
    assert (shop / "apps/web.yaml").read_text() == WITHOUT_DRAIN


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_written_fix_keeps_mode_and_line_ends(shop: Path, newline: str) -> None:
    path = shop / "apps/web.yaml"
    write(shop, {"apps/web.yaml": WITHOUT_DRAIN.replace("\n", newline)})
    path.chmod(0o640)
    assert run(["fix", "--write"]) == CLEAN
    assert path.read_bytes().count(newline.encode()) == path.read_bytes().count(b"\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(path.name for path in (shop / "apps").iterdir()) == ["service.yaml", "web.yaml"]
    assert run(["check"]) == CLEAN
    assert run(["fix"]) == CLEAN


def test_fix_names_a_file_that_cannot_be_read(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop, {"apps/broken.yaml": DEPLOYMENT.replace("spec:\n  replicas", "spec: [\n  replicas")})
    assert run(["fix", "--write"]) == INCOMPLETE
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("apps/broken.yaml:")
    assert err.endswith("Fixed 1 finding in 1 file.\n")


def test_a_file_that_changed_during_the_run_is_left_alone(shop: Path) -> None:
    request = fix_command.build_request(fix_command.CheckOptions(), ActivePolicies((), ChosenPolicies()))
    write(shop, {"apps/web.yaml": WITHOUT_DRAIN + "# edited\n"})
    with pytest.raises(fix_command.RepositoryError, match="changed during the run"):
        fix_command.write_files(shop, {"apps/web.yaml": (WITHOUT_DRAIN, "other text")}, request)
    assert (shop / "apps/web.yaml").read_text() == WITHOUT_DRAIN + "# edited\n"


@pytest.mark.parametrize("meanwhile", ["changed", "gone"])
def test_of_several_files_all_are_written_or_none(shop: Path, meanwhile: str) -> None:
    write(shop, {"other/web.yaml": WITHOUT_DRAIN, "other/service.yaml": SERVICE})
    request = fix_command.build_request(fix_command.CheckOptions(), ActivePolicies((), ChosenPolicies()))
    (shop / "other/web.yaml").unlink()
    if meanwhile == "changed":
        write(shop, {"other/web.yaml": "other text"})
    files = dict.fromkeys(("apps/web.yaml", "other/web.yaml"), (WITHOUT_DRAIN, DEPLOYMENT))
    with pytest.raises(fix_command.RepositoryError, match=r"other/web\.yaml"):
        fix_command.write_files(shop, files, request)
    assert (shop / "apps/web.yaml").read_text() == WITHOUT_DRAIN
    assert sorted(path.name for path in (shop / "apps").iterdir()) == ["service.yaml", "web.yaml"]


def test_a_second_fix_has_nothing_to_fix(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    others = {"apps/notes.txt": WITHOUT_DRAIN, "apps/odd.yaml": f"{DEPLOYMENT}# no newline at the end"}
    write(shop, others)
    assert run(["fix", "--write"]) == CLEAN
    once = (shop / "apps/web.yaml").read_bytes()
    capfd.readouterr()
    assert run(["fix", "--write"]) == CLEAN
    assert capfd.readouterr() == ("", "Nothing to fix.\n")
    assert (shop / "apps/web.yaml").read_bytes() == once
    assert {name: (shop / name).read_text() for name in others} == others


HOSTILE = {
    "50,000 brackets": "apps/hostile.yaml:5: not evaluated: This cannot be read as YAML: nested deeper than 100.",
    "alias bomb": "apps/hostile.yaml:11: not evaluated: This cannot be read as YAML: more than 200,000 nodes.",
    "cyclic anchor": "apps/hostile.yaml:6: not evaluated: This cannot be read as YAML: alias `*x` is inside its own",
    "a plain scalar of 10 MB": "apps/hostile.yaml:1: not evaluated: The file is larger than 5,000,000 bytes.",
    "1 MB of one key": "apps/hostile.yaml:99999: not evaluated: This cannot be read as YAML: more than 200,000 nodes.",
    "invalid UTF-8": "apps/hostile.yaml:5: not evaluated: The file is not UTF-8.",
    "NUL": "apps/hostile.yaml:5: not evaluated: This cannot be read as YAML: control characters are not allowed.",
    "deep JSON": "apps/hostile.yaml:1: not evaluated: This cannot be read as YAML: nested deeper than 100.",
    "1,200,000 markers": "apps/hostile.yaml:1: not evaluated: The file has more than 10,000 documents.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_named_and_left_alone(shop: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    content = hostile.INPUTS[name].text()
    data = content.encode() if isinstance(content, str) else content
    (shop / "apps/hostile.yaml").write_bytes(data)
    (shop / "apps/web.yaml").write_text(DEPLOYMENT)
    assert run(["check"]) == INCOMPLETE
    assert capfd.readouterr().out.startswith(HOSTILE[name])
    assert run(["fix", "--write"]) == INCOMPLETE
    assert capfd.readouterr().err.startswith(HOSTILE[name])
    assert (shop / "apps/hostile.yaml").read_bytes() == data


LIMITED = [
    ("GRACEGATE_MAX_FILE_BYTES", "1000", "apps/big.yaml:1: not evaluated: The file is larger than 1,000 bytes."),
    ("GRACEGATE_MAX_DOCUMENTS", "1", "apps/big.yaml:1: not evaluated: The file has more than 1 documents."),
    (
        "GRACEGATE_MAX_DEPTH",
        "10",
        "apps/big.yaml:6: not evaluated: This cannot be read as YAML: nested deeper than 10.",
    ),
    ("GRACEGATE_MAX_NODES", "100", "apps/big.yaml:4: not evaluated: This cannot be read as YAML: more than 100 nodes."),
    ("GRACEGATE_MAX_ALIASES", "0", "apps/big.yaml:5: not evaluated: This cannot be read as YAML: more than 0 aliases."),
]
BIG = f"""\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: big}}
spec: {{x: &x [{"1," * 500}]}}
y: *x
z: {"[" * 20}{"]" * 20}
---
{SERVICE.replace("web", "another")}
"""


@pytest.mark.parametrize(("variable", "value", "message"), LIMITED)
def test_limits_can_be_set(
    shop: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    message: str,
) -> None:
    write(shop, {"apps/big.yaml": BIG, "apps/web.yaml": DEPLOYMENT})
    assert run(["check", "apps/big.yaml"]) == CLEAN
    assert "not evaluated" not in capfd.readouterr().out
    monkeypatch.setenv(variable, value)
    assert run(["check", "apps/big.yaml"]) == INCOMPLETE
    assert message in capfd.readouterr().out


def test_rules_are_listed_and_explained(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["rules"]) == CLEAN
    listed = capfd.readouterr().out
    assert f"\n  {PRESTOP} " in listed
    assert run(["rules", PRESTOP]) == CLEAN
    page = capfd.readouterr().out
    assert page.startswith(f"{PRESTOP}: ")
    assert "\nAn example of what it finds:\n  apiVersion: " in page


def test_every_example_is_found(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # Without an oldest version no field is too new.
    write(shop, {".gracegate.yaml": f'min_kubernetes_version: "1.{Cluster().min_minor}"\n'})
    rules = load_builtin().rules
    changed = {name: rule for name, rule in rules.items() if rule.before is not None}
    write(shop, {f"{name}/example.yaml": rule.before or "" for name, rule in changed.items()})
    base = commit(shop, "before")
    for name, rule in rules.items():
        write(shop, {f"{name}/example.yaml": rule.example})
        run(["check", name, "--rule", name, "--format", "json", *(["--base", base] if name in changed else [])])
        assert {f["rule"] for f in json.loads(capfd.readouterr().out)["findings"]} == {name}


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["fix", "-h"], ["--version"]])
def test_help_and_version(capfd: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(arguments) == CLEAN
    out = capfd.readouterr().out
    assert out == f"gracegate {__version__}\n" if arguments == ["--version"] else "Exit codes:\n" in out


# What a check of one file may import beside what it is made of; each of these costs every run some milliseconds.
WHOLE_ROOMS = {"check", "cli", "manifests", "repo_config", "yaml", "yaml_edit"}
OTHER_MODULES = {
    "", "errors", "file_cache", "model", "module_cache", "processes", "rendering_files", "settings",
    "git", "git.diff", "git.hunks", "git.local", "git.objects", "git.process", "git.worktree",
    "outputs", "outputs.formats", "outputs.markdown", "outputs.phrasing", "outputs.text",
    "policy", "policy.catalog", "policy.query", "policy.recording", "policy.rollouts", "policy.violations",
    "policy.engines", "policy.engines.choice", "policy.engines.error_parsing", "policy.engines.opa_wasm",
    "policy.engines.time_budget", "policy.engines.wasm_abi", "policy.engines.wasm_builtins",
}  # fmt: skip
SLOW = {"flask", "github", "sqlalchemy", "requests", "pydantic", "structlog", "tqdm", "jinja2", "logging", "socket",
        "tarfile", "xml", "html", "asyncio", "concurrent.futures"}  # fmt: skip


def test_a_check_imports_only_what_it_needs(shop: Path) -> None:
    program = "import sys; from gracegate.cli.main import run; run(['check']); print('imported:', *sorted(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
    )
    assert result.stderr == ""
    shown, _, names = result.stdout.partition("\nimported: ")
    assert f"[{PRESTOP}]" in shown
    imported = set(names.split())
    own = {
        name.removeprefix("gracegate").removeprefix(".") for name in imported if name.partition(".")[0] == "gracegate"
    }
    assert {name for name in own if name.partition(".")[0] not in WHOLE_ROOMS} <= OTHER_MODULES
    assert imported & SLOW == set()


# What `pip install gracegate` installs beside the standard library; cffi and the like come with these.
BASE_PACKAGES = ("click", "jinja", "ruamel", "tqdm", "wasmtime")
APP_PACKAGES = (
    "aiohttp", "alembic", "cryptography", "flask", "markdown_it", "github", "gunicorn", "jwt", "opa_client",
    "prometheus_client", "pydantic", "requests", "sqlalchemy", "structlog", "urllib3", "werkzeug",
)  # fmt: skip
WITHOUT_APP = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {APP_PACKAGES!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from gracegate.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def test_the_base_packages_are_those_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    names = [re.match(r"[a-z]+", one) for one in project["dependencies"]]
    assert [name and name[0] for name in names] == list(BASE_PACKAGES)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check"], FINDINGS),
        (["check", "--format", "sarif"], FINDINGS),
        (["check", "--format", "html"], FINDINGS),
        (["fix"], FINDINGS),
        (["simulate"], CLEAN),
        (["rules", PRESTOP], CLEAN),
        (["completion", "bash"], CLEAN),
        (["policy", "--help"], CLEAN),
        (["policy", "new", "acme/bare"], CLEAN),
    ],
)
def test_commands_need_the_base_packages_alone(shop: Path, arguments: list[str], code: int) -> None:
    result = without_app(arguments)
    assert "not installed" not in result.stderr
    assert (bool(result.stdout), result.returncode) == (True, code)


@pytest.mark.parametrize("arguments", [["doctor"], ["serve"], ["audit"], ["check", "--opa", "http://127.0.0.1:1"]])
def test_commands_that_need_more_say_what_to_install(shop: Path, arguments: list[str]) -> None:
    result = without_app(arguments)
    assert re.fullmatch(
        r"gracegate: the package `\w+` is not installed: pip install 'gracegate\[app\]'\n", result.stderr
    )
    assert (result.stdout, result.returncode) == ("", USAGE)


def without_app(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_APP, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS)


def test_a_closed_pipe_is_not_an_error(shop: Path) -> None:
    command = [sys.executable, "-m", "gracegate", "check"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(WAIT_SECONDS) == FINDINGS


@pytest.mark.parametrize("arguments", [["check"], ["rules"], ["--help"]])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_not_a_verdict(shop: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "gracegate", *arguments]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=WAIT_SECONDS)
    assert result.stderr == b"gracegate: the output cannot be written: No space left on device\n"
    assert result.returncode == INCOMPLETE


def test_colours_into_a_pipe(shop: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    run(["check", "--format", "text"])
    assert "\x1b[1;31merror" in capfd.readouterr().out
    run(["check", "--format", "text=report.txt"])
    assert "\x1b" not in Path("report.txt").read_text()


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_on_a_terminal(shop: Path, no_color: str, coloured: bool) -> None:
    assert (b"\x1b[1;31merror" in on_terminal(["-m", "gracegate", "check"], no_color)) == coloured


def test_a_progress_bar_when_it_takes_long() -> None:
    program = (
        "import time; from tqdm import tqdm; from gracegate.cli import terminal; terminal.PROGRESS_AFTER = 0\n"
        "with terminal.progress('Checking'):\n"
        "    while not getattr(tqdm, '_instances', ()): time.sleep(0.01)"
    )
    assert b"Checking" in on_terminal(["-c", program], "")


def test_no_progress_bar_when_it_does_not() -> None:
    program = (
        "from gracegate.cli import terminal; terminal.PROGRESS_AFTER = 60\nwith terminal.progress('Checking'): pass"
    )
    assert on_terminal(["-c", program], "") == b""


def on_terminal(arguments: list[str], no_color: str) -> bytes:
    """What a command writes on a terminal."""
    terminal, command_end = pty.openpty()
    env = {**os.environ, "NO_COLOR": no_color, "TERM": "xterm"}
    with subprocess.Popen([sys.executable, *arguments], stdout=command_end, stderr=command_end, env=env) as process:
        os.close(command_end)
        shown = b""
        while chunk := _read(terminal):
            shown += chunk
        process.wait(WAIT_SECONDS)
    os.close(terminal)
    return shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's end of a terminal that nobody writes to any more
        return b""


@pytest.mark.parametrize(
    ("text", "arguments", "code", "expected"),
    [
        pytest.param(None, [], CLEAN, "There is no .gracegate.yaml: the defaults count.\n", id="none"),
        pytest.param("profile: strict\n", [], CLEAN, ".gracegate.yaml is valid.\n", id="right"),
        pytest.param(
            f"waivers: [{{rules: [{PRESTOP}], reason: x, until: 2020-01-01}}]",
            [],
            CLEAN,
            ".gracegate.yaml:1: note: this waiver ended on 2020-01-01\n.gracegate.yaml is valid.\n",
            id="a waiver that ended",
        ),
        pytest.param(
            "gatee: x\nprofile: strictt\n",
            [],
            USAGE,
            ".gracegate.yaml:1: unknown key `gatee`, did you mean `gate`?\n"
            ".gracegate.yaml:2: `profile` cannot be `strictt`, did you mean `strict`?\n"
            ".gracegate.yaml has 2 mistakes.\n",
            id="mistakes",
        ),
        pytest.param(
            "policies: []",
            ["--defaults"],
            USAGE,
            ".gracegate.yaml:1: `policies` cannot be a default for all repositories: "
            "write it into those that it is for\n"
            ".gracegate.yaml has 1 mistake.\n",
            id="of an owner",
        ),
    ],
)
def test_config_check(
    shop: Path, capfd: pytest.CaptureFixture[str], text: str | None, arguments: list[str], code: int, expected: str
) -> None:
    write(shop, {} if text is None else {".gracegate.yaml": text})
    assert run(["config", "check", *arguments]) == code
    assert capfd.readouterr() == (expected, "")


def test_config_check_of_a_policy_set(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop, {"acme/gracegate-policies.yaml": "nam: acme\n"})
    assert run(["config", "check", "acme/gracegate-policies.yaml"]) == USAGE
    assert capfd.readouterr().out.startswith("acme/gracegate-policies.yaml:1: unknown key `nam`, did you mean `name`?")


@pytest.mark.parametrize("which", ["config", "policies", "report"])
def test_schemas_are_printed(shop: Path, capfd: pytest.CaptureFixture[str], which: str) -> None:
    assert run(["schema", which]) == CLEAN
    assert json.loads(capfd.readouterr().out)["$schema"].startswith("http")
