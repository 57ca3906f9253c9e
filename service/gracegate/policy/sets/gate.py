"""The gate of a policy set: all that can be wrong with it before it is used, and what is built of it if nothing is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from pathlib import Path
from typing import Any

from gracegate.check import explain_rule
from gracegate.errors import EngineError, RulesError
from gracegate.manifests import KINDS
from gracegate.model import Rule, RuleExplanation
from gracegate.outputs import foreign_rule_page, rule_page_files
from gracegate.policy import (
    COMPILED,
    DATA,
    WASM,
    Catalog,
    builtin_policies,
    digest_of,
    load_builtin,
    load_catalog,
    write_catalog,
)
from gracegate.policy.engines import missing_builtins, open_policy_set
from gracegate.policy.sets.bench import over_budget
from gracegate.policy.sets.examples import BASELINE_FILE
from gracegate.policy.sets.fences import FORBIDDEN_BUILTINS, PUBLIC_LIBRARIES, Surroundings, mistakes_in
from gracegate.policy.sets.folder import PolicyFolder, unknown_names
from gracegate.policy.sets.metadata import Annotation, read_rules
from gracegate.policy.sets.modules import Module, read_module
from gracegate.policy.sets.opa_command import OpaCommand, parse_all, written_modules
from gracegate.policy.sets.rule_heads import check_rule_heads, defined_names
from gracegate.policy.sources import write_files
from gracegate.yaml import YamlError, json_value, parse_yaml, split_documents

CAPABILITIES_FILE = "set_capabilities.json"
"""What OPA may do for policy sets; generated, as the one for the built-in rules."""

_OURS = "gracegate/"
"""The folder of gracegate's own modules beside those of a set, as a set has only rules/ and lib/."""
_PAGES = "pages"
"""A page per rule, and its picture, beside what is evaluated."""
_EXAMPLE_SECONDS = 20.0
"""For all examples of a set."""


def set_capabilities(current: Mapping[str, Any]) -> bytes:
    """The capabilities of an OPA without what rules of policy sets must not do."""
    allowed = [one for one in current["builtins"] if one["name"] not in FORBIDDEN_BUILTINS]
    return (json.dumps({**current, "builtins": allowed, "allow_net": []}, indent=1) + "\n").encode()


def world_of(policies: PolicyFolder) -> dict[str, str]:
    """All modules that are evaluated for a set: its own, and the entrypoint and the libraries of gracegate."""
    builtin = load_builtin().modules
    ours = {f"{_OURS}{name}": text for name, text in builtin.items() if not name.startswith("rules/")}
    return {**ours, **policies.modules}


def build_policies(policies: PolicyFolder, opa: Path, folder: Path) -> Catalog:
    """Writes into `folder` what is evaluated of a policy set, as `load_catalog` reads it.

    Raises RulesError with all mistakes of the set, each with its file, as far as one does not hide another.
    """
    capabilities = builtin_policies().resolve() / CAPABILITIES_FILE
    world = world_of(policies)
    with written_modules(world) as written:
        command = OpaCommand(opa, written)
        modules, mistakes = _parse(command, policies.modules)
        mistakes = [*policies.mistakes, *mistakes]
        rules = _collect(mistakes, lambda: _rules(modules, policies)) or []
        _collect(mistakes, lambda: check_rule_heads({one.file: policies.modules[one.file] for one in modules}))
        mistakes += mistakes_in(modules, _surroundings(policies, rules or None))
        mistakes += _clashes(rules, policies)
        mistakes += unknown_names(policies.described, rules, {one.entry.tool for one in policies.foreign})
        _raise(mistakes)
        command.check(capabilities)
        wasm = command.build_wasm(capabilities, written.parent / "bundle.tar.gz")
    files = {
        **{name: text.encode() for name, text in world.items()},
        **({str(DATA): json.dumps(policies.data).encode()} if policies.data else {}),
        str(COMPILED): write_catalog(
            policies.described.applied(rules),
            digest_of(world, policies.data, settings := policies.described.settings),
            missing_builtins(wasm),
            settings,
        ),
        str(WASM): wasm,
    }
    write_files(folder, files)
    catalog = load_catalog(folder)
    explanations, mistakes = _explain_examples(catalog, modules, opa)
    _raise(mistakes)
    _raise([*over_budget(policies, catalog, opa)])
    pages = {name: data for one in explanations for name, data in rule_page_files(one).items()}
    write_files(folder, {f"{_PAGES}/{name}": data for name, data in pages.items()})
    return catalog


def find_rule_page(catalog: Catalog, rule: str) -> dict[str, bytes]:
    """The page of a rule and its picture, where it has one, by their names, of a set that was built."""
    files = [catalog.folder / _PAGES / f"{rule}{suffix}" for suffix in (".md", ".svg")]
    found = {file.name: file.read_bytes() for file in files if file.is_file()}
    return found or {files[0].name: foreign_rule_page(catalog.rules[rule])}


def test_mistakes(policies: PolicyFolder, command: OpaCommand) -> list[RulesError]:
    """What is wrong with the files of a set and its tests, as far as it shows without compiling them: OPA would read
    what their schemas refer to."""
    modules, mistakes = _parse(command, [*policies.modules, *policies.tests])
    return [*mistakes, *mistakes_in(modules, _surroundings(policies, None))]


def _example_mistake(rule: Rule, explanation: RuleExplanation) -> str:
    """What is wrong with how a rule deals with its own example, "" for nothing."""
    finding = explanation.finding
    if finding.severity != rule.severity:
        return f"the rule finds its example as {finding.severity}, and its severity is {rule.severity}"
    if rule.fix not in {"safe", "assumes"}:
        return ""
    if finding.fix is None:
        return f"METADATA says `fix: {rule.fix}`, but `fix` has nothing `at` the place of the example's violation"
    if explanation.after is None:
        return f"its fix does not cure the example ({explanation.not_fixed or 'advice_only'})"
    return ""


def _raise(mistakes: Sequence[RulesError]) -> None:
    if mistakes:
        raise RulesError.of(sorted(mistakes, key=lambda one: (one.file or "", one.line or 0, one.message)))


def _collect(mistakes: list[RulesError], step: Any) -> Any:
    try:
        return step()
    except RulesError as error:
        mistakes.extend(error.mistakes)


def _parse(command: OpaCommand, files: Iterable[str]) -> tuple[list[Module], list[RulesError]]:
    trees, mistakes = parse_all(command.parse, files)
    return [read_module(file, tree) for file, tree in trees.items()], mistakes


def _rules(modules: Sequence[Module], policies: PolicyFolder) -> list[Rule]:
    """The rules of the modules that could be parsed."""
    annotations: list[Annotation] = [
        {
            "annotations": {key: value for key, value in annotation.items() if key != "location"},
            "location": {"file": module.file, "row": module.row},
            "path": [{"value": part} for part in module.package],
        }
        for module in modules
        for annotation in module.annotations
    ]
    parsed = {module.file for module in modules}
    texts = {name: text for name, text in policies.modules.items() if name in parsed}
    return read_rules(annotations, texts, _baseline())


def _baseline() -> str:
    return (builtin_policies() / BASELINE_FILE).read_text(encoding="utf-8")


@cache
def testing_modules() -> Mapping[str, str]:
    """What tests may import of gracegate."""
    names = ("testing_test.rego", "testing_defaults_test.rego")
    return {f"{_OURS}lib/{name}": (builtin_policies() / "lib" / name).read_text("utf-8") for name in names}


def _surroundings(policies: PolicyFolder, rules: Sequence[Rule] | None) -> Surroundings:
    modules = load_builtin().modules
    libraries: dict[tuple[str, ...], Set[str]] = {
        ("data", "gracegate", "lib", name): defined_names(modules[f"lib/{name}.rego"]) for name in PUBLIC_LIBRARIES
    }
    libraries["data", "gracegate", "testing"] = defined_names(testing_modules()[f"{_OURS}lib/testing_test.rego"])
    parameters = None if rules is None else {rule.id: {p.name for p in rule.parameters} for rule in rules}
    groups = {rule.group for rule in load_builtin().rules.values()}
    return Surroundings(libraries, groups, policies.data.keys(), parameters)


def _clashes(rules: Iterable[Rule], policies: PolicyFolder) -> list[RulesError]:
    """Names that built-in rules have, or had, and kinds that examples use and nobody reads."""
    taken = {name for rule in load_builtin().rules.values() for name in (rule.id, *rule.aliases)}
    found = []
    for rule in rules:
        file = next(name for name in policies.modules if name.endswith(f"/{rule.id.replace('-', '_')}.rego"))
        found += [
            RulesError(f"a built-in rule is called `{name}`: choose another name", file=file, line=1)
            for name in sorted(taken.intersection((rule.id, *rule.aliases)))
        ]
        for parameter in rule.parameters:
            if parameter.cluster:
                message = f"`cluster` of the parameter `{parameter.name}` is for built-in rules: read input.params"
                found.append(RulesError(message, file=file, line=1))
        line = _line_of(policies.modules[file], "example")
        for kind in sorted(_kinds_in(rule.example) - KINDS - {kind.rpartition("/")[2] for kind in rule.kinds}):
            message = f"the example has a {kind}, which gracegate does not read: add it to `kinds` of METADATA"
            found.append(RulesError(message, file=file, line=line))
    return found


def _line_of(text: str, key: str) -> int:
    """The line of a key of METADATA, from 1."""
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if line.removeprefix("#").strip().startswith(f"{key}:")), 1)


def _kinds_in(example: str) -> set[str]:
    kinds = set()
    for span in split_documents(example):
        try:
            value = json_value(text := example[span.start : span.end], parse_yaml(text))
        except YamlError:
            continue
        if isinstance(value, dict) and isinstance(value.get("kind"), str) and value["kind"]:
            kinds.add(value["kind"])
    return kinds


def _explain_examples(
    catalog: Catalog, modules: Iterable[Module], opa: Path
) -> tuple[list[RuleExplanation], list[RulesError]]:
    """What the rules find in their own examples, and those that do not find them at their own level, or whose fixes do
    not fix them."""
    files = {module.package[-1]: module.file for module in modules if not module.is_test}
    explanations, mistakes = [], []
    with open_policy_set(opa if catalog.missing_builtins else None, catalog, seconds=_EXAMPLE_SECONDS) as policies:
        for rule in catalog.rules.values():
            line = _line_of(catalog.modules[files[rule.id]], "example")
            try:
                explanation = explain_rule(rule, policies)
                message = _example_mistake(rule, explanation)
                explanations.append(explanation)
            except (RulesError, EngineError) as error:
                message = str(error)
            if message:
                mistakes.append(RulesError(message, file=files[rule.id], line=line))
    return explanations, mistakes
