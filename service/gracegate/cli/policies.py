"""The policy sets that a command uses: the folders of its options and of the configuration."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from gracegate import settings
from gracegate.check import add_problem
from gracegate.cli.main import FINDINGS
from gracegate.errors import ConfigError, RulesError
from gracegate.model import BUILTIN_POLICIES, CONFIG_FILE, PolicyState, Problem, Report, Rule
from gracegate.policy import Catalog, PolicySet, load_builtin, rules_of
from gracegate.policy.engines import OpaAddress, OwnPolicies, open_policy_sets
from gracegate.policy.sets import PolicyFolder, policy_parts, read_policy_folder
from gracegate.repo_config import POLICIES_FILE, parse_policy_folders


@dataclass(frozen=True, slots=True)
class RefusedPolicies:
    """A policy set that is not used, with all that is wrong with it."""

    folder: PolicyFolder
    mistakes: tuple[RulesError, ...]

    def placed_mistakes(self) -> Iterator[RulesError]:
        """The mistakes, each in its file as it is found from here."""
        for one in self.mistakes:
            file = os.path.relpath(self.folder.folder / (one.file or ""))
            yield RulesError(one.message, file=file, line=one.line)


@dataclass(frozen=True, slots=True)
class ChosenPolicies:
    """The policy sets beside the built-in one; `folders` are the real paths of all of them."""

    own: tuple[OwnPolicies, ...] = ()
    refused: tuple[RefusedPolicies, ...] = ()
    folders: frozenset[Path] = field(default_factory=frozenset)

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules of all sets by id, also the built-in ones."""
        return rules_of((load_builtin(), *(one.catalog for one in self.own)))

    @property
    def unavailable_rules(self) -> frozenset[str]:
        """The ids that rules of refused sets would have."""
        return frozenset(rule for one in self.refused for rule in one.folder.rule_ids)

    def problems(self) -> list[Problem]:
        """A problem for each mistake of a refused set; a file of it is named as it would be found from here."""
        return [
            Problem(
                mistake.file or "",
                mistake.line or 0,
                "policies_refused",
                f"The policy set {one.folder.name} is not used: {mistake.message}.",
            )
            for one in self.refused
            for mistake in one.placed_mistakes()
        ]

    def states(self) -> tuple[PolicyState, ...]:
        """The refused sets as a report names them."""
        return tuple(PolicyState(one.folder.name, str(one.folder.folder), "", "refused") for one in self.refused)


@dataclass(frozen=True, slots=True)
class ActivePolicies:
    """The policy sets that a command evaluates, the built-in one first, and how its own ones were `chosen`."""

    sets: tuple[PolicySet, ...]
    chosen: ChosenPolicies

    def complete(self, report: Report) -> Report:
        """The report with the sets that were refused, which makes it incomplete."""
        for problem in reversed(self.chosen.problems()):
            report = add_problem(report, problem)
        return replace(report, policies=(*report.policies, *self.chosen.states()))


@contextmanager
def open_policies(
    opa: OpaAddress | Path | None, chosen: ChosenPolicies, clock: Callable[[], float]
) -> Iterator[ActivePolicies]:
    """The built-in rules on `opa`, see `open_policy_sets`, and the chosen sets; their limit is counted by `clock`."""
    with open_policy_sets(opa, chosen.own, cache_dir=settings.cache_dir(), clock=clock) as sets:
        yield ActivePolicies(sets, chosen)


def set_folder(folder: Path | None) -> Path:
    """The folder of the policy set that a command is about: the given one, else the nearest at or above the working
    directory that says so, else the working directory."""
    if folder is not None:
        return folder
    here = Path.cwd()
    return next((one for one in (here, *here.parents) if (one / POLICIES_FILE).is_file()), here)


def built_policies(folder: Path, stack: ExitStack) -> tuple[PolicyFolder, dict[str, Catalog]]:
    """The set in a folder, and the parts of it that are evaluated by themselves, by name.

    Its mistakes are said and end the command with 1: its author corrects them. Raises ConfigError for a folder that
    cannot be used at all.
    """
    policies = read_policy_folder(folder)
    catalogs: dict[str, Catalog] = {}
    mistakes: list[RulesError] = []
    for name, load in policy_parts(policies, settings.find_opa, _cache(stack)):
        try:
            catalogs[name] = load()
        except RulesError as error:
            mistakes += error.mistakes
    if mistakes:
        shown = (str(mistake) for mistake in RefusedPolicies(policies, tuple(mistakes)).placed_mistakes())
        click.echo("\n".join(shown), err=True)
        raise click.exceptions.Exit(FINDINGS)
    return policies, catalogs


def _cache(stack: ExitStack) -> Path:
    """The user's cache, else a folder that is kept for as long as the stack."""
    return settings.cache_dir() or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gracegate-")))


def choose_policies(
    options: Iterable[str], config: Path | None, top: Path, stack: ExitStack, *, ignores_config: bool
) -> ChosenPolicies:
    """The sets in the folders of `options` and of the configuration file, unless it is ignored, each folder once.

    What is built is kept in the user's cache, and without one for as long as the `stack`. Raises ConfigError for a
    folder that cannot be used at all.
    """
    folders = {Path(os.path.realpath(folder)): Path(folder) for folder in options}
    if config is not None and not ignores_config:
        folders = {**_of_config(config, top), **folders}
    if not folders:
        return ChosenPolicies()
    cache = _cache(stack)
    own: list[OwnPolicies] = []
    refused: list[RefusedPolicies] = []
    for folder in folders.values():
        policies = read_policy_folder(folder)
        if policies.name in {BUILTIN_POLICIES, *(one.name for one in own), *(one.folder.name for one in refused)}:
            message = f"there is another policy set called `{policies.name}`: give this one a `name` in {POLICIES_FILE}"
            raise ConfigError(message, file=str(folder))
        for name, load in policy_parts(policies, settings.find_opa, cache):
            try:
                catalog = load()
                _check_unique(policies, catalog.rules, own)
            except RulesError as error:
                refused.append(RefusedPolicies(policies, error.mistakes))
            else:
                opa = settings.find_opa() if catalog.needs_opa else None
                own.append(OwnPolicies(name, str(folder), catalog, opa))
    return ChosenPolicies(tuple(own), tuple(refused), frozenset(folders))


def _of_config(config: Path, top: Path) -> dict[Path, Path]:
    """The folders that a configuration names, which are relative to it and below the top of the repository."""
    try:
        text = config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}  # the configuration is read again, and its problem named, with all that it says
    folders = {}
    for name in parse_policy_folders(text, str(config)):
        real = Path(os.path.realpath(config.parent / name))
        if not real.is_relative_to(os.path.realpath(top)):
            raise ConfigError(f"`policies` names {name}, which is outside of the repository", file=CONFIG_FILE)
        folders[real] = Path(os.path.relpath(real))
    return folders


def _check_unique(policies: PolicyFolder, rules: Iterable[str], others: Iterable[OwnPolicies]) -> None:
    """Raises RulesError for rules whose names another set has already."""
    mistakes = []
    for other in others:
        taken = {name: rule for rule in other.catalog.rules.values() for name in (rule.id, *rule.aliases)}
        for rule in taken.keys() & set(rules):
            own = (name for name in policies.modules if name.endswith(f"/{rule.replace('-', '_')}.rego"))
            file = next(own, POLICIES_FILE)
            theirs = f"rules/{taken[rule].group}/{taken[rule].id.replace('-', '_')}.rego"
            where = "" if other.catalog.foreign else f", in {other.source}/{theirs}"
            message = f"the policy set {other.name} has a rule `{rule}` too{where}"
            mistakes.append(RulesError(message, file=file, line=1))
    if mistakes:
        raise RulesError.of(sorted(mistakes, key=str))
