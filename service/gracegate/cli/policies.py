"""The policy sets that a command uses: those of its options and of the configuration."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from gracegate import settings
from gracegate.check import add_problem
from gracegate.cli.main import FINDINGS
from gracegate.cli.terminal import write_output
from gracegate.errors import ConfigError, RepositoryError, RulesError
from gracegate.model import CONFIG_FILE, PolicySource, PolicyState, Problem, Report, Rule, parse_policy_source
from gracegate.policy import Catalog, PolicySet, load_builtin, rules_of
from gracegate.policy.engines import OpaAddress, OwnPolicies, open_policy_sets
from gracegate.repo_config import POLICIES_FILE, parse_policy_folders

if TYPE_CHECKING:
    from gracegate.policy.sets import PolicyFolder

format_option = click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
"""What the commands of policy sets print: for people, or for programs as outputs/policy.schema.json says."""

JSON_SCHEMA = 1
"""Raised with every change that breaks a program which reads the earlier shape."""


def write_json(values: Mapping[str, Any]) -> None:
    """Writes what a command of policy sets found for programs."""
    write_output(json.dumps({"schema": JSON_SCHEMA, **values}, indent=2) + "\n")


@dataclass(frozen=True, slots=True)
class RefusedPolicies:
    """A policy set that is not used, with all that is wrong with it."""

    folder: PolicyFolder
    source: PolicySource
    commit: str
    mistakes: tuple[RulesError, ...]

    def placed_mistakes(self) -> Iterator[RulesError]:
        """The mistakes, each in its file as it is found from here, or in the repository or bundle."""
        for one in self.mistakes:
            if self.source.kind == "folder":
                file = os.path.relpath(self.folder.folder / (one.file or ""))
            else:
                file = f"{self.source.text}/{one.file}" if one.file else self.source.text
            yield RulesError(one.message, file=file, line=one.line)


@dataclass(frozen=True, slots=True)
class ChosenPolicies:
    """The policy sets beside the built-in one; `folders` are the real paths of those that are folders."""

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
        return tuple(
            PolicyState(one.folder.name, one.source.text, "", "refused", commit=one.commit) for one in self.refused
        )


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


def built_policies(
    folder: Path, stack: ExitStack, *, ignores_budget: bool = False
) -> tuple[PolicyFolder, dict[str, Catalog]]:
    """The set in a folder, and the parts of it that are evaluated by themselves, by name.

    Its mistakes are said and end the command with 1: its author corrects them. Raises ConfigError for a folder that
    cannot be used at all. With `ignores_budget`, rules that take too long are no mistakes.
    """
    from gracegate.policy.sets import read_policy_folder  # noqa: PLC0415 - slow to import, and most checks have no sets

    policies = read_policy_folder(folder)
    catalogs, mistakes = build_parts(policies, stack, ignores_budget=ignores_budget)
    if mistakes:
        click.echo("\n".join(map(str, refused_folder(policies, mistakes).placed_mistakes())), err=True)
        raise click.exceptions.Exit(FINDINGS)
    return policies, catalogs


def build_parts(
    policies: PolicyFolder, stack: ExitStack, *, ignores_budget: bool = False
) -> tuple[dict[str, Catalog], list[RulesError]]:
    """The parts of a set that can be used, by name, and all mistakes of the others."""
    built = replace(policies, described=replace(policies.described, budget=None)) if ignores_budget else policies
    return _load(built, _cache(stack))


def _load(policies: PolicyFolder, cache: Path) -> tuple[dict[str, Catalog], list[RulesError]]:
    """The parts of a set as in `build_parts`. Raises ConfigError where one has to be built and there is no OPA."""
    from gracegate.policy.sets import load_parts  # noqa: PLC0415 - see `built_policies`

    catalogs, found = load_parts(policies, settings.find_opa, cache)
    mistakes = []
    for error in found:
        if not isinstance(error, RulesError):
            raise error
        mistakes.append(error)
    return catalogs, mistakes


def refused_folder(policies: PolicyFolder, mistakes: Iterable[RulesError]) -> RefusedPolicies:
    """A set in a folder of this machine that has mistakes."""
    return RefusedPolicies(policies, PolicySource(str(policies.folder), "folder"), "", tuple(mistakes))


def _cache(stack: ExitStack) -> Path:
    """The user's cache, else a folder that is kept for as long as the stack."""
    return settings.cache_dir() or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gracegate-")))


def choose_policies(
    options: Iterable[str], config: Path | None, top: Path, stack: ExitStack, *, ignores_config: bool
) -> ChosenPolicies:
    """The sets of `options` and of the configuration file, unless it is ignored, each source once.

    What is fetched and built is kept in the user's cache, and without one for as long as the `stack`. Raises InputError
    for a source that cannot be read or used at all.
    """
    sources = dict(_of_config(config, top)) if config is not None and not ignores_config else {}
    sources.update(_named(text, Path()) for text in options)
    if not sources:
        return ChosenPolicies()
    from gracegate.policy.sets import clash_mistakes, own_policies, read_policy_folder  # noqa: PLC0415 - as above

    cache = _cache(stack)
    own: list[OwnPolicies] = []
    refused: list[RefusedPolicies] = []
    for source in sources.values():
        folder, commit = _read(source, cache)
        policies = read_policy_folder(folder, "" if source.kind == "folder" else source.text)
        catalogs, mistakes = _load(policies, cache)
        clashes = clash_mistakes(policies.name, catalogs.values(), own)
        if mistakes or clashes:
            refused.append(RefusedPolicies(policies, source, commit, (*mistakes, *clashes)))
        # A part is used without the others: what is wrong with these is said.
        if not clashes:
            own += own_policies(catalogs, source.text, settings.find_opa, commit)
    folders = (Path(os.path.realpath(one.text)) for one in sources.values() if one.kind == "folder")
    return ChosenPolicies(tuple(own), tuple(refused), frozenset(folders))


def _named(text: str, folder: Path) -> tuple[str, PolicySource]:
    """What a text names, with a key that is the same for the same; a path is relative to `folder`."""
    try:
        source = parse_policy_source(text)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    # A folder that is there is meant by its name, whatever else that could be.
    if source.is_local or (source.kind == "repository" and (folder / text).is_dir()):
        path = folder / text
        kind: Literal["file", "folder"] = "file" if source.kind == "file" else "folder"
        return os.path.realpath(path), PolicySource(str(path), kind)
    return text, source


def _read(source: PolicySource, cache: Path) -> tuple[Path, str]:
    """A folder with the files of a source, and the commit of these. Raises RepositoryError."""
    if source.kind == "folder":
        return Path(source.text), ""
    from gracegate.git import ReadLimits, TreeFetcher  # noqa: PLC0415 - these and the client of HTTP are slow to import
    from gracegate.policy.sets import version_of, write_version  # noqa: PLC0415
    from gracegate.policy.sources import MAX_BYTES, PolicyFetcher  # noqa: PLC0415

    trees = TreeFetcher(
        cache / "policy-repositories",
        limits=ReadLimits(MAX_BYTES, MAX_BYTES),
        environment=settings.child_environment(),
    )
    found = PolicyFetcher(trees, settings.git_url(), lambda _: settings.git_token()).fetch(source)
    if found is None:
        raise RepositoryError("there is nothing in it", file=source.text)
    return write_version(version_of(found), found.files, cache), found.commit


def _of_config(config: Path, top: Path) -> Iterator[tuple[str, PolicySource]]:
    """The sources that a configuration names; folders and files are relative to it, and below the top of the
    repository."""
    try:
        text = config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return  # the configuration is read again, and its problem named, with all that it says
    for name in parse_policy_folders(text, str(config)):
        key, source = _named(name, config.parent)
        if source.is_local and not Path(key).is_relative_to(os.path.realpath(top)):
            raise ConfigError(f"`policies` names {name}, which is outside of the repository", file=CONFIG_FILE)
        yield key, PolicySource(os.path.relpath(key), source.kind) if source.is_local else source
