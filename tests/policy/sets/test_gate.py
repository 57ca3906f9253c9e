"""What is wrong with a policy set is found before it is used: each mistake with its file and line, all at once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from gracegate.errors import ConfigError, RulesError
from gracegate.policy import load_catalog
from gracegate.policy.sets import build_policies, load_policies, read_policy_folder
from gracegate.repo_config import POLICIES_FILE
from tests.policy.sets.policy_sets import CODE, GOOD, ID, METADATA, NETWORK_POLICY, OTHER_KIND, RULE, SPRINTF, write

LIBRARIES = "containers, patches, scaling, services, text, values, workloads"
MINE = GOOD[RULE].replace("acme", "termination").replace("memory-limit-missing", "mine")
NO_BUILTIN = "is not among the builtins that rules may use"
MALFORMED = "the example cannot be evaluated: memory-limit-missing: its violation is malformed"


def edited(old: str, new: str, files: Mapping[str, str] = GOOD, file: str = RULE) -> dict[str, str]:
    assert old in files[file]
    return {**files, file: files[file].replace(old, new)}


def code(text: str) -> dict[str, str]:
    """The rule with other code; its first line is line 16."""
    return {RULE: f"{METADATA}\n{text}"}


def mistakes(folder: Path, opa: Path, files: Mapping[str, str]) -> list[str]:
    try:
        build_policies(read_policy_folder(write(folder / "acme", files)), opa, folder / "built")
    except RulesError as error:
        return [str(mistake) for mistake in error.mistakes]
    return []


@pytest.mark.parametrize(
    ("files", "kinds", "missing"),
    [
        pytest.param(GOOD, set(), (), id="a rule with a fix"),
        pytest.param(OTHER_KIND, {"NetworkPolicy"}, (), id="a rule on another kind, with a library and data"),
        pytest.param({**GOOD, **OTHER_KIND}, {"NetworkPolicy"}, (), id="both"),
        pytest.param(
            SPRINTF,
            set(),
            ("sprintf",),
            id="a builtin that Wasm lacks",
        ),
        pytest.param({**GOOD, "README.md": "# Ours", "cases/x/y.yaml": "kind: Pod"}, set(), (), id="other files"),
    ],
)
def test_what_is_built_of_a_good_set(
    tmp_path: Path, opa: Path, files: Mapping[str, str], kinds: set[str], missing: tuple[str, ...]
) -> None:
    policies = read_policy_folder(write(tmp_path / "acme", files))
    catalog = build_policies(policies, opa, tmp_path / "built")
    assert catalog == load_catalog(tmp_path / "built")
    assert (catalog.rules.keys(), catalog.kinds, catalog.missing_builtins) == (policies.rule_ids, kinds, missing)


def test_modes_and_owners_are_part_of_a_version(tmp_path: Path, opa: Path) -> None:
    said = f"owners: {{acme: acme/memory}}\nrules: {{{ID}: {{where: [{{path: x/, mode: shadow}}]}}}}\n"
    metadata = edited("severity: error", "severity: error\n#   mode: warn\n#   owner: acme/images")
    digests = set()
    for number, (files, mode, owner) in enumerate(
        [
            (GOOD, "block", ""),
            (metadata, "warn", "acme/images"),
            (GOOD | {POLICIES_FILE: said}, "block", "acme/memory"),
            (metadata | {POLICIES_FILE: said}, "warn", "acme/images"),
        ]
    ):
        policies = read_policy_folder(write(tmp_path / f"acme{number}", files))
        catalog = load_policies(policies, lambda: opa, tmp_path / "cache")
        rule = catalog.rules[ID]
        assert (rule.mode, rule.owner) == (mode, owner)
        assert [one.path for one in rule.mode_exceptions] == (["x/"] if POLICIES_FILE in files else [])
        digests.add(catalog.digest)
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param(code("violation := = 1\n"), [f"{RULE}:16: unexpected eq token"], id="syntax"),
        pytest.param(
            code("violation[x] {\n\tx := 1\n}\n"),
            [f"{RULE}:16: this is Rego v0, and rules are Rego v1: `opa fmt --rego-v1 --write` rewrites it"],
            id="Rego v0",
        ),
        pytest.param(
            edited("severity: error", "severty: error"),
            [
                f"{RULE}:1: METADATA lacks `severity`",
                f"{RULE}:7: unknown key `severty` in custom, did you mean `severity`?",
            ],
            id="METADATA, all mistakes",
        ),
        pytest.param(
            {RULE: CODE.replace("\n", "package x\n", 1)},
            [
                f"{RULE}:1: the file has no METADATA above its package",
                f"{RULE}:1: the package of a rule begins with gracegate.rules.acme",
            ],
            id="no METADATA",
        ),
        pytest.param(
            edited("_unlimited := {at", "_unlimited := {at", {**GOOD, "policy/deny.rego": "package main\n"}),
            ["policy/deny.rego:1: a rule lives in rules/<group>/<rule>.rego and a library in lib/, in lower case"],
            id="a file in another place",
        ),
        pytest.param(
            {"rules/termination/mine.rego": MINE},
            [
                (
                    "rules/termination/mine.rego:14: `termination` is a group of built-in rules: choose another name "
                    "for the folder"
                )
            ],
            id="a built-in group",
        ),
        pytest.param(
            {**GOOD, POLICIES_FILE: "rules:\n  memory-limit-missing: warn\n  memory-limit: shadow\n"},
            [f"{POLICIES_FILE}:3: `rules` names `memory-limit`, which is no rule of this set"],
            id="a mode of no rule",
        ),
        pytest.param(
            {**GOOD, POLICIES_FILE: "owners: {acme: a, storage: b}\n"},
            [f"{POLICIES_FILE}: `owners` names `storage`, which is no group of rules of this set"],
            id="an owner of no group",
        ),
        pytest.param(
            edited("severity: error", "severity: error\n#   mode: enforce"),
            [f"{RULE}:8: mode is one of shadow, warn, block, not enforce"],
            id="a mode that is none",
        ),
        pytest.param(
            edited("example: []", "aliases: [pdb-missing]\n#   example: []"),
            [f"{RULE}:1: a built-in rule is called `pdb-missing`: choose another name"],
            id="a built-in name",
        ),
        pytest.param(
            {
                **GOOD,
                "lib/a.rego": "package gracegate.lib.text\n\nx := 1\n",
                "lib/b.rego": "package system.authz\n\nx := 1\n",
            },
            [
                "lib/a.rego:1: the package of a library cannot begin with `gracegate`: use a name of your own",
                "lib/b.rego:1: the package of a library cannot begin with `system`: use a name of your own",
            ],
            id="packages of gracegate and OPA",
        ),
        pytest.param(
            {**GOOD, "data/gracegate_release/data.json": '{"digest": "x"}', "data/x.json": "{}"},
            [
                "data: data cannot have the name `gracegate_release`, which gracegate or OPA uses",
                "data/x.json: data is in files named data.json, data.yaml, data.yml",
            ],
            id="data",
        ),
        pytest.param(
            edited(
                "import data.gracegate.lib.text\n",
                "import data.gracegate.lib.joins\nimport data.gracegate.lib.text\n\nx := joins.namespace\n",
            ),
            [
                f"{RULE}:16: gracegate.lib.joins is not for policy sets, whose libraries are {LIBRARIES}",
                f"{RULE}:19: gracegate.lib.joins is not for policy sets, whose libraries are {LIBRARIES}",
                f"{RULE}:19: main reads violation, fix, related, possible, steps of a rule, not `x`: write `_x`",
            ],
            id="a library that is not public",
        ),
        pytest.param(
            edited("text.format(", "text.fromat("),
            [f"{RULE}:20: there is no gracegate.lib.text.fromat, did you mean gracegate.lib.text.format?"],
            id="a misspelt fact",
        ),
        pytest.param(
            edited("[container.name])", "[container.name, 1])"),
            [f"{RULE}:20: text.format has 1 place for 2 words"],
            id="words without a place",
        ),
        pytest.param(
            edited('"memory-limit-missing"].limit', '"memory-limit-missing"].limt'),
            [f"{RULE}:28: the METADATA of memory-limit-missing does not declare the parameter `limt`; declared: limit"],
            id="a parameter that is not declared",
        ),
        pytest.param(
            edited(
                "not container.resources",
                'http.send({"method": "GET", "url": "http://127.0.0.1"})\n\topa.runtime()\n\tnot container.resources',
            ),
            [
                f"{RULE}:36: http.send {NO_BUILTIN}: a check has no network: put what the rule needs into data/",
                (
                    f"{RULE}:37: opa.runtime {NO_BUILTIN}: a check shows rules no environment: "
                    "use input.cluster or a parameter"
                ),
            ],
            id="builtins that are not allowed",
        ),
        pytest.param(
            edited("# custom:", '# schemas:\n# - input: {"$ref": "http://127.0.0.1/schema.json"}\n# custom:'),
            [f"{RULE}:1: a schema has to be named as `schema.input`: OPA would read what an inline one refers to"],
            id="a schema from elsewhere",
        ),
        pytest.param(
            edited("not container.resources", "unused := container.resources\n\tnot container.resources"),
            [f"{RULE}:36: assigned var unused unused"],
            id="strict mode",
        ),
        pytest.param(
            edited("fix contains {", "fix[at] := {"),
            [
                (
                    f"{RULE}:23: OPA builds the partial object `fix` in quadratic time: write `fix contains ...`, "
                    "or a comprehension"
                )
            ],
            id="a partial object",
        ),
        pytest.param(
            edited("limits.memory\n", "limits.memroy\n\tcontainer.resources\n"),
            [f"{RULE}:13: the rule does not find its own example"],
            id="a rule that is silent on its example",
        ),
        pytest.param(
            edited('"message": message} if {', '"message": message, "level": "warning"} if {'),
            [f"{RULE}:13: the rule finds its example as warning, and its severity is error"],
            id="a level below the severity",
        ),
        pytest.param(
            edited('fix contains {\n\t"at": at,', 'fix contains {\n\t"at": {"document": at.document, "path": []},'),
            [
                (
                    f"{RULE}:13: METADATA says `fix: assumes`, but `fix` has nothing `at` the place of the "
                    "example's violation"
                )
            ],
            id="a fix at another place",
        ),
        pytest.param(
            edited('["resources", "limits", "memory"]', '["resources", "requests", "memory"]'),
            [f"{RULE}:13: its fix does not cure the example (not_fixed)"],
            id="a fix that cures nothing",
        ),
        pytest.param(
            edited('"containers", n]}', '"containers", 7]}'),
            [f"{RULE}:13: {MALFORMED}: at.path ['spec', 'template', 'spec', 'containers', 7] leads to nothing"],
            id="a place that is none",
        ),
        pytest.param(
            edited("#   kinds: [NetworkPolicy]\n", "", OTHER_KIND, NETWORK_POLICY),
            [
                (
                    f"{NETWORK_POLICY}:9: the example has a NetworkPolicy, which gracegate does not read: "
                    "add it to `kinds` of METADATA"
                )
            ],
            id="a kind that nobody reads",
        ),
        pytest.param(
            {
                **edited("severity: error", "severity: fatal"),
                **edited("owners.of(", "owners.off(", OTHER_KIND, NETWORK_POLICY),
                "rules/acme/broken.rego": "package x\nimport\n",
            },
            [
                "rules/acme/broken.rego:3: unexpected eof token",
                f"{RULE}:7: severity is one of error, warning, info, not fatal",
                f"{NETWORK_POLICY}:23: there is no acme.owners.off, did you mean acme.owners.of?",
            ],
            id="mistakes of several files",
        ),
    ],
)
def test_a_set_with_mistakes_is_refused(tmp_path: Path, opa: Path, files: dict[str, str], found: list[str]) -> None:
    assert mistakes(tmp_path, opa, files) == found


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param({}, "there is no such folder of policies", id="no folder"),
        pytest.param({"README.md": ""}, "there are no Rego files in this folder of policies", id="no Rego"),
        pytest.param(
            {**GOOD, "gracegate-policies.yaml": "contract: 2"}, "this gracegate knows contract 1", id="contract"
        ),
        pytest.param(
            {"a/deny.rego": "package main\n\ndeny[msg] { msg := input.kind }\n"},
            "these are policies for conftest: `gracegate policy import conftest acme` beside them uses them",
            id="conftest",
        ),
        pytest.param(
            {**GOOD, "gracegate-policies.yaml": "foreign: [{kind: kyverno, path: a}]"},
            "`kind` cannot be `kyverno`; known: `conftest`, `gatekeeper`",
            id="foreign",
        ),
    ],
)
def test_a_folder_that_is_no_set(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy_folder(write(tmp_path / "acme", files))
    assert caught.value.message.startswith(message)


def test_a_set_has_the_name_of_its_file_else_of_its_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "acme", GOOD)
    assert read_policy_folder(folder).name == "acme"
    write(folder, {"gracegate-policies.yaml": "name: acme-platform\ncontract: 1\n"})
    assert read_policy_folder(folder).name == "acme-platform"


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder = write(tmp_path / "acme", GOOD)
    (folder / "rules" / "acme" / "other.rego").symlink_to("/etc/hostname")
    (folder / "lib").symlink_to(folder / "rules")
    assert read_policy_folder(folder).modules.keys() == GOOD.keys()


def test_a_set_is_built_once(tmp_path: Path, opa: Path) -> None:
    def no_opa() -> Path:
        pytest.fail("it was built already")

    folder = write(tmp_path / "acme", GOOD)
    built = load_policies(read_policy_folder(folder), lambda: opa, tmp_path / "cache")
    assert load_policies(read_policy_folder(folder), no_opa, tmp_path / "cache") == built
    # Damaged, it is built anew; with other rules too.
    (built.folder / "compiled" / "catalog.json").write_text("{")
    assert load_policies(read_policy_folder(folder), lambda: opa, tmp_path / "cache") == built
    write(folder, OTHER_KIND)
    assert load_policies(read_policy_folder(folder), lambda: opa, tmp_path / "cache").digest != built.digest
    assert len([*(tmp_path / "cache" / "policies").iterdir()]) == 2


def test_what_others_can_write_is_not_used(tmp_path: Path, opa: Path) -> None:
    folder = write(tmp_path / "acme", GOOD)
    built = load_policies(read_policy_folder(folder), lambda: opa, tmp_path / "cache")
    built.folder.chmod(0o777)
    asked: list[Path] = []
    load_policies(read_policy_folder(folder), lambda: asked.append(opa) or opa, tmp_path / "cache")
    assert asked == [opa]
    shutil.rmtree(tmp_path / "cache")
