"""The pages of the rules: fresh, complete, and with what the fix makes of the example."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import pytest
import yaml

from gracegate.check import explain_rule
from gracegate.cli import rules
from gracegate.errors import RulesError
from gracegate.model import Fix, Rule, RuleExplanation
from gracegate.outputs import rule_page_files
from gracegate.outputs.rollout_phrasing import outage
from gracegate.policy import PolicySet, builtin_policies, load_builtin
from gracegate.policy.build import pages
from gracegate.policy.build.__main__ import main
from gracegate.policy.engines.opa_wasm import WasmEngine
from gracegate.rollout import estimate_rollout

CATALOG = load_builtin()
BUILTIN = builtin_policies()
each_rule = pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in CATALOG.rules.values()])


@pytest.fixture(scope="module")
def wasm() -> WasmEngine:
    return WasmEngine()


def page_of(explanation: RuleExplanation) -> str:
    return rule_page_files(explanation)[f"{explanation.rule.id}.md"].decode()


EXPLAINED: dict[str, RuleExplanation] = {}
"""Each rule is explained once for all tests."""


def explained(rule: Rule, wasm: WasmEngine) -> RuleExplanation:
    if rule.id not in EXPLAINED:
        EXPLAINED[rule.id] = explain_rule(rule, PolicySet(CATALOG, wasm.engine, wasm.evaluate))
    return EXPLAINED[rule.id]


def test_stale_and_left_over_pages_are_named_and_fixed(
    opa: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(BUILTIN, tmp_path / "policies"))
    stale, left = folder / "pages" / "prestop-drain-missing.md", folder / "pages" / "former-rule.md"
    stale.write_text("# Old\n")
    left.write_text("# Gone\n")
    arguments = [str(folder), "--opa", str(opa)]
    assert main(["--check", *arguments]) == 1
    assert capsys.readouterr().err == (
        f"{left} belongs to no rule: run `make policies`\n{stale} is not fresh: run `make policies`\n"
    )
    assert main(arguments) == 0
    assert stale.read_bytes() == (BUILTIN / "pages" / "prestop-drain-missing.md").read_bytes()
    assert not left.exists()


def test_pages_of_rules_that_were_not_compiled_are_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUILTIN, tmp_path / "policies"))
    (folder / "main.rego").write_text("package gracegate.main\n")
    with pytest.raises(RulesError, match="the rules changed after their catalogue was written"):
        pages.build_pages(folder)


@each_rule
def test_a_fix_is_shown_by_what_it_makes(wasm: WasmEngine, rule: Rule) -> None:
    found = explained(rule, wasm)
    patched = found.finding.fix is not None and bool(found.finding.fix.patch)
    assert (found.after is not None) == patched
    assert found.after != rule.example


@each_rule
def test_page_and_terminal_say_the_same(wasm: WasmEngine, rule: Rule) -> None:
    found = explained(rule, wasm)
    page, terminal = page_of(found), rules.render_rule(found)
    shared = [rule.id, rule.title, rule.description, *rule.links, *rule.exceptions]
    shared += [text for p in rule.parameters for text in (p.name, p.description)]
    assert [text for text in shared if text not in page or text not in terminal] == []
    language = "yaml" if rule.before is None else "diff"
    for kind, text in ((language, found.shown_example), ("diff", found.shown_fix)):
        if text is None:
            continue
        assert f"```{kind}\n{text.rstrip()}\n```\n" in page
        assert "\n".join(f"  {line}".rstrip() for line in text.rstrip().split("\n")) in terminal


@each_rule
def test_words_are_no_markdown(wasm: WasmEngine, rule: Rule) -> None:
    """What is in double quotes is shown as a code span."""
    fix = explained(rule, wasm).finding.fix
    words = [text for text in (fix.advice, fix.assumption) if text] if fix else []
    assert [text for text in words if "`" in text] == []


def why_without_picture(found: RuleExplanation) -> str:
    """Why a picture would show nothing, "" where it shows what the fix is good for."""
    both = [(one.before, one.after) for one in map(estimate_rollout, found.rollouts)]
    if not any(before for before, _ in both):
        return "nobody knows what a rollout of the example loses"
    if not any(before and before.most for before, _ in both):
        return "a rollout of the example loses nothing: the rule is about something else"
    if not any(after for _, after in both):
        return "there is no fix for the workload"
    if not any(before and after and outage(before) != outage(after) for before, after in both):
        return "the fix changes nothing of what a rollout loses"
    return ""


@each_rule
def test_a_rollout_is_drawn_where_the_fix_changes_its_verdict(wasm: WasmEngine, rule: Rule) -> None:
    found = explained(rule, wasm)
    why_not = why_without_picture(found)
    assert (f"{rule.id}.svg" in rule_page_files(found), why_not) == (why_not == "", why_not)


def test_all_that_a_page_can_hold(wasm: WasmEngine) -> None:
    found = explained(CATALOG.rules["prestop-drain-missing"], wasm)
    rule = dataclasses.replace(
        found.rule, aliases=("drain-missing",), exceptions=("It drains itself.",), effective_on=dt.date(2027, 1, 31)
    )
    fix = Fix("assumes", advice="Measure it.", assumption="The image has a shell.")
    changed = RuleExplanation(rule, dataclasses.replace(found.finding, fix=fix), after=None)
    page, terminal = page_of(changed), rules.render_rule(changed)
    assert "Level: error, a warning before 2027-01-31. Fix: " in page
    assert "Also known as `drain-missing`." in page
    assert "## The fix\n\nThis is right if: The image has a shell.\n\nWhat to do: Measure it.\n" in page
    assert "## Exceptions\n\n- It drains itself.\n\nWhere it does not fit" in page
    assert "\nerror, a warning before 2027-01-31. Fix: a suggestion that can be committed as it is.\n" in terminal
    assert "This is right if:\n  The image has a shell.\n\nWhat to do:\n  Measure it.\n" in terminal
    assert "It was applied" not in page


def test_a_rollout_is_drawn_where_the_fix_makes_it_lose_less() -> None:
    drawn = {file.stem for file in (BUILTIN / "pages").glob("*.svg")}
    assert drawn == {rule for rule in CATALOG.rules if f"]({rule}.svg)" in (BUILTIN / f"pages/{rule}.md").read_text()}
    assert {"prestop-drain-missing", "readiness-probe-missing", "rollout-drops-all-replicas"} <= drawn
    assert "pdb-missing" not in drawn


def test_what_a_page_shows_after_the_fix(wasm: WasmEngine) -> None:
    after = explained(CATALOG.rules["grace-period-exhausted"], wasm).after
    assert after is not None
    assert next(yaml.safe_load_all(after))["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 75
