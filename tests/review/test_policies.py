"""Reviews with policy sets of the operator."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from gracegate.model import parse_policy_source
from gracegate.repo_config import POLICIES_FILE
from gracegate.review.policy_sets import StoredRecords, build_policy_sets
from gracegate.store.tables import POLICY_SET
from tests.policy.sets.policy_sets import FOREIGN, GOOD, ID, RULE, SPRINTF, write
from tests.review.conftest import SHOP, Stage, is_current, policy_sets
from tests.shop import DEPLOYMENT, WITHOUT_DRAIN

LIMITED = DEPLOYMENT.replace("image: registry", "resources: {limits: {memory: 1Gi}}\n          image: registry", 1)
BROKEN = {RULE: GOOD[RULE].replace("severity: error", "severity: fatal")}
FATAL = f"{RULE}:7: severity is one of error, warning, info, not fatal"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "acme", GOOD)


@pytest.fixture
def own(stage: Stage, folder: Path, opa: Path) -> Stage:
    sets = policy_sets(folder.parent / "policies-data", str(folder))
    return replace(stage, reviewer=replace(stage.reviewer, policies=sets))


def reviewed(own: Stage, files: dict[str, str], config: str | None = None) -> tuple[str | None, str, str]:
    """Verdict and conclusion of a review of these files, and the summary of its check."""
    if config is not None:
        own.fake.push(SHOP, "main", {".gracegate.yaml": config})
    outcome = own.reviewer.review(own.run(own.open_pull_request(files)), is_current)
    (run,) = own.fake.world.check_runs.values()
    return outcome.verdict, str(run.conclusion), run.summary or ""


def test_an_own_rule_is_commented_with_its_fix(own: Stage) -> None:
    verdict, conclusion, summary = reviewed(own, {"web.yaml": DEPLOYMENT})
    assert (verdict, conclusion) == ("fail", "failure")
    (comment,) = own.comments(1)
    assert comment[:2] == ("web.yaml", 14)
    assert "Container `web` has no memory limit." in comment[2]
    assert "Policy set `acme` `" in summary


def test_policies_for_other_tools_are_commented_on_their_lines(own: Stage, folder: Path) -> None:
    """Their OPA runs in the child, with its limits."""
    write(folder, {name: text for name, text in FOREIGN.items() if name != "gracegate-policies.yaml"})
    write(folder, {"gracegate-policies.yaml": FOREIGN["gracegate-policies.yaml"].replace("name: others", "name: acme")})
    verdict, _, summary = reviewed(own, {"web.yaml": LIMITED})
    assert verdict == "fail"
    said = {(file, line): text.splitlines()[0] for file, line, text in own.comments(1)}
    assert said == {
        ("web.yaml", 16): "❌ Error: registry.example/web:1 is not ours `conftest.main.deny`",
        ("web.yaml", 6): "⚠️ Warning: web runs too few `gatekeeper.enough-replicas`",
    }
    assert "Policy set `acme/policy` `" in summary


def test_a_set_that_wasm_cannot_evaluate_has_an_opa_of_its_own(own: Stage, folder: Path) -> None:
    write(folder, SPRINTF)
    assert reviewed(own, {"web.yaml": DEPLOYMENT})[:2] == ("fail", "failure")
    assert "Container `web` has no memory limit." in own.comments(1)[0][2]


@pytest.mark.parametrize(
    ("config", "verdict"),
    [
        pytest.param(f"rules: {{{ID}: off}}", "pass", id="off"),
        pytest.param(f"rules: {{{ID}: {{severity: warning, params: {{limit: 1Gi}}}}}}", "pass", id="a warning"),
        pytest.param(f"waivers: [{{rules: [{ID}], reason: small}}]", "pass", id="waived"),
        pytest.param("rules: {no-such-rule: off}", "fail", id="a rule of no set"),
    ],
)
def test_the_configuration_knows_own_rules(own: Stage, config: str, verdict: str) -> None:
    assert reviewed(own, {"web.yaml": DEPLOYMENT}, config)[0] == verdict


def test_what_a_rule_in_shadow_finds_is_counted_and_said_nowhere(own: Stage, folder: Path) -> None:
    def shadows() -> float:
        return REGISTRY.get_sample_value("gracegate_shadow_findings_total", {"rule": ID}) or 0.0

    write(folder, {POLICIES_FILE: f"rules: {{{ID}: shadow}}\n"})
    before = shadows()
    verdict, conclusion, summary = reviewed(own, {"web.yaml": DEPLOYMENT})
    assert (verdict, conclusion, own.comments(1)) == ("pass", "success", [])
    assert ID not in summary
    assert shadows() == before + 1


def test_what_is_new_is_said_to_the_first_who_meet_it(own: Stage, folder: Path) -> None:
    def summary_of(number: int) -> str:
        own.reviewer.review(own.run(number, head_sha=own.fake.pull(SHOP, number).head_sha), is_current)
        return list(own.fake.world.check_runs.values())[-1].summary or ""

    write(folder, {POLICIES_FILE: f"rules: {{{ID}: shadow}}\n"})
    first = own.open_pull_request({"web.yaml": DEPLOYMENT})
    assert "New here" not in summary_of(first)
    write(folder, {POLICIES_FILE: ""})
    said = f"### New here\n\n- `{ID}` is new since {dt.datetime.now(dt.UTC).date()}.\n"
    assert [said in summary_of(first) for _ in range(2)] == [True, True]
    own.fake.push(SHOP, "second", {"other.yaml": DEPLOYMENT.replace("name: web", "name: other")}, onto="main")
    assert "New here" not in summary_of(own.fake.open_pull_request(SHOP, "second"))


def test_whom_to_ask_is_said_without_a_mention(own: Stage, folder: Path) -> None:
    write(folder, {POLICIES_FILE: 'owners: {default: "@acme/platform"}\n'})
    reviewed(own, {"web.yaml": DEPLOYMENT})
    (comment,) = own.fake.pull(SHOP, 1).comments
    _, why = comment.body.split("<details><summary>Why? Not a problem here?</summary>")
    assert "\nWhom to ask: `acme/platform`\n" in why
    assert "@" not in comment.body


def test_the_version_before_is_used_and_the_check_says_so(own: Stage, folder: Path) -> None:
    own.reviewer.policies.current()
    write(folder, BROKEN)
    verdict, _, summary = reviewed(own, {"web.yaml": DEPLOYMENT})
    assert verdict == "fail"
    assert f"whose newest version is not used: `{FATAL}`." in summary


def test_without_a_version_that_can_be_used_the_check_is_incomplete(own: Stage, folder: Path) -> None:
    write(folder, BROKEN)
    verdict, conclusion, summary = reviewed(own, {"web.yaml": DEPLOYMENT}, f"rules: {{{ID}: off}}")
    assert (verdict, conclusion) == ("incomplete", "failure")
    assert "- The policy set acme was not evaluated: " in summary
    assert "severity is one of error, warning, info, not fatal" in summary


def test_what_a_repository_names_itself_is_not_evaluated_and_the_check_is_neutral(stage: Stage) -> None:
    config = "policies: [policies]\nrules: {no-such-rule: off}\n"
    verdict, conclusion, summary = reviewed(stage, {"web.yaml": DEPLOYMENT}, config)
    assert (verdict, conclusion) == ("pass", "neutral")
    assert "reviews use only the policy sets that the operator allows" in summary


def allowing(stage: Stage, *patterns: str) -> Stage:
    settings = replace(stage.reviewer.settings, policies_allowed=patterns)
    return replace(stage, reviewer=replace(stage.reviewer, settings=settings))


@pytest.fixture
def payments(stage: Stage, opa: Path) -> Stage:
    """Beside the shop there is the repository acme/payments with a policy set, and the operator allows acme's."""
    stage.fake.create_repository("acme/payments")
    stage.fake.push("acme/payments", "main", {**GOOD})
    return allowing(stage, "acme/*")


def test_what_the_base_names_is_evaluated_where_the_operator_allows_it(payments: Stage) -> None:
    commit = payments.fake.push("acme/payments", "main", {"README.md": "Rules"})
    config = f"policies: [acme/payments@main]\nrules: {{{ID}: {{params: {{limit: 1Gi}}}}}}\n"
    verdict, conclusion, summary = reviewed(payments, {"web.yaml": DEPLOYMENT}, config)
    assert (verdict, conclusion) == ("fail", "failure")
    assert "Container `web` has no memory limit." in payments.comments(1)[0][2]
    assert "Policy set `payments` `" in summary
    assert f"of `{commit[:12]}`." in summary


def test_folders_of_the_repository_itself_are_those_of_the_base(stage: Stage, opa: Path) -> None:
    own = allowing(stage, SHOP)
    own.fake.push(SHOP, "main", {f"rules-of-ours/{name}": text for name, text in GOOD.items()})
    # The head takes the rule away, and with it nothing of the review.
    removed = {f"rules-of-ours/{RULE}": None, "web.yaml": DEPLOYMENT}
    verdict, _, summary = reviewed(own, removed, "policies: [./rules-of-ours/]\n")
    assert verdict == "fail"
    assert "Policy set `rules-of-ours` `" in summary


@pytest.mark.parametrize(
    ("named", "allowed"),
    [
        pytest.param("acme/payments@main", ["shop/*"], id="another owner's"),
        pytest.param("rules-of-ours", ["acme/*"], id="its own folder"),
        pytest.param("../rules", ["*/*", SHOP], id="outside"),
        pytest.param("https://acme.example/a.tar.gz", ["acme/*"], id="a server's"),
        pytest.param("ftp://acme.example", ["acme/*"], id="no source"),
    ],
)
def test_what_the_operator_does_not_allow_is_not_read(stage: Stage, named: str, allowed: list[str]) -> None:
    verdict, conclusion, summary = reviewed(
        allowing(stage, *allowed), {"web.yaml": DEPLOYMENT}, f"policies: ['{named}']\n"
    )
    assert (verdict, conclusion) == ("pass", "neutral")
    assert "reviews use only the policy sets that the operator allows" in summary


def test_what_the_head_names_is_never_read(payments: Stage) -> None:
    files = {"web.yaml": DEPLOYMENT, ".gracegate.yaml": "policies: [acme/payments@main]\n"}
    assert reviewed(payments, files)[0] == "pass"


@pytest.mark.parametrize(
    ("files", "named", "mistake"),
    [
        pytest.param(BROKEN, "acme/payments@main", FATAL, id="a mistake in it"),
        pytest.param({}, "acme/payments@no", "acme/payments@no: the repository has no branch or tag `no`", id="no ref"),
        pytest.param({}, "acme/payments//x@main", "acme/payments//x@main: there are no policies in x", id="no folder"),
    ],
)
def test_a_mistake_in_what_the_base_names_costs_only_itself(
    payments: Stage, files: dict[str, str], named: str, mistake: str
) -> None:
    payments.fake.push("acme/payments", "main", files)
    verdict, _, summary = reviewed(payments, {"web.yaml": WITHOUT_DRAIN}, f"policies: ['{named}']\n")
    assert verdict == "fail"
    assert "was not evaluated: " in summary
    assert mistake.replace("`", "") in summary.replace("`", "")
    assert len(payments.comments(1)) == 1


def test_a_set_of_a_private_repository_is_read_with_a_token_of_the_app(stage: Stage, opa: Path) -> None:
    """The operator's sets, as a worker builds them: the database says which version is in use."""
    stage.fake.create_repository("shop/policies", private=True)
    commit = stage.fake.push("shop/policies", "main", {**GOOD})
    settings = replace(stage.reviewer.settings, policies=(parse_policy_source("shop/policies@main"),))
    records = StoredRecords(stage.reviewer.store)
    sets = build_policy_sets(settings, stage.reviewer.client, records)
    own = replace(stage, reviewer=replace(stage.reviewer, policies=sets))
    verdict, _, summary = reviewed(own, {"web.yaml": DEPLOYMENT})
    assert verdict == "fail"
    assert f"of `{commit[:12]}`." in summary
    # A worker on another machine, after a version that is refused: it uses what the first one has activated.
    stage.fake.push("shop/policies", "main", BROKEN)
    other = build_policy_sets(replace(settings, data_dir=settings.data_dir / "other"), stage.reviewer.client, records)
    assert [part.commit for part in other.current()[0].own] == [commit]
    with stage.reviewer.store.transaction() as tx:
        tx.execute(POLICY_SET.update().values(looked_at=0.0))
    other.look()
    (found,) = sets.current()
    assert [part.commit for part in found.own] == [commit]
    assert [str(mistake) for mistake in found.mistakes] == [FATAL]
