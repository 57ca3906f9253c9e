"""Which rules count, how much, and from which day."""

from __future__ import annotations

import datetime as dt

import pytest

from gracegate.check import CheckRequest, check
from gracegate.check.profiles import NOT_IN_BASELINE, apply_effective_date, enabled_rules
from gracegate.manifests import render_nothing
from gracegate.model import Rule, Severity, Violation
from gracegate.policy import PolicySet, load_builtin
from gracegate.policy.engines.opa_wasm import WasmEngine
from gracegate.repo_config import parse_repo_config
from tests.check.reports import tree

DAY = dt.date(2027, 1, 31)
CATALOG = load_builtin()
WASM = WasmEngine()
BUILTIN = PolicySet(CATALOG, WASM.engine, WASM.evaluate)


def rule(name: str, severity: Severity = "error", day: dt.date | None = None) -> Rule:
    return Rule(name, "g", "", "", severity, "none", (), "", (), effective_on=day)


RULES = {
    r.id: r
    for r in (
        rule("broken"),
        rule("announced", day=DAY),
        rule("prestop-drain-missing"),
        rule("readiness-probe-missing"),
        rule("uncertain", "warning"),
    )
}
ALL = frozenset(RULES)


@pytest.mark.parametrize(
    ("config", "only", "names"),
    [
        pytest.param("", None, ALL, id="default"),
        pytest.param("profile: recommended", None, ALL, id="recommended"),
        pytest.param("profile: strict", None, ALL, id="strict"),
        pytest.param("profile: baseline", None, {"broken", "announced"}, id="baseline"),
        pytest.param(
            "profile: baseline\nrules: {uncertain: warning, broken: off}",
            None,
            {"announced", "uncertain"},
            id="what is named outranks the profile",
        ),
        pytest.param(
            "profile: baseline\nrules: {uncertain: {params: {}}}", None, {"broken", "announced"}, id="not by parameters"
        ),
        pytest.param("profile: baseline", {"uncertain"}, {"uncertain"}, id="requested alone"),
        pytest.param("rules: {uncertain: off}", {"uncertain", "broken"}, {"broken"}, id="off stays off"),
    ],
)
def test_which_rules_are_on(config: str, only: set[str] | None, names: set[str]) -> None:
    assert set(enabled_rules(RULES, parse_repo_config(config, RULES), frozenset(only) if only else None)) == names


@pytest.mark.parametrize(
    ("name", "config", "severity", "day"),
    [
        pytest.param("broken", "", "error", None, id="its own"),
        pytest.param("announced", "", "error", DAY, id="its own day"),
        pytest.param("broken", "rules: {broken: info}", "info", None, id="another severity"),
        pytest.param("announced", "rules: {announced: error}", "error", None, id="a severity now"),
        pytest.param("broken", "rules: {broken: {effective_on: 2027-01-31}}", "error", DAY, id="another day"),
        pytest.param(
            "announced",
            "rules: {announced: {severity: error, effective_on: 2028-02-29}}",
            "error",
            dt.date(2028, 2, 29),
            id="both",
        ),
    ],
)
def test_how_much_and_when(name: str, config: str, severity: str, day: dt.date | None) -> None:
    found = enabled_rules(RULES, parse_repo_config(config, RULES))[name]
    assert (found.severity, found.effective_on) == (severity, day)


BEFORE = DAY - dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("level", "day", "config", "today", "expected"),
    [
        pytest.param("error", None, "", BEFORE, ("error", None), id="no day"),
        pytest.param("error", DAY, "", BEFORE, ("warning", "2027-01-31"), id="before"),
        pytest.param("error", DAY, "", DAY, ("error", None), id="on the day"),
        pytest.param("warning", DAY, "", BEFORE, ("warning", None), id="never an error"),
        pytest.param("info", DAY, "", BEFORE, ("info", None), id="info"),
        pytest.param("error", DAY, "profile: strict", BEFORE, ("warning", None), id="strict blocks already"),
        pytest.param("error", DAY, "gate: advise", BEFORE, ("warning", None), id="nothing blocks"),
    ],
)
def test_before_its_day_an_error_is_a_warning(
    level: Severity, day: dt.date | None, config: str, today: dt.date, expected: tuple[str, str | None]
) -> None:
    found = apply_effective_date(
        Violation("r", 0, (), "m", level), rule("r", day=day), parse_repo_config(config, {}), today
    )
    assert (found.level, found.blocks_from) == expected


def test_the_profiles_name_rules_that_exist() -> None:
    assert CATALOG.rules.keys() >= NOT_IN_BASELINE


EXAMPLE = CATALOG.rules["prestop-drain-missing"].example
DATED = "rules: {prestop-drain-missing: {effective_on: 2027-01-31}}"


@pytest.mark.parametrize(
    ("config", "today", "verdict", "found"),
    [
        pytest.param("", BEFORE, "fail", [("error", None)], id="recommended"),
        pytest.param("profile: baseline", BEFORE, "pass", [], id="baseline"),
        pytest.param("rules: {prestop-drain-missing: warning}", BEFORE, "pass", [("warning", None)], id="a warning"),
        pytest.param(
            "profile: strict\nrules: {prestop-drain-missing: warning}",
            BEFORE,
            "fail",
            [("warning", None)],
            id="strict: a warning blocks",
        ),
        pytest.param(
            "profile: strict\nrules: {prestop-drain-missing: info}", BEFORE, "pass", [("info", None)], id="strict: info"
        ),
        pytest.param(DATED, BEFORE, "pass", [("warning", "2027-01-31")], id="before its day"),
        pytest.param(DATED, DAY, "fail", [("error", None)], id="from its day on"),
    ],
)
def test_the_verdict(config: str, today: dt.date, verdict: str, found: list[tuple[str, str | None]]) -> None:
    request = CheckRequest(
        head=tree({"web.yaml": EXAMPLE}),
        config=parse_repo_config(config, CATALOG.rules),
        policies=(BUILTIN,),
        today=today,
        only=None,
    )
    report = check(request, render_nothing)
    assert (report.verdict, [(f.severity, f.blocks_from) for f in report.findings]) == (verdict, found)


@pytest.mark.parametrize(
    ("proposed", "verdict", "silenced"),
    [
        pytest.param("profile: baseline", "pass", 1, id="without the absence rules"),
        pytest.param("profile: strict", "fail", 0, id="strict"),
    ],
)
def test_a_proposed_profile_is_shown(proposed: str, verdict: str, silenced: int) -> None:
    request = CheckRequest(
        head=tree({"web.yaml": EXAMPLE}),
        config=parse_repo_config("", CATALOG.rules),
        policies=(BUILTIN,),
        today=BEFORE,
        head_config=proposed,
    )
    proposal = check(request, render_nothing).config_preview
    assert proposal is not None
    assert (proposal.verdict, len(proposal.silenced)) == (verdict, silenced)
