"""Policy sets on the command line: own rules beside the built-in ones, and what happens when a set is wrong."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gracegate.cli.main import CLEAN, FINDINGS, INCOMPLETE, USAGE, run
from gracegate.errors import ConfigError
from gracegate.repo_config import POLICIES_FILE
from tests.cli.test_cli import commit
from tests.git.conftest import Repository, Server, new_repository, server
from tests.policy.sets.policy_sets import FOREIGN, GOOD, ID, NETWORK_POLICY, OTHER_KIND, RULE, write
from tests.policy.sources.bundle_server import BundleServer, sha256
from tests.policy.sources.conftest import bundles
from tests.shop import DEPLOYMENT, PRESTOP, SERVICE, WITHOUT_DRAIN

__all__ = ["bundles", "new_repository", "server"]

IN_REPOSITORY = {f"policies/{name}": text for name, text in GOOD.items()}
OPEN = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {}
  ingress:
  - {}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opa: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workload, which is also the working directory, and policy sets beside it."""
    for name in ("OPA_URL", "GRACEGATE_OPA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(opa.parent), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    write(tmp_path, {"shop/apps/web.yaml": WITHOUT_DRAIN, "shop/apps/service.yaml": SERVICE})
    write(tmp_path / "acme", GOOD)
    write(tmp_path / "others", FOREIGN)
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def report(capfd: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capfd.readouterr().out)


def found(capfd: pytest.CaptureFixture[str]) -> list[tuple[str, str, int]]:
    return sorted((f["policy_set"], f["rule"], f["line"]) for f in report(capfd)["findings"])


BUILTIN_FINDING = ("gracegate", PRESTOP, 14)
OWN_FINDING = ("acme", ID, 14)
OTHER_FINDINGS = [("others/gk", "gatekeeper.enough-replicas", 6), ("others/policy", "conftest.main.deny", 15)]


def test_what_is_found_in_shadow_is_shown_to_those_who_ask(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop.parent / "acme", {POLICIES_FILE: f"rules: {{{ID}: shadow}}\n"})
    shown = 'apps/web.yaml:14:11: error in shadow: Container "web" has no memory limit. [memory-limit-missing]\n'
    arguments = ["check", "--policies", "../acme", "--rule", ID, "--format", "json", "."]
    assert run(arguments) == CLEAN
    output = capfd.readouterr()
    assert [one["rule"] for one in json.loads(output.out)["shadow"]["findings"]] == [ID]
    assert output.err == ""
    assert run([*arguments, "--verbose"]) == CLEAN
    assert capfd.readouterr().err == shown
    assert run(["policy", "try", "--policies", "../acme", "."]) == CLEAN
    assert shown in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "findings"),
    [
        pytest.param([], [BUILTIN_FINDING], id="none"),
        pytest.param(["--policies", "../acme"], [OWN_FINDING, BUILTIN_FINDING], id="a folder"),
        pytest.param(["--policies", "../acme", "--policies", "./../acme"], [OWN_FINDING, BUILTIN_FINDING], id="twice"),
        pytest.param(["--policies", "../acme", "--rule", ID], [OWN_FINDING], id="one of its rules"),
        pytest.param(["--policies", "../others"], [BUILTIN_FINDING, *OTHER_FINDINGS], id="for other tools"),
        pytest.param(["--policies", "../acme", "--rule", PRESTOP], [BUILTIN_FINDING], id="another rule"),
    ],
)
def test_rules_of_a_folder(
    shop: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], findings: list[tuple[str, str, int]]
) -> None:
    assert run(["check", "--format", "json", *arguments]) == FINDINGS
    assert found(capfd) == findings


def test_the_report_names_the_sets(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(["check", "--format", "json", "--policies", "../acme"])
    builtin, own = report(capfd)["policies"]
    assert (builtin["name"], builtin["source"], builtin["state"]) == ("gracegate", "", "active")
    assert (own["name"], own["source"], own["state"], len(own["digest"])) == ("acme", "../acme", "active", 64)


@pytest.mark.parametrize(
    ("config", "arguments", "rules"),
    [
        pytest.param("policies: [policies]\n", [], {PRESTOP, ID}, id="of the configuration"),
        pytest.param("policies: [policies]\n", ["--no-policies"], {PRESTOP}, id="ignored"),
        pytest.param(f"policies: [policies]\nrules: {{{ID}: off}}\n", [], {PRESTOP}, id="off"),
        pytest.param("policies: [policies]\nprofile: baseline\n", [], {ID}, id="baseline has own errors"),
        pytest.param(
            f"policies: [policies]\nwaivers: [{{rules: [{ID}], reason: small}}]\n",
            ["--fail-on", "info"],
            {PRESTOP},
            id="waived",
        ),
    ],
)
def test_policies_of_the_configuration(
    shop: Path, capfd: pytest.CaptureFixture[str], config: str, arguments: list[str], rules: set[str]
) -> None:
    write(shop, {".gracegate.yaml": config, **IN_REPOSITORY})
    run(["check", "--format", "json", *arguments])
    assert {f["rule"] for f in report(capfd)["findings"] if f["waiver"] is None} == rules


def test_policies_and_their_configuration_with_a_base(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop, {".gracegate.yaml": "policies: [policies]\n", **IN_REPOSITORY})
    base = commit(shop, "before")
    changed = WITHOUT_DRAIN.replace("replicas: 2", "replicas: 3")
    write(shop, {"apps/web.yaml": changed, "apps/api.yaml": WITHOUT_DRAIN.replace("web", "api")})
    assert run(["check", "--base", base, "--format", "json"]) == FINDINGS
    statuses = {(f["rule"], f["file"]): f["status"] for f in report(capfd)["findings"]}
    assert statuses[ID, "apps/api.yaml"] == "introduced"
    assert statuses[ID, "apps/web.yaml"] == "pre-existing"


@pytest.mark.parametrize(
    ("policies", "named"),
    [
        pytest.param([], ["policies/lib/new.rego"], id="no set is in use"),
        pytest.param(["--policies", "policies"], [], id="in a set in use"),
        pytest.param(["--policies", "../acme"], ["policies/lib/new.rego"], id="in another folder"),
    ],
)
def test_changed_rego_is_named_unless_it_is_in_use(
    shop: Path, capfd: pytest.CaptureFixture[str], policies: list[str], named: list[str]
) -> None:
    write(shop, IN_REPOSITORY)
    base = commit(shop, "before")
    write(shop, {"policies/lib/new.rego": "package acme.names\n\nfirst := 1\n"})
    run(["check", "--base", base, "--format", "json", *policies])
    assert [problem["file"] for problem in report(capfd)["problems"] if problem["code"] == "rego"] == named


def test_changed_rego_of_a_repository_that_is_a_set(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop, GOOD)
    base = commit(shop, "before")
    write(shop, {"lib/new.rego": "package acme.names\n\nfirst := 1\n"})
    run(["check", "--base", base, "--format", "json", "--policies", "."])
    assert report(capfd)["problems"] == []


def test_an_annotation_waives_an_own_rule(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    annotations = f'  annotations: {{gracegate.dev/ignore: {ID}, gracegate.dev/ignore-reason: "a test"}}\n'
    write(shop, {"apps/web.yaml": DEPLOYMENT.replace("  name: web\n", f"  name: web\n{annotations}", 1)})
    assert run(["check", "--policies", "../acme"]) == CLEAN
    assert capfd.readouterr().err == ""


def test_a_kind_that_only_an_own_rule_reads(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop.parent / "acme", OTHER_KIND)
    write(shop, {"apps/policy.yaml": OPEN})
    run(["check", "--format", "json", "--policies", "../acme", "--rule", "open-network-policy"])
    (finding,) = report(capfd)["findings"]
    assert (finding["file"], finding["line"], finding["message"]) == (
        "apps/policy.yaml",
        7,
        "Anybody is let in: ask the web team.",
    )
    write(shop, {"apps/policy.yaml": f"{OPEN}a: b: c\n"})
    assert run(["check", "--policies", "../acme", "--rule", "open-network-policy"]) == INCOMPLETE
    assert run(["check", "--rule", "single-replica"]) == CLEAN


def test_a_set_that_is_refused_costs_only_itself(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(
        shop.parent / "acme",
        {**OTHER_KIND, NETWORK_POLICY: OTHER_KIND[NETWORK_POLICY].replace("owners.of", "owners.off")},
    )
    write(shop.parent / "acme", {RULE: GOOD[RULE].replace("severity: error", "severity: fatal")})
    write(
        shop.parent / "good",
        {name.replace("acme", "good"): text.replace("acme", "good") for name, text in GOOD.items()},
    )
    write(shop, {".gracegate.yaml": "rules: {open-network-policy: error}\n"})
    given = ["--policies", "../acme", "--policies", "../good"]
    assert run(["check", "--fail-on", "never", "--format", "json", *given]) == INCOMPLETE
    answer = report(capfd)
    assert sorted(f["rule"] for f in answer["findings"]) == [ID, PRESTOP]
    assert [(p["name"], p["state"]) for p in answer["policies"]] == [
        ("gracegate", "active"),
        ("good", "active"),
        ("acme", "refused"),
    ]
    assert [(p["file"], p["line"], p["code"], p["message"]) for p in answer["problems"]] == [
        (
            f"../acme/{RULE}",
            7,
            "policies_refused",
            "The policy set acme is not used: severity is one of error, warning, info, not fatal.",
        ),
        (
            f"../acme/{NETWORK_POLICY}",
            23,
            "policies_refused",
            "The policy set acme is not used: there is no acme.owners.off, did you mean acme.owners.of?.",
        ),
    ]


def test_a_rule_of_a_refused_set(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop.parent / "acme", {RULE: GOOD[RULE].replace("severity: error", "severity: fatal")})
    assert run(["check", "--policies", "../acme", "--rule", ID]) == INCOMPLETE
    out, _ = capfd.readouterr()
    assert "The policy set acme is not used: severity is one of error, warning, info, not fatal." in out
    assert PRESTOP not in out
    assert run(["rules", "--policies", "../acme", ID]) == USAGE
    assert f"The rule `{ID}` is in the policy set acme, which is refused" in capfd.readouterr().err


def test_two_sets_with_one_name(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop.parent / "other" / "acme", OTHER_KIND)
    assert run(["check", "--fail-on", "never", "--policies", "../acme", "--policies", "../other/acme"]) == INCOMPLETE
    mistake = "there is another policy set called `acme`: give this one a `name` in gracegate-policies.yaml"
    assert mistake in capfd.readouterr().out


@pytest.fixture
def repository(
    new_repository: Callable[[str], Repository], server: Server, monkeypatch: pytest.MonkeyPatch
) -> Repository:
    """The repository acme/policies of the server that the command line clones from."""
    for name in ("GH_TOKEN", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GRACEGATE_GIT_URL", server.url)
    return new_repository("acme/policies")


def test_rules_of_a_repository(shop: Path, capfd: pytest.CaptureFixture[str], repository: Repository) -> None:
    sets = {"ours": GOOD, "team": OTHER_KIND}
    files = {f"{folder}/{name}": text for folder, of_set in sets.items() for name, text in of_set.items()}
    commit = repository.commit(files)
    assert run(["check", "--format", "json", "--policies", "acme/policies//ours@main"]) == FINDINGS
    answer = report(capfd)
    assert sorted((f["policy_set"], f["rule"]) for f in answer["findings"]) == [
        ("gracegate", PRESTOP),
        ("ours", ID),
    ]
    own = answer["policies"][1]
    assert (own["name"], own["source"], own["commit"]) == ("ours", "acme/policies//ours@main", commit)
    assert run(["rules", "--policies", "acme/policies//team@main"]) == CLEAN
    out = capfd.readouterr().out
    assert f"\nPolicy sets:\n  team: acme/policies//team@main, {commit[:19]}, rules " in out
    # Also by the name in the configuration, unless that is not to be trusted.
    write(shop, {".gracegate.yaml": "policies: [acme/policies//ours@main]\n"})
    run(["check", "--format", "json"])
    assert {f["rule"] for f in report(capfd)["findings"]} == {ID, PRESTOP}
    run(["check", "--format", "json", "--no-policies"])
    assert {f["rule"] for f in report(capfd)["findings"]} == {PRESTOP}


def test_mistakes_in_a_repository_are_named_there(
    shop: Path, capfd: pytest.CaptureFixture[str], repository: Repository
) -> None:
    repository.commit({RULE: GOOD[RULE].replace("severity: error", "severity: fatal")})
    assert run(["check", "--fail-on", "never", "--policies", "acme/policies@main"]) == INCOMPLETE
    assert f"acme/policies@main/{RULE}:7: not evaluated: The policy set policies is not used" in capfd.readouterr().out
    assert run(["check", "--policies", "acme/policies@no"]) == USAGE
    assert capfd.readouterr().err == ("gracegate: acme/policies@no: the repository has no branch or tag `no`\n")


def test_rules_of_a_bundle(
    shop: Path, capfd: pytest.CaptureFixture[str], bundles: BundleServer, opa: Path, tmp_path: Path
) -> None:
    """As `opa build` writes it: with the data in one file, and without gracegate-policies.yaml."""
    folder = write(tmp_path / "kinds", OTHER_KIND)
    subprocess.run([opa, "build", "--bundle", folder, "--output", tmp_path / "kinds.tar.gz"], check=True)
    write(shop, {"apps/policy.yaml": OPEN})
    data = (tmp_path / "kinds.tar.gz").read_bytes()
    bundles.files["/kinds.tar.gz"] = data
    digest = bundles.push("acme/kinds", "v1", data)
    sources = {
        str(tmp_path / "kinds.tar.gz"): sha256(data),
        f"{bundles.url}/kinds.tar.gz": sha256(data),
        f"oci://{bundles.address}/acme/kinds:v1": digest,
    }
    for source, version in sources.items():
        run(["check", "--format", "json", "--policies", source, "--rule", "open-network-policy"])
        answer = report(capfd)
        assert [f["message"] for f in answer["findings"]] == ["Anybody is let in: ask the web team."]
        assert [(p["name"], p["commit"]) for p in answer["policies"][1:]] == [("kinds", version)]


def test_two_sets_with_one_rule(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop.parent / "other", GOOD)
    assert run(["check", "--fail-on", "never", "--policies", "../acme", "--policies", "../other"]) == INCOMPLETE
    assert f"the policy set acme has a rule `{ID}` too, in ../acme/{RULE}" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--policies", "../nowhere"], "../nowhere: there is no such folder of policies", id="no folder"),
        pytest.param(["--policies", "apps"], "apps: there are no Rego files in this folder of policies", id="no Rego"),
        pytest.param(["--rule", ID], f"There is no rule `{ID}`", id="a rule of no set"),
    ],
)
def test_usage(shop: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert run(["check", *arguments]) == USAGE
    assert message in capfd.readouterr().err


def test_a_configuration_names_no_folder_elsewhere(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop, {".gracegate.yaml": "policies: [../acme]\n"})
    assert run(["check"]) == USAGE
    assert "`policies` names ../acme, which is outside of the repository" in capfd.readouterr().err


def test_without_opa(
    shop: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run(["check", "--policies", "../acme"]) == FINDINGS
    capfd.readouterr()

    def no_opa() -> Path:
        raise ConfigError("there is no OPA")

    monkeypatch.setattr("gracegate.settings.find_opa", no_opa)
    # What has been built before needs no OPA.
    assert run(["check", "--policies", "../acme"]) == FINDINGS
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    assert run(["check", "--policies", "../acme"]) == USAGE
    assert capfd.readouterr().err == "gracegate: there is no OPA\n"


def test_cases_of_a_set_are_not_checked(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    files = {
        **GOOD,
        "gracegate-policies.yaml": "name: acme\n",
        "cases/x/bad.yaml": WITHOUT_DRAIN,
        "cases/x/service.yaml": SERVICE,
    }
    write(shop, {f"policies/{name}": text for name, text in files.items()})
    run(["check", "--format", "json"])
    out, err = capfd.readouterr()
    assert {f["file"] for f in json.loads(out)["findings"]} == {"apps/web.yaml"}
    assert err == "gracegate: policies is a folder of policies, its manifests are not checked\n"
    run(["check", "--format", "json", "policies/cases/x/bad.yaml"])
    assert {f["file"] for f in report(capfd)["findings"]} == {"policies/cases/x/bad.yaml"}


def test_the_list_of_rules_and_the_page_of_one(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "--policies", "../acme"]) == CLEAN
    assert f"\nacme\n  {ID}  error    A container without a memory limit" in f"\n{capfd.readouterr().out}"
    assert run(["rules", ID, "--policies", "../acme"]) == CLEAN
    assert "+            memory: 256Mi" in capfd.readouterr().out


def test_sarif_has_own_rules(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(["check", "--format", "sarif", "--policies", "../acme"])
    (sarif,) = report(capfd)["runs"]
    assert {rule["id"] for rule in sarif["tool"]["driver"]["rules"]} == {ID, PRESTOP}


def test_a_rule_for_another_tool_is_explained(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "conftest.main.deny", "--policies", "../others"]) == CLEAN
    assert (
        capfd.readouterr().out
        == """\
conftest.main.deny: Images come from us
error. Fix: none.

Exceptions:
  Where it does not fit, waive it: with the annotations "gracegate.dev/ignore: conftest.main.deny" and\
 "gracegate.dev/ignore-reason", or among the waivers of ".gracegate.yaml".

Read more:
  https://example.com/images
"""
    )
