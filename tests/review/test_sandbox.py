from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gracegate import errors
from gracegate.model import (
    ConfigPreview,
    Engine,
    FileDiff,
    Finding,
    Fix,
    FixedFinding,
    ObjectRef,
    Operation,
    Problem,
    RelatedPlace,
    Report,
    SourceFile,
    Suggestion,
    Totals,
    Tree,
    Waiver,
)
from gracegate.review.sandbox import run_check
from gracegate.review.sandboxed_check import CheckJob
from tests import shop
from tests.processes import WAIT_SECONDS, wait_for

WEB = ObjectRef("Deployment", "shop", "web", "apps")
PATCH = (
    Operation("add", ("spec", "containers", 0, "lifecycle"), {"preStop": {"sleep": {"seconds": 10}}, "x": [1.5, None]}),
)
FINDING = Finding(
    "f1", "prestop-drain-missing", "error", "introduced", "web.yaml", 3, 4, WEB, "web", "It stops: ✂", "web",
    Fix("safe", PATCH, None, None, "--- a\n"), "s1", None, Waiver("config", "why", "c.yaml", 2, "2027-01-01"),
    related=(RelatedPlace(WEB, "web.yaml", 3),), confidence="possible",
)  # fmt: skip
REPORT = Report(
    verdict="fail",
    has_remarks=True,
    gate="enforce",
    engine=Engine("wasm", "1.22.2", "abc"),
    findings=(FINDING,),
    suggestions=(Suggestion("s1", "web.yaml", 3, 3, "a\nb"),),
    fixed_findings=(FixedFinding("f0", "rule", "web.yaml", WEB, None),),
    problems=(Problem("x.yaml", 0, "syntax", "…"),),
    totals=Totals(1, 2, 3),
    has_base=True,
    config_preview=ConfigPreview("pass", ("a",), None),
)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))


def test_a_report_comes_back_unchanged() -> None:
    assert run_check(REPORT, WAIT_SECONDS, 512, "tests.review.in_child:return_report") == REPORT


@pytest.mark.parametrize(
    ("function", "seconds", "kind", "message"),
    [
        ("raise_unavailable", WAIT_SECONDS, errors.EngineUnavailable, "no answer from OPA"),
        ("raise_key_error", WAIT_SECONDS, errors.EngineError, "KeyError: 'missing'"),
        (
            "no_such_function",
            WAIT_SECONDS,
            errors.EngineError,
            "AttributeError: module 'tests.review.in_child' has no attribute 'no_such_function'",
        ),
        ("exit_with_7", WAIT_SECONDS, errors.EngineError, "the check ended with code 7: "),
        ("abort", WAIT_SECONDS, errors.EngineKilled, "the check was ended by SIGABRT"),
        ("sleep", 0.5, errors.EngineTimeout, "the check took longer than 0.5 s"),
        ("use_memory", WAIT_SECONDS, errors.EngineTimeout, "the check needs more than 256 MB"),
    ],
)
def test_an_error_in_the_child_is_raised_in_the_parent(
    function: str, seconds: float, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        run_check({}, seconds, 256, f"tests.review.in_child:{function}")
    assert (type(caught.value), str(caught.value)) == (kind, message)


@pytest.mark.parametrize("function", ["return_too_much", "print_for_ever"])
def test_a_child_cannot_answer_more_than_the_worker_takes(function: str) -> None:
    with pytest.raises(errors.EngineTimeout, match=r"^the report is larger than 32 MB$"):
        run_check(REPORT, WAIT_SECONDS, 1024, f"tests.review.in_child:{function}")


def test_a_child_that_computes_for_ever_is_killed() -> None:
    with pytest.raises(errors.EngineTimeout):
        run_check({}, 1.0, 256, "tests.review.in_child:loop")


def test_what_the_child_started_ends_with_it(tmp_path: Path) -> None:
    with pytest.raises(errors.EngineUnavailable):
        run_check(tmp_path / "pid", WAIT_SECONDS, 256, "tests.review.in_child:start_process")
    wait_for("it to end", lambda: has_ended((tmp_path / "pid").read_text()))


def has_ended(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_child_ends_when_its_worker_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    call = f"run_check(Path({str(pid_file)!r}), 600, 256, 'tests.review.in_child:write_pid_and_sleep')"
    program = f"from pathlib import Path; from gracegate.review.sandbox import run_check; {call}"
    with subprocess.Popen([sys.executable, "-c", program]) as worker:
        try:
            wait_for("the child", pid_file.exists)
        finally:
            worker.kill()
    wait_for("the child to end", lambda: has_ended(pid_file.read_text()))


def test_a_child_ends_at_once_when_its_worker_is_already_dead() -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    command = [sys.executable, "-m", "gracegate.review.sandbox", "tests.review.in_child:sleep", "600", "256"]
    assert subprocess.run([*command, str(dead.pid)], input=b"", check=False).returncode == -signal.SIGKILL


def test_the_child_gets_no_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRACEGATE_PRIVATE_KEY", "secret")
    assert "GRACEGATE_PRIVATE_KEY" in os.environ
    with pytest.raises(errors.EngineUnavailable, match=r"^$"):
        run_check({}, WAIT_SECONDS, 256, "tests.review.in_child:name_environment")


def test_a_check_lets_webhooks_go_first() -> None:
    niceness = min(os.nice(0) + 10, 19)
    with pytest.raises(errors.EngineUnavailable, match=rf"^{niceness}$"):
        run_check({}, WAIT_SECONDS, 256, "tests.review.in_child:name_niceness")


def test_a_slow_configuration_of_the_head_loses_only_its_preview(tmp_path: Path) -> None:
    # Each name is compared with all patterns, and the child's own limit ends that.
    patterns = "".join(f"- '**/{i}*a*a*b/**/*c*'\n" for i in range(20_000))
    text = f"{shop.WITHOUT_DRAIN}---\n{shop.SERVICE}"
    web = SourceFile("web.yaml", text.encode())
    config = SourceFile(".gracegate.yaml", f"exclude:\n{patterns}".encode())
    diff = (FileDiff("web.yaml", "added"), FileDiff(".gracegate.yaml", "added"))
    trees = Tree({}), Tree({}), Tree({"web.yaml": web, ".gracegate.yaml": config})
    job = CheckJob(*trees, diff, dt.date(2026, 1, 1), None, tmp_path, WAIT_SECONDS)
    report = run_check(job, WAIT_SECONDS, 1024, "tests.review.in_child:check_with_a_short_preview")
    assert report.config_preview == ConfigPreview(None, (), "it takes too long to evaluate")
    assert (report.verdict, {f.rule for f in report.findings}) == ("fail", {"prestop-drain-missing"})


def test_the_child_imports_only_what_a_check_needs(tmp_path: Path) -> None:
    files = {"web.yaml": SourceFile("web.yaml", b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n")}
    job = CheckJob(Tree({}), Tree({}), Tree(files), (), dt.date(2026, 1, 1), None, tmp_path, WAIT_SECONDS)
    with pytest.raises(errors.EngineUnavailable) as caught:
        run_check(job, WAIT_SECONDS, 1024, "tests.review.in_child:name_libraries")
    assert str(caught.value).split() == ["ruamel", "wasmtime"]
