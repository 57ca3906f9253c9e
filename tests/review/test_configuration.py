"""The configuration of a review is that of the tip of the base branch, whatever merge base and head have."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from gracegate.model import FileDiff, Hunk, Problem, SourceFile, Tree
from gracegate.outputs import check_run
from gracegate.review.owner_defaults import OwnerDefaults
from gracegate.review.owner_defaults_reader import OwnerDefaultsReader
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


OWNERS = "shop/.github/.gracegate.yaml"


@pytest.mark.parametrize(
    ("defaults", "tip", "verdict", "told"),
    [
        pytest.param("", None, "fail", None, id="none"),
        pytest.param(OFF, None, "pass", None, id="the owner alone"),
        pytest.param(OFF, "comments: touched\n", "pass", None, id="the repository says something else"),
        pytest.param(WARNING, OFF, "pass", None, id="the repository counts more"),
        pytest.param(OFF, "rules:\n  prestop-drain-missing: error\n", "fail", None, id="and raises it"),
        pytest.param(OFF, WRONG, "incomplete", None, id="the repository is wrong"),
        pytest.param(
            WRONG,
            OFF,
            "pass",
            (f"`{OWNERS}` counts for nothing, because it is wrong: {OWNERS}:1: `rules` must be a mapping", True),
            id="the owner is wrong",
        ),
        pytest.param(
            f"{OFF}  rule-of-another-set: off\n",
            None,
            "pass",
            (f"A part of `{OWNERS}` counts for nothing: {OWNERS}:3: unknown rule `rule-of-another-set`", False),
            id="a rule that is not in use here",
        ),
        pytest.param(
            f"{OFF}policies: [x]\n",
            None,
            "fail",
            (f"`{OWNERS}` counts for nothing, because it is wrong: {OWNERS}:3: `policies` cannot be a default", True),
            id="what only a repository can say",
        ),
        pytest.param(None, None, "fail", (f"`{OWNERS}` was not read: forbidden.", True), id="not read"),
    ],
)
def test_the_owner_has_defaults(
    defaults: str | None, tip: str | None, verdict: str, told: tuple[str, bool] | None
) -> None:
    owners = OwnerDefaults(OWNERS, defaults or "", "forbidden" if defaults is None else "")
    report = sandboxed_check(replace(job(None, tree(tip), None), owner_defaults=owners))
    problems = [problem for problem in report.problems if problem.code == "owner_defaults"]
    assert (report.verdict, len(problems), any(p.blocks for p in problems)) == (verdict, told is not None, False)
    if told is not None:
        assert (problems[0].message.startswith(told[0]), problems[0].is_uncovered) == (True, told[1])


def test_the_preview_of_a_proposed_configuration_has_the_owners_defaults() -> None:
    owners = OwnerDefaults(OWNERS, OFF)
    report = sandboxed_check(replace(job(None, tree(None), "comments: touched\n"), owner_defaults=owners))
    assert (report.verdict, report.config_preview and report.config_preview.verdict) == ("pass", "pass")


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


def test_the_defaults_of_an_owner_are_read_once_a_minute(stage: Stage) -> None:
    now = [0.0]
    reader = OwnerDefaultsReader(stage.reviewer.client, lambda: now[0])
    reviewer = replace(stage.reviewer, owner_defaults=reader)
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.fake.create_repository("shop/.github")
    reviewer.review(stage.run(number), is_current)
    stage.fake.push("shop/.github", "main", {CONFIG: OFF})
    reviewer.review(stage.run(number), is_current)
    now[0] = 61.0
    reviewer.review(stage.run(number), is_current)
    stage.fake.push("shop/.github", "main", {CONFIG: "x" * 2_000_000})
    now[0] = 122.0
    reviewer.review(stage.run(number), is_current)
    assert [conclusion for _, conclusion in stage.checks()] == ["failure", "failure", "success", "failure"]
    *_, last = stage.fake.world.check_runs.values()
    assert "`shop/.github/.gracegate.yaml` was not read: .gracegate.yaml is no file, or a large one" in last.summary
    asked = [one for one in stage.fake.log if "/repos/shop/.github/contents/" in one.path]
    assert [one.status for one in asked] == [404, 200, 200]


def test_a_rule_that_was_switched_off_after_the_pull_request_was_opened_is_off(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.fake.push(SHOP, "main", {CONFIG: OFF})
    stage.reviewer.review(stage.run(number), is_current)
    stage.fake.push(SHOP, "main", {CONFIG: WARNING})
    stage.reviewer.review(stage.run(number), is_current)
    stage.fake.push(SHOP, "main", {CONFIG: None})
    stage.reviewer.review(stage.run(number), is_current)
    assert [conclusion for _, conclusion in stage.checks()] == ["success", "neutral", "failure"]
