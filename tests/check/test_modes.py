"""Rules in mode `shadow` are counted and change nothing else; in mode `warn` their errors are warnings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gracegate.check import CheckRequest, check
from gracegate.check.profiles import apply_mode, is_always_shadow, mode_of
from gracegate.errors import EngineError
from gracegate.manifests import render_nothing
from gracegate.model import Mode, ModeException, Report, Repository, Rule, Violation
from gracegate.repo_config import RepoConfig, RuleConfig
from tests.check.reports import BUILTIN, TODAY, diff, tree
from tests.shop import DEPLOYMENT, PRESTOP, SERVICE, WITHOUT_DRAIN

SHOP = Repository(("https://github.com/Acme/Shop.git",))
BASE = {"web.yaml": DEPLOYMENT, "service.yaml": SERVICE}
HEAD = {**BASE, "web.yaml": WITHOUT_DRAIN}


def rule(mode: Mode = "block", *exceptions: ModeException) -> Rule:
    return Rule("r", "g", "", "", "error", "none", (), "", (), mode=mode, mode_exceptions=exceptions)


# The rule, the repository's URL, the path; the mode.
MODES: list[tuple[Rule, str, str, Mode]] = [
    (rule(), "", "a.yaml", "block"),
    (rule("warn"), "", "a.yaml", "warn"),
    (rule("shadow", ModeException("block", "acme/shop")), "https://github.com/Acme/Shop.git", "a.yaml", "block"),
    (rule("shadow", ModeException("block", "acme/shop")), "git@github.com:acme/shop", "a.yaml", "block"),
    (rule("shadow", ModeException("block", "acme/shop")), "https://github.com/acme/shop2", "a.yaml", "shadow"),
    (rule("shadow", ModeException("block", "acme/shop")), "", "a.yaml", "shadow"),
    (rule("shadow", ModeException("block", "acme/*")), "https://github.com/acme/shop/", "a.yaml", "block"),
    (rule("block", ModeException("warn", path="legacy/")), "", "legacy/x/a.yaml", "warn"),
    (rule("block", ModeException("warn", path="legacy/")), "", "legacy.yaml", "block"),
    (rule("block", ModeException("warn", path="a*"), ModeException("shadow", path="*.yaml")), "", "a.yaml", "shadow"),
    (rule("block", ModeException("warn", "acme/*", "b/")), "https://github.com/acme/shop", "a.yaml", "block"),
]


@pytest.mark.parametrize(("of", "url", "path", "mode"), MODES)
def test_the_last_entry_that_applies_gives_the_mode(of: Rule, url: str, path: str, mode: Mode) -> None:
    assert mode_of(of, Repository((url,) if url else ()), path) == mode


def test_a_rule_is_always_in_shadow_where_no_file_has_another_mode() -> None:
    exception = ModeException("block", "acme/shop", "a.yaml")
    assert not is_always_shadow(rule(), SHOP)
    assert is_always_shadow(rule("shadow"), SHOP)
    assert not is_always_shadow(rule("shadow", exception), SHOP)
    assert is_always_shadow(rule("shadow", exception), Repository())


def test_a_warning_stays_as_it_is_in_mode_warn() -> None:
    error = Violation("r", 0, (), "m", "error")
    info, later = replace(error, level="info"), replace(error, level="warning", blocks_from="2027-01-31")
    modes: list[Mode] = ["block", "warn", "shadow"]
    assert [apply_mode(error, mode) for mode in modes] == [
        error, replace(error, level="warning"), replace(error, is_shadow=True),
    ]  # fmt: skip
    assert [apply_mode(info, "warn"), apply_mode(later, "warn")] == [info, later]


def report(
    mode: Mode, *exceptions: ModeException, base: Mapping[str, str] | None = BASE, config: RepoConfig | None = None
) -> Report:
    """The report of a change that takes the drain away, with this mode of the rule on it."""
    request = CheckRequest(
        head=tree(HEAD),
        config=config or RepoConfig(),
        policies=(replace(BUILTIN, catalog=with_mode(mode, exceptions)),),
        today=TODAY,
        base=None if base is None else tree(base),
        diff=None if base is None else diff(base, HEAD),
        repository=SHOP,
    )
    return check(request, render_nothing)


def with_mode(mode: Mode, exceptions: tuple[ModeException, ...] = ()) -> Any:
    changed = replace(BUILTIN.catalog.rules[PRESTOP], mode=mode, mode_exceptions=exceptions)
    return replace(BUILTIN.catalog, rules={**BUILTIN.catalog.rules, PRESTOP: changed})


def levels(found: Report) -> list[tuple[str, str, bool]]:
    return [(finding.rule, finding.severity, finding.blocks) for finding in found.findings]


def test_blocking_is_the_mode_of_all_rules() -> None:
    found = report("block")
    assert (found.verdict, levels(found), found.shadow_findings) == ("fail", [(PRESTOP, "error", True)], ())


@pytest.mark.parametrize("base", [BASE, None], ids=["a change", "a tree"])
def test_a_rule_in_shadow_changes_nothing_but_what_is_counted(base: Mapping[str, str] | None) -> None:
    found, without = report("shadow", base=base), report("block", base=base, config=RepoConfig(rules=off(PRESTOP)))
    assert [(f.rule, f.severity, f.counts) for f in found.shadow_findings] == [(PRESTOP, "error", True)]
    assert replace(found, shadow_findings=(), policies=without.policies) == without
    assert without.verdict == "pass"


def off(rule_id: str) -> dict[str, RuleConfig]:
    return {rule_id: RuleConfig("off")}


def test_what_the_base_has_does_not_count_in_shadow_either() -> None:
    found = report("shadow", base={**HEAD, "web.yaml": WITHOUT_DRAIN.replace("replicas: 2", "replicas: 4")})
    assert [finding.counts for finding in found.shadow_findings] == [False]


def test_errors_are_warnings_in_mode_warn_whatever_the_repository_says() -> None:
    for config in (RepoConfig(), RepoConfig(rules={PRESTOP: RuleConfig("error")})):
        found = report("warn", config=config)
        assert (found.verdict, levels(found)) == ("pass", [(PRESTOP, "warning", False)])


def test_a_mode_for_one_repository_or_folder() -> None:
    assert report("shadow", ModeException("block", "acme/shop")).verdict == "fail"
    assert report("block", ModeException("shadow", path="web.yaml")).verdict == "pass"


def test_the_day_of_a_rule_comes_after_its_mode() -> None:
    day = dt.date(2999, 1, 1)
    later = RepoConfig(rules={PRESTOP: RuleConfig(effective_on=day)})
    (finding,) = report("block", config=later).findings
    assert (finding.severity, finding.blocks_from) == ("warning", day.isoformat())
    (finding,) = report("warn", config=later).findings
    assert (finding.severity, finding.blocks_from) == ("warning", day.isoformat())
    assert report("shadow", config=later).findings == ()


@pytest.mark.parametrize("mode", ["block", "shadow"])
def test_a_rule_in_shadow_that_fails_is_no_problem_of_the_check(mode: Mode) -> None:
    def evaluate(opa_input: Mapping[str, Any]) -> Any:
        answer = BUILTIN.evaluate(opa_input)
        violations = [one if one["rule"] != PRESTOP else {**one, "at": "nowhere"} for one in answer["violations"]]
        return {**answer, "violations": violations}

    found = evaluated_by(evaluate, mode, None)
    failures = {PRESTOP} if mode == "shadow" else set()
    assert found.shadow_failures.keys() == failures
    assert found.verdict == ("pass" if mode == "shadow" else "incomplete")


def test_an_engine_that_fails_is_a_problem_unless_all_its_rules_are_in_shadow() -> None:
    def fail(_: Mapping[str, Any]) -> Any:
        raise EngineError("broken")

    only = frozenset({PRESTOP})
    assert evaluated_by(fail, "block", only).verdict == "incomplete"
    assert (evaluated_by(fail, "shadow", only).verdict, evaluated_by(fail, "shadow", None).verdict) == (
        "pass", "incomplete",
    )  # fmt: skip


def evaluated_by(evaluate: Any, mode: Mode, only: frozenset[str] | None) -> Report:
    policies = replace(BUILTIN, catalog=with_mode(mode), evaluate=evaluate)
    return check(CheckRequest(tree(HEAD), RepoConfig(), (policies,), TODAY, only=only), render_nothing)
