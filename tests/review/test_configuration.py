"""The configuration of a review is that of the tip of the base branch, whatever merge base and head have."""

from __future__ import annotations

import datetime as dt

import pytest

from gracegate.model import FileDiff, Hunk, Problem, SourceFile, Tree
from gracegate.outputs import check_run
from gracegate.review.sandboxed_check import CheckJob, sandboxed_check
from tests.processes import WAIT_SECONDS
from tests.review.conftest import SHOP, Stage, is_current
from tests.shop import SERVICE, WITHOUT_DRAIN

CONFIG = ".gracegate.yaml"
OFF = "rules:\n  prestop-drain-missing: off\n"
WARNING = "rules:\n  prestop-drain-missing: warning\n"
WRONG = "rules: 5\n"
DIFF = (FileDiff("web.yaml", "added", None, (Hunk(1, WITHOUT_DRAIN.count("\n")),)),)


def tree(config: str | None, **files: str) -> Tree:
    texts = {f"{name}.yaml": text for name, text in files.items()} | ({} if config is None else {CONFIG: config})
    return Tree({path: SourceFile(path, text.encode()) for path, text in texts.items()})


def job(base: str | None, base_tip: Tree, head: str | None) -> CheckJob:
    trees = (tree(base, service=SERVICE), base_tip, tree(head, service=SERVICE, web=WITHOUT_DRAIN))
    return CheckJob(*trees, DIFF, dt.date(2026, 1, 1), None, None, WAIT_SECONDS)


@pytest.mark.parametrize(
    ("base", "tip", "head", "verdict", "preview"),
    [
        pytest.param(None, None, None, "fail", None, id="none"),
        pytest.param(OFF, OFF, OFF, "pass", None, id="the same everywhere"),
        pytest.param(OFF, None, OFF, "fail", None, id="an old merge base"),
        pytest.param(None, OFF, None, "pass", None, id="new on the base branch"),
        pytest.param(OFF, WARNING, OFF, "pass", None, id="changed on the base branch"),
        pytest.param(None, None, OFF, "fail", "pass", id="proposed"),
        pytest.param(WARNING, None, OFF, "fail", "pass", id="proposed from an old merge base"),
        pytest.param(None, OFF, OFF, "pass", None, id="proposed and merged already"),
        pytest.param(None, WRONG, None, "fail", None, id="wrong at the tip"),
        pytest.param(None, OFF, WRONG, "incomplete", None, id="proposed and wrong"),
        pytest.param(None, None, WRONG, "fail", None, id="proposed and wrong, beside an error"),
        pytest.param(None, WRONG, WRONG, "fail", None, id="wrong at the tip and proposed as it is"),
        pytest.param(WRONG, OFF, WRONG, "pass", None, id="wrong in an old merge base"),
    ],
)
def test_the_tip_of_the_base_branch_configures(
    base: str | None, tip: str | None, head: str | None, verdict: str, preview: str | None
) -> None:
    report = sandboxed_check(job(base, tree(tip), head))
    assert (report.verdict, report.config_preview and report.config_preview.verdict) == (verdict, preview)


@pytest.mark.parametrize(
    ("base_tip", "message"),
    [
        (tree(WRONG), "The base branch's configuration cannot be used: "),
        (
            Tree({}, (Problem(CONFIG, 0, "not_followed", "The file was not read: it is a symbolic link."),)),
            "The base branch's configuration cannot be used: the file was not read: it is a symbolic link",
        ),
    ],
    ids=["wrong", "a symbolic link"],
)
def test_a_configuration_that_cannot_be_used_is_a_problem(base_tip: Tree, message: str) -> None:
    problem = sandboxed_check(job(None, base_tip, None)).problems[0]
    assert (problem.file, problem.code, problem.message.startswith(message)) == (CONFIG, "config", True)


LINK = Problem(CONFIG, 0, "not_followed", "The file was not read: it is a symbolic link.")


@pytest.mark.parametrize(
    ("head", "line", "message"),
    [
        (tree("exclude: []\nwaiver: []\n"), 2, "unknown key `waiver`, did you mean `waivers`?"),
        (Tree({CONFIG: SourceFile(CONFIG, b"# \xff\n")}), 0, "it is not UTF-8 text"),
        (Tree({}, (LINK,)), 0, "the file was not read: it is a symbolic link"),
    ],
    ids=["a mistake", "no text", "a symbolic link"],
)
def test_a_pull_request_that_breaks_the_configuration_is_incomplete(head: Tree, line: int, message: str) -> None:
    diff = (FileDiff(CONFIG, "modified"),)
    base = tree("exclude: []\n")
    report = sandboxed_check(CheckJob(base, base, head, diff, dt.date(2026, 1, 1), None, None, WAIT_SECONDS))
    problem = Problem(CONFIG, line, "proposed_config", f"{CONFIG} would be invalid: {message}")
    assert (report.verdict, report.problems[0], report.config_preview) == ("incomplete", problem, None)
    output = check_run.render(report, "neutral")
    assert (output.conclusion, output.title) == ("failure", f"Incomplete: {problem.message}")


def test_a_rule_that_was_switched_off_after_the_pull_request_was_opened_is_off(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.fake.push(SHOP, "main", {CONFIG: OFF})
    stage.reviewer.review(stage.run(number), is_current)
    stage.fake.push(SHOP, "main", {CONFIG: WARNING})
    stage.reviewer.review(stage.run(number), is_current)
    stage.fake.push(SHOP, "main", {CONFIG: None})
    stage.reviewer.review(stage.run(number), is_current)
    assert [conclusion for _, conclusion in stage.checks()] == ["success", "neutral", "failure"]
