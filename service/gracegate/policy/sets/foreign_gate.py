"""The gate of policies for conftest and Gatekeeper: what can be wrong with them before they are asked for anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gracegate.errors import RulesError
from gracegate.policy import COMPILED, DATA, FOREIGN, builtin_policies, digest_of, write_catalog
from gracegate.policy.foreign import (
    ALL_NAMESPACES,
    ForeignPolicies,
    RegoFile,
    Skipped,
    bundle_of,
    combined_packages,
    conftest_rules,
    gatekeeper_policies,
    is_named,
    namespaces_of,
)
from gracegate.policy.sets.fences import foreign_mistakes_in
from gracegate.policy.sets.folder import ForeignFolder, unknown_names
from gracegate.policy.sets.gate import CAPABILITIES_FILE
from gracegate.policy.sets.modules import read_module
from gracegate.policy.sets.opa_command import OpaCommand, parse_all, written_modules
from gracegate.policy.sources import write_files
from gracegate.repo_config import POLICIES_FILE, ForeignEntry, PoliciesFile
from gracegate.yaml import YamlError, json_value, parse_yaml, split_documents


@dataclass(frozen=True, slots=True)
class ReadPolicies:
    """Policies for another tool that can be asked; `packages` are those of conftest that are asked about each object,
    `combined` those about all files at once, and `skipped` is what cannot be evaluated in a pull request."""

    policies: ForeignPolicies
    packages: tuple[str, ...] = ()
    combined: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def build_foreign(foreign: ForeignFolder, opa: Path, folder: Path, described: PoliciesFile) -> None:
    """Writes into `folder` what is asked of policies for another tool, as `load_catalog` reads it; `described` is what
    their set says of rules.

    Raises RulesError with all mistakes, as far as one does not hide another.
    """
    policies = read_foreign(foreign, opa).policies
    data = {FOREIGN: policies.described()}
    rules = described.applied(one.rule for one in policies.rules)
    settings = described.settings
    if sum(one.tool == foreign.entry.tool for one in described.foreign) == 1:
        others = {id_.partition(".")[0] for id_ in described.rules} - {foreign.entry.tool}
        if mistakes := unknown_names(replace(described, owners={}), rules, others):
            raise RulesError.of(mistakes)
    files = {
        **{name: text.encode() for name, text in policies.modules.items()},
        str(DATA): json.dumps(data).encode(),
        str(COMPILED): write_catalog(rules, digest_of(policies.modules, data, settings), (), settings),
    }
    write_files(folder, files)


def read_foreign(foreign: ForeignFolder, opa: Path) -> ReadPolicies:
    """The policies of a folder, which compile. Raises RulesError with all mistakes, as far as none hides another."""
    found = _read_gatekeeper(foreign, opa) if foreign.entry.tool == "gatekeeper" else _read_conftest(foreign, opa)
    with written_modules(bundle_of(found.policies)) as written:
        OpaCommand(opa, written).check_bundle(builtin_policies().resolve() / CAPABILITIES_FILE)
    return found


def _read_conftest(foreign: ForeignFolder, opa: Path) -> ReadPolicies:
    entry = foreign.entry
    files, v0 = _parsed(foreign.texts, opa)
    known = namespaces_of(files)
    if mistakes := _combined_mistakes(combined_packages(files, certain=True), entry):
        raise RulesError.of(mistakes)
    named = {name for name in known if is_named(name, entry.combine)}
    if ALL_NAMESPACES in entry.namespaces:
        named.update(combined_packages(files, certain=False))
    packages = tuple(name for name in known if name not in named and is_named(name, entry.namespaces))
    combined = tuple(name for name in known if name in named)
    rules = conftest_rules(files, packages, combined, entry.kinds)
    if not rules:
        names, others = ", ".join((*entry.namespaces, *entry.combine)), ", ".join(known) or "none"
        message = f"there are no rules deny, violation or warn in `namespaces` ({names}); packages with such: {others}"
        raise RulesError(message, file=POLICIES_FILE)
    return ReadPolicies(ForeignPolicies(foreign.texts, v0, rules, data=foreign.data), packages, combined)


def _combined_mistakes(certain: Mapping[str, tuple[str, int]], entry: ForeignEntry) -> list[RulesError]:
    """What would never say anything, because it is asked about one object at a time."""
    named = [name for name in entry.namespaces if name != ALL_NAMESPACES]
    return [
        RulesError(f"{name} needs all files at once: name it in `combine`, not in `namespaces`", file=file, line=line)
        for name, (file, line) in certain.items()
        if is_named(name, named) and not is_named(name, entry.combine)
    ]


def _read_gatekeeper(foreign: ForeignFolder, opa: Path) -> ReadPolicies:
    found = gatekeeper_policies(_objects(foreign.texts))
    if not found.policies.rules:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in found.skipped) or "there is none"
        message = f"no constraint in {foreign.entry.path} can be evaluated in a pull request: {reasons}"
        raise RulesError(message, file=POLICIES_FILE)
    _parsed(found.policies.modules, opa)
    return ReadPolicies(found.policies, skipped=found.skipped)


def _parsed(texts: Mapping[str, str], opa: Path) -> tuple[list[RegoFile], frozenset[str]]:
    """The files as syntax trees, and which of them are in Rego v0. Raises RulesError with all mistakes."""
    with written_modules(texts) as written:
        parsed, mistakes = parse_all(OpaCommand(opa, written).parse_any, texts)
    mistakes += foreign_mistakes_in([read_module(path, tree) for path, (tree, _) in parsed.items()])
    if mistakes:
        raise RulesError.of(mistakes)
    v0 = frozenset(path for path, (_, is_v0) in parsed.items() if is_v0)
    return [RegoFile(path, tree) for path, (tree, _) in parsed.items()], v0


def _objects(texts: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """The objects in files of manifests. Raises RulesError for one that is not YAML."""
    for path, text in texts.items():
        for span in split_documents(text):
            part = text[span.start : span.end]
            try:
                value = json_value(part, parse_yaml(part))
            except YamlError as error:
                line = text.count("\n", 0, span.start) + (error.line or 1)
                raise RulesError(f"this is not valid YAML: {error.message}", file=path, line=line) from error
            if isinstance(value, Mapping):
                yield value
